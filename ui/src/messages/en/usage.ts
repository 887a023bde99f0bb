// What instances use over time.
export default {
  none: "Nothing has been measured yet",
  cpu: "CPU",
  memory: "Memory",
  diskkbsread: "Read",
  diskkbswrite: "Written",
  networkkbsread: "Received",
  networkkbswrite: "Sent",
  charts: {
    shares: "CPU and memory",
    disk: "Disks",
    network: "Network",
  },
};
