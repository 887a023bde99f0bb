// Lists, details, forms and actions of every resource.
export default {
  actions: "Actions",
  actionsOf: "Actions on {name}",
  addEntry: "Add",
  any: "Any",
  asDeclared: "As at first",
  ask: "{action} {name}?",
  askMany: "This is done to {n} {resources}.",
  cancel: "Cancel",
  choose: "Choose",
  chooseNone: "Choose none",
  chosen: "{n} chosen",
  clearFilters: "Clear search and filters",
  close: "Close",
  columns: "Columns",
  copied: "Copied",
  copy: "Copy",
  copyOf: "Copy {text}",
  createTags: "Add a tag",
  deleteTags: "Remove a tag",
  details: "Details",
  edit: "Change {name}",
  events: "Events",
  export: "Export these rows as CSV",
  fewer: "Less",
  filters: "Filters",
  goOnBehind: "Close, and go on",
  gone: "Gone",
  key: "Key",
  mayNot: "Your role may not call {command}",
  more: "More ({n})",
  moreActions: "More actions",
  moreFilters: "More filters",
  moveDown: "Move {name} down",
  moveUp: "Move {name} up",
  noAnswer: "It is done.",
  noEvents: "Nothing has happened to it yet",
  noSuch: "There is no such {resource}, or it is not yours",
  noViews: "No view is saved. Search, filter and sort, and save that as a view.",
  none: "There are no {resources} yet",
  noneFound: "No {resources} are found",
  nothingFound: "Nothing is found",
  page: "Page",
  older: "Older events",
  problems: {
    required: "This is needed",
    number: "This is to be a number",
    whole: "This is to be a whole number",
    long: "This is longer than {length} characters",
    key: "Every entry needs a key",
  },
  progress: "{done} of {all} done, {failed} failed",
  refresh: "Read anew",
  removeEntry: "Remove entry {n}",
  removeView: "Remove the view {name}",
  reset: "Set {name} back",
  retry: "Try again",
  save: "Save",
  saveView: "Save this view",
  search: "Search",
  searchColumns: "Search columns",
  searchIn: "Search in {resources}",
  searching: "Searching",
  select: "Choose {name}",
  settings: "Settings",
  show: "Show",
  tagKey: "Key of a new tag",
  tagValue: "Value of a new tag",
  tags: "Tags",
  total: "{n} in all",
  typeSeveral: "Type, and press Enter after each",
  value: "Value",
  viewName: "Name of the view",
  views: "Saved views",
  yes: "Yes",
  no: "No",
  // of these the API's names are made: serviceofferingname
  words:
    "access account acl action activate actual add address admin affinity agent alert algorithm allocated allocation allowed api arch archived associated async attached auto available " +
    "backup balancer bandwidth base bits block boot bootable bridge broadcast bucket bytes cache canusefordeploy capabilities capability capacity category cert certificate chain check cidr clock " +
    "cluster code columns command compute conserve console core count cpu create created creator cross current custom customer customized data date default degree delete dedicated deploy deployment " +
    "description destination destroy destroyed details device dhcp digest direct disable disabled disk display dns domain download dpd dynamic dynamically eager egress element email enable enabled encrypt end " +
    "endpoint error esp event expires explicit external extractable factor failed featured field file filter fingerprint first fixed flow for force forced forwarding free from full gateway global " +
    "gpu group guest ha hardware health healthy host hosts hypervisor icmp icon id ids ike image implemented in info ingress instance instances internal interval io iops ip ips ipv4 ipv6 ip6 is iso isolated isolation " +
    "job key keypair keypairs kvm label last level lifetime limit link list live load local location lock mac management map max maximum mbs memory message method min minimum mode monitor mount mtu multi " +
    "name names nat needed netmask network networks next nfs nic nics node number of offering on op open options order os out owner parent password path peer percent permission physical pod policies policy pool port portable " +
    "position power preferred private process project protection protocol provider providers provisioning psk public pxe queue quiesce quota rate read ready reason redundant region registered remaining remote removed " +
    "requires reservation reserved resource resources response restart restarted result role root route router rule rules running sampled scalable scale schedule scope secondary secret security selected send service services session " +
    "set shared shrink site size snap snapshot snapshots source specify speed split ssh ssl standard start started state static statistics status stickiness storage store strict subdomain sub support supported supports suspend " +
    "system table tag tagged tags target template templates text thread threshold ticket time timeout timezone to total traffic type types unallocated unit up update updated uploaded url usage use used user userdata users utilization uuid uri " +
    "value values version view virtual vlan vm vms vnc volatile volume volumes vpc vpn vr vswitch wait weight with write xen zone zones",
};
