// The page about this cloud.
export default {
  title: "About this cloud",
  text:
    "An IaaS cloud that speaks CloudStack's API, on a simulated datacenter or on real hosts, with the same " +
    "management server and agents. This page and all others use that API and nothing else.",
  server: "Management server",
  api: "API of CloudStack",
  commands: "Commands",
  commandCount: "{n} commands for you",
  address: "Address of the API",
  abilities: "What it is set up to do",
  yes: "yes",
  no: "no",
  reference: "The commands that you may use",
  search: "Search commands",
  command: "Command",
  does: "What it does",
  job: "job",
  more: "Parameters",
  required: "required",
  answers: "Answers {members}",
};
