// The page of all commands of the API.
export default {
  title: "API",
  about: "Every command that you may use. Choose one to see what it takes, and to call it.",
  answer: "Answer",
  async: "asynchronous",
  call: "Call",
  choose: "Choose a command",
  fromAShell: "The same call from a shell",
  noParameters: "It takes no parameters.",
  noSuch: "There is no command {command}, or you may not use it",
  search: "Search names and descriptions",
  shownAs: "How the answer is shown",
  signInFirst: "curl signs in once before:",
  status: "HTTP status {status}",
  sure: "Call {command}?",
  table: "Table",
  took: "{ms} ms",
};
