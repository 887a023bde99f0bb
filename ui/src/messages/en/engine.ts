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
  addResourceDetail: "Add a detail",
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
  none: "No {resources} yet",
  noneFound: "No {resources} found",
  nothingFound: "Nothing is found",
  page: "Page",
  older: "Older events",
  notYours: "Your role may not see this",
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
  selectAll: "Choose all on this page",
  settings: "Settings",
  show: "Show",
  tagKey: "Key of a new tag",
  tagValue: "Value of a new tag",
  tags: "Tags",
  resourceDetails: "Details for operators",
  removeResourceDetail: "Remove a detail",
  detailKey: "Key of a new detail",
  detailValue: "Value of a new detail",
  detailShown: "The owner sees it",
  detailHidden: "Its owner does not see it",
  total: "{n} in all",
  typeSeveral: "Type, and press Enter after each",
  value: "Value",
  viewName: "Name of the view",
  views: "Saved views",
  yes: "Yes",
  no: "No",
  // of these the API's names are made: serviceofferingname
  words:
    "2fa a access account accounts acl acquired action activate active actual add additional address " +
    "admin admins affinity agent agents alert alerts algorithm all allocated allocation allow allowed " +
    "alpha annotation annotations api applied arch archived arrival as associated async attached auto " +
    "autoscaling availability available availableservices backup backups balancer band bandwidth base " +
    "began begin bits block boot bootable bridge broadcast bucket by bypass bytes cache caller can " +
    "canusefordeploy capabilities capability capacity category cause cert certificate chain changes " +
    "check checks checksum child children cidr cleanup client clock cluster clusters cmd code columns " +
    "command commands complete completed component compute config connections conserve consistency " +
    "console content control conversion core count cpu create created creator cross crossed crt current " +
    "custom customer customized daily data date day dedicated default defined degree delay delete deploy " +
    "deployasis deployment description dest destination destroy destroyed details device dhcp digest " +
    "direct disable disabled disconnected disk display distributed distribution dns dns1 dns2 domain " +
    "download dpd driver drs duration dynamic dynamically eager egress elapsed elastic element email " +
    "enable enabled encap encrypt encryption end ended endpoint enough entity entries entry error esp " +
    "esx event events every exit experimental expires expiry explicit expunge external extract extractable " +
    "factor failed featured features fetch field file filter fingerprint first fixed flow for force " +
    "forced format forms forwarding found free fresh from full gateway gb ghz global gpu gpus group " +
    "groups gslb guest guests ha hardware has hash health healthy host hosts hvm hvmrequired hyperv " +
    "hypervisor icmp icon id ids ike ilb image implemented implementor implicit in individual info " +
    "ingress instance instances inter internal internaldns1 internet interval invite io iops iothreads " +
    "ip ip6 ips ipsec ipv4 ipv6 is iso isolated isolation job keepalive key keyboard keypair keypairs keyword " +
    "kubernetes kvm l2 label labels last latency latest lb lease leased left level lifetime limit limited link " +
    "list live load local location lock lv mac machine machines make managed management mandated map max " +
    "maximum mbs memory message metadata method migrate migration min minimum mix mode monitor motion " +
    "mount mtu multi name names nat needed netmask network networks new next nexthop nfs nic nics node " +
    "not np nsx number object of offer offerha offering offset ok on only op open options order os other " +
    "out outcome outofband over overcommit overlap overprovisioned overprovisioning ovm3 owner p50 p95 " +
    "p99 pace page pages params parent partial participant passive password patch path payload peer " +
    "peers pending per percent percentage perform performance permanent permission persistent physical " +
    "ping pinged placed planner pod pods policies policy pool pools port portable position post power " +
    "pre precedence preferred presharedkey previous primary private proc process procstatus project " +
    "protection protocol provider providers provisioning psk public purge pxe queue quiesce quota range " +
    "ranges rate ratio read readonly ready reason rebalance received recommend recover recursive " +
    "redundant region registered rejected related remaining remote removed renewal report repositories " +
    "requested required requires reservation reserved resource resources response restart restarted " +
    "result retention revertable role roles root route routed router routers routing rule rules running " +
    "s2s sampled sampling sata scalable scale scaling schedule scheme scope second secondary secret " +
    "security seed select selected send sent serial series server servers service services session " +
    "sessions set shared show shrink sigma signature since site size small snap snaps snapshot snapshots " +
    "sockets software sort source spec specify speed split ssh ssl standard start started state static " +
    "statistics stats status stderr stdout stickiness stopped storage storages store stores streched " +
    "strechedl2 stretched strict strictness strikes string struck sub subdomain subnet success suitable " +
    "support supported supports suspend swap system table tag tagged tags taken target template " +
    "templates text tftp thread threshold ticket time timeout timezone to token total trace traffic " +
    "tungsten type types u uefi ui unallocated unhealthy unique unit units until unused up update " +
    "updated upgrade uploaded uri url usage use used user userdata users utilization uuid v value values " +
    "verified version view viewer viewers virtual virtualization vlan vm vms vmware vnc vnet volatile " +
    "volume volumes vpc vpn vr vswitch wait wall webhook websocket weight whole with within write xen " +
    "zone zones zonetoken",
};
