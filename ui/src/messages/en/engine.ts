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
  scrolls: "Table, scrolled sideways with the arrow keys",
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
    "2fa access account accounts acl action activate active actual add additional address admin affinity " +
    "agent agents alert alerts algorithm all allocated allocation allow allowed annotation annotations " +
    "api applied arch archived associated async attached auto availability available availableservices " +
    "backup backups balancer bandwidth base bits block boot bootable bridge broadcast bucket bytes cache " +
    "canusefordeploy capabilities capability capacity category cause cert certificate chain changes " +
    "check checksum cidr cleanup client clock cluster clusters code columns command commands complete " +
    "completed component compute connections conserve consistency console content control core count cpu " +
    "create created creator cross current custom customer customized data date day dedicated default " +
    "degree delay delete deploy deployment description dest destination destroy destroyed details device " +
    "dhcp digest direct disable disabled disconnected disk display distributed distribution dns dns1 " +
    "dns2 domain download dpd duration dynamic dynamically eager egress elapsed element email enable " +
    "enabled encap encrypt encryption end ended endpoint enough entity entries entry error esp event " +
    "every exit expires explicit expunge external extract extractable factor failed featured fetch field " +
    "file filter fingerprint first fixed flow for force forced format forms forwarding found free fresh " +
    "from full gateway gb ghz global gpu group groups guest ha hardware has hash health healthy host " +
    "hosts hypervisor icmp icon id ids ike image implemented implementor implicit in individual info " +
    "ingress instance instances internal interval io iops iothreads ip ip6 ips ipv4 ipv6 is iso isolated " +
    "isolation job keepalive key keypair keypairs keyword kvm label labels last latency latest level " +
    "lifetime limit limited link list live load local location lock mac machine machines make managed " +
    "management mandated map max maximum mbs memory message metadata method migrate migration min " +
    "minimum mix mode monitor motion mount mtu multi name names nat needed netmask network networks new " +
    "next nexthop nfs nic nics node number of offering ok on only op open options order os other out " +
    "outcome over overcommit overprovisioned overprovisioning owner page pages parent participant " +
    "passive password patch path peer peers pending percent percentage performance permanent permission " +
    "persistent physical ping pinged placed pod pods policies policy pool port portable position post " +
    "power pre precedence preferred primary private process project protection protocol provider " +
    "providers provisioning psk public pxe queue quiesce quota ranges rate ratio read readonly ready " +
    "reason received recursive redundant region registered rejected related remaining remote removed " +
    "requested requires reservation reserved resource resources response restart restarted result " +
    "revertable role root route routed router routers routing rule rules running sampled sampling " +
    "scalable scale scaling schedule scheme scope secondary secret security seed selected send sent " +
    "serial servers service services session sessions set shared show shrink signature since site size " +
    "snap snaps snapshot snapshots sockets sort source specify speed split ssh ssl standard start " +
    "started state static statistics stats status stickiness stopped storage storages store strict " +
    "strictness string sub subdomain success suitable support supported supports suspend swap system " +
    "table tag tagged tags taken target template templates text thread threshold ticket time timeout " +
    "timezone to token total trace traffic type types uefi unallocated unhealthy unique unit unused up " +
    "update updated uploaded uri url usage use used user userdata users utilization uuid value values " +
    "verified version view viewer viewers virtual vlan vm vms vnc vnet volatile volume volumes vpc vpn " +
    "vr vswitch wait weight whole with write xen zone zones zonetoken",
};
