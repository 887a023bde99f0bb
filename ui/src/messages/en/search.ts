// The search over everything.
export default {
  short: "Search",
  label: "Search everything",
  placeholder: "Instances, networks, hosts, pages, actions, an id",
  found: "What was found",
  groups: { rows: "Found in the cloud", pages: "Pages", actions: "Actions" },
  nothing: "Nothing is called “{text}”",
  move: "to move",
  open: "to open",
  close: "to close",
};
