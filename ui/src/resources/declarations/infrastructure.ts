// What a cloud is built of: zones, pods, clusters, hosts, storage.

import {
  BlockOutlined,
  CheckCircleOutlined,
  ClusterOutlined,
  DatabaseOutlined,
  DeploymentUnitOutlined,
  DesktopOutlined,
  EnvironmentOutlined,
  GatewayOutlined,
  HddOutlined,
  ImportOutlined,
  SyncOutlined,
  ToolOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Action, Resource } from "../declaration";
import { create, is, remove, update } from "./parts/actions";
import * as column from "./parts/columns";

const HYPERVISORS = { command: "listHypervisors", key: "hypervisor", value: "name" };
const ALLOCATION = ["Enabled", "Disabled"];
const allocation = { name: "allocationstate", kind: "state", width: 120 } as const;

/** Enable or disable with an ordinary update. */
function allocate(command: string): Action[] {
  return [
    {
      command,
      name: "enable",
      icon: CheckCircleOutlined,
      on: "row",
      bulk: true,
      form: [],
      fixed: () => ({ allocationstate: "Enabled" }),
      when: (row) => row.allocationstate === "Disabled",
    },
    {
      command,
      name: "disable",
      icon: BlockOutlined,
      on: "row",
      bulk: true,
      danger: true,
      form: [],
      fixed: () => ({ allocationstate: "Disabled" }),
      when: (row) => row.allocationstate === "Enabled",
    },
  ];
}

const zone: Resource = {
  name: "zone",
  section: "infrastructure",
  icon: EnvironmentOutlined,
  list: { command: "listZones", key: "zone" },
  tagged: "Zone",
  columns: [
    column.name,
    allocation,
    { name: "networktype" },
    { name: "securitygroupsenabled", kind: "boolean" },
    { name: "guestcidraddress" },
    { name: "dns1" },
    ...column.hidden(
      { name: "type" },
      { name: "internaldns1" },
      { name: "localstorageenabled", kind: "boolean" },
      column.domain,
      column.tags,
    ),
  ],
  filters: [{ name: "networktype", values: ["Basic", "Advanced"] }],
  tabs: [
    {
      name: "figures",
      resource: "zonemetrics",
      parameters: (row) => ({ id: row.id }),
      needs: "listZonesMetrics",
    },
    { name: "pods", resource: "pod", parameters: (row) => ({ zoneid: row.id }) },
    { name: "clusters", resource: "cluster", parameters: (row) => ({ zoneid: row.id }) },
    { name: "hosts", resource: "host", parameters: (row) => ({ zoneid: row.id }) },
    { name: "physicalNetworks", resource: "physicalnetwork", parameters: (row) => ({ zoneid: row.id }) },
    { name: "primaryStorage", resource: "storagepool", parameters: (row) => ({ zoneid: row.id }) },
    { name: "secondaryStorage", resource: "imagestore", parameters: (row) => ({ zoneid: row.id }) },
    { name: "systemVms", resource: "systemvm", parameters: (row) => ({ zoneid: row.id }) },
    { name: "capacity", resource: "capacity", parameters: (row) => ({ zoneid: row.id }) },
  ],
  actions: [
    create("createZone", undefined, { page: () => "/add-zone" }),
    update("updateZone", [
      "name",
      "dns1",
      "dns2",
      "internaldns1",
      "internaldns2",
      "guestcidraddress",
      "domain",
      "localstorageenabled",
    ]),
    ...allocate("updateZone"),
    remove("deleteZone", { bulk: false, warning: "resources.warnings.deleteZone" }),
  ],
};

const pod: Resource = {
  name: "pod",
  section: "infrastructure",
  icon: GatewayOutlined,
  list: { command: "listPods", key: "pod" },
  tagged: "Pod",
  columns: [
    column.name,
    allocation,
    column.zone,
    { name: "gateway" },
    { name: "netmask" },
    { name: "startip", kind: "list" },
    { name: "endip", kind: "list" },
  ],
  filters: [{ name: "zoneid" }, { name: "allocationstate", values: ALLOCATION }],
  details: ["name", "allocationstate", column.zone, "gateway", "netmask"],
  tabs: [
    { name: "clusters", resource: "cluster", parameters: (row) => ({ podid: row.id }) },
    { name: "hosts", resource: "host", parameters: (row) => ({ podid: row.id }) },
    {
      name: "ipRanges",
      member: "ipranges",
      actions: [
        {
          command: "deleteManagementNetworkIpRange",
          icon: ToolOutlined,
          on: "row",
          danger: true,
          target: "startip",
          targetValue: (row) => String(row.startip),
          fixed: (row, parent) => ({
            podid: parent?.id,
            endip: String(row?.endip ?? ""),
            vlan: String(row?.vlanid ?? "untagged"),
          }),
        },
        {
          command: "updatePodManagementNetworkIpRange",
          icon: ToolOutlined,
          on: "row",
          target: "currentstartip",
          targetValue: (row) => String(row.startip),
          fixed: (row, parent) => ({ podid: parent?.id, currentendip: String(row?.endip ?? "") }),
          form: ["newstartip", "newendip"],
        },
      ],
    },
    { name: "storageIpRanges", resource: "storagenetworkiprange", parameters: (row) => ({ podid: row.id }) },
    { name: "capacity", resource: "capacity", parameters: (row) => ({ podid: row.id }) },
  ],
  actions: [
    create("createPod", ["zoneid", "name", "gateway", "netmask", "startip", "endip"]),
    update("updatePod", ["name", "gateway", "netmask"]),
    ...allocate("updatePod"),
    {
      command: "createManagementNetworkIpRange",
      icon: ToolOutlined,
      on: "row",
      target: "podid",
      form: ["gateway", "netmask", "startip", "endip", "vlan", "forsystemvms"],
    },
    {
      command: "acquirePodIpAddress",
      icon: ToolOutlined,
      on: "row",
      target: "podid",
      fixed: zoneOf,
      shows: ["ipaddress", "id"],
    },
    { command: "releasePodIpAddress", icon: ToolOutlined, on: "list", form: ["id"] },
    remove("deletePod"),
  ],
};

function zoneOf(row: Row | null): Record<string, string> {
  return { zoneid: String(row?.zoneid ?? "") };
}

const storageIpRange: Resource = {
  name: "storagenetworkiprange",
  section: "infrastructure",
  icon: GatewayOutlined,
  nested: true,
  list: { command: "listStorageNetworkIpRange", key: "storagenetworkiprange" },
  title: (row) => `${String(row.startip)} - ${String(row.endip)}`,
  columns: [
    { name: "startip" },
    { name: "endip" },
    { name: "gateway" },
    { name: "netmask" },
    { name: "vlan" },
  ],
  actions: [
    create("createStorageNetworkIpRange", ["podid", "gateway", "netmask", "startip", "endip", "vlan"]),
    update("updateStorageNetworkIpRange", ["startip", "endip", "netmask", "vlan"]),
    remove("deleteStorageNetworkIpRange"),
  ],
};

const cluster: Resource = {
  name: "cluster",
  section: "infrastructure",
  icon: ClusterOutlined,
  list: { command: "listClusters", key: "cluster" },
  tagged: "Cluster",
  columns: [
    column.name,
    allocation,
    { name: "managedstate", kind: "state" },
    { name: "hypervisortype" },
    column.pod,
    column.zone,
    ...column.hidden(
      { name: "clustertype" },
      { name: "arch" },
      { name: "cpuovercommitratio" },
      { name: "memoryovercommitratio" },
    ),
  ],
  filters: [
    { name: "zoneid" },
    { name: "podid" },
    { name: "hypervisor", choices: HYPERVISORS },
    { name: "allocationstate", values: ALLOCATION },
    { name: "managedstate", values: ["Managed", "Unmanaged"] },
  ],
  tabs: [
    {
      name: "figures",
      resource: "clustermetrics",
      parameters: (row) => ({ id: row.id }),
      needs: "listClustersMetrics",
    },
    { name: "hosts", resource: "host", parameters: (row) => ({ clusterid: row.id }) },
    { name: "instances", resource: "vm", parameters: (row) => ({ clusterid: row.id }) },
    {
      name: "unmanagedInstances",
      resource: "unmanagedinstance",
      parameters: (row) => ({ clusterid: row.id }),
    },
    { name: "primaryStorage", resource: "storagepool", parameters: (row) => ({ clusterid: row.id }) },
    { name: "capacity", resource: "capacity", parameters: (row) => ({ clusterid: row.id }) },
  ],
  actions: [
    create("addCluster", [
      "zoneid",
      "podid",
      "clustername",
      { name: "hypervisor", choices: HYPERVISORS },
      { name: "clustertype", values: ["CloudManaged"], initial: () => "CloudManaged" },
      { name: "arch", values: ["x86_64", "aarch64"] },
    ]),
    update("updateCluster", [
      { name: "clustername", initial: (row) => String(row?.name ?? "") },
      { name: "managedstate", values: ["Managed", "Unmanaged"] },
      { name: "arch", values: ["x86_64", "aarch64"] },
    ]),
    ...allocate("updateCluster"),
    remove("deleteCluster"),
  ],
};

const host: Resource = {
  name: "host",
  section: "infrastructure",
  icon: DesktopOutlined,
  list: { command: "listHosts", key: "host", parameters: () => ({ type: "Routing" }) },
  tagged: "Host",
  columns: [
    column.name,
    column.state,
    { name: "resourcestate", kind: "state", width: 140 },
    { name: "ipaddress" },
    { name: "cpuallocatedpercentage", kind: "share" },
    { name: "memoryallocatedpercentage", kind: "share" },
    column.cluster,
    column.pod,
    column.zone,
    ...column.hidden(
      { name: "cpunumber", kind: "number" },
      { name: "cpuspeed", kind: "megahertz" },
      { name: "memorytotal", kind: "bytes" },
      { name: "hypervisor" },
      { name: "version" },
      { name: "arch" },
      { name: "hosttags" },
      { name: "lastpinged", kind: "date" },
      column.created,
    ),
  ],
  filters: [
    { name: "zoneid" },
    { name: "podid" },
    { name: "clusterid" },
    { name: "state", values: ["Up", "Down", "Alert", "Disconnected", "Connecting", "Removed"] },
    {
      name: "resourcestate",
      values: ["Enabled", "Disabled", "PrepareForMaintenance", "ErrorInMaintenance", "Maintenance", "Error"],
    },
    { name: "hahost", values: ["true", "false"] },
  ],
  details: [
    "name",
    "state",
    "resourcestate",
    { name: "ipaddress" },
    column.cluster,
    column.pod,
    column.zone,
    { name: "cpunumber", kind: "number" },
    { name: "cpusockets", kind: "number" },
    { name: "cpuspeed", kind: "megahertz" },
    { name: "cpuallocatedpercentage", kind: "share" },
    { name: "memorytotal", kind: "bytes" },
    { name: "memoryallocatedbytes", kind: "bytes" },
    { name: "memoryallocatedpercentage", kind: "share" },
    "hosttags",
    "hypervisor",
    "version",
    { name: "lastpinged", kind: "date" },
  ],
  tabs: [
    {
      name: "figures",
      resource: "hostmetrics",
      parameters: (row) => ({ id: row.id }),
      needs: "listHostsMetrics",
    },
    { name: "instances", resource: "vm", parameters: (row) => ({ hostid: row.id }) },
    { name: "systemVms", resource: "systemvm", parameters: (row) => ({ hostid: row.id }) },
    { name: "routers", resource: "router", parameters: (row) => ({ hostid: row.id }) },
    { name: "primaryStorage", resource: "storagepool", parameters: (row) => ({ hostid: row.id }) },
  ],
  actions: [
    create("addHost", [
      "zoneid",
      "podid",
      "clusterid",
      { name: "hypervisor", choices: HYPERVISORS },
      "url",
      "username",
      { name: "password", secret: true },
      "hosttags",
    ]),
    update("updateHost", ["name", "hosttags", "istagarule", { name: "oscategoryid" }], {
      without: ["allocationstate"],
    }),
    {
      command: "updateHost",
      name: "enable",
      icon: CheckCircleOutlined,
      on: "row",
      bulk: true,
      form: [],
      fixed: () => ({ allocationstate: "Enable" }),
      when: (row) => row.resourcestate === "Disabled",
    },
    {
      command: "updateHost",
      name: "disable",
      icon: BlockOutlined,
      on: "row",
      bulk: true,
      danger: true,
      form: [],
      fixed: () => ({ allocationstate: "Disable" }),
      when: (row) => row.resourcestate === "Enabled",
    },
    {
      command: "prepareHostForMaintenance",
      icon: ToolOutlined,
      on: "row",
      bulk: true,
      danger: true,
      when: (row) => ["Enabled", "Disabled", "ErrorInMaintenance"].includes(String(row.resourcestate)),
    },
    {
      command: "cancelHostMaintenance",
      icon: CheckCircleOutlined,
      on: "row",
      bulk: true,
      when: (row) => String(row.resourcestate).includes("Maintenance"),
    },
    {
      command: "reconnectHost",
      icon: SyncOutlined,
      on: "row",
      bulk: true,
      when: (row) => row.state !== "Up",
    },
    remove("deleteHost", {
      form: ["forced", "forcedestroylocalstorage"],
      when: (row) => row.resourcestate === "Maintenance" || is("Down", "Disconnected", "Alert")(row),
    }),
  ],
};

const storagePool: Resource = {
  name: "storagepool",
  section: "infrastructure",
  icon: DatabaseOutlined,
  list: { command: "listStoragePools", key: "storagepool" },
  tagged: "Storage",
  columns: [
    column.name,
    column.state,
    { name: "scope" },
    { name: "type" },
    { name: "disksizetotal", kind: "bytes" },
    { name: "disksizeused", kind: "bytes" },
    { name: "disksizeallocated", kind: "bytes" },
    column.cluster,
    column.zone,
    ...column.hidden(
      column.pod,
      { name: "ipaddress" },
      { name: "path" },
      { name: "tags", kind: "list" },
      column.created,
    ),
  ],
  filters: [
    { name: "zoneid" },
    { name: "podid" },
    { name: "clusterid" },
    { name: "scope", values: ["ZONE", "CLUSTER", "HOST"] },
    {
      name: "status",
      values: ["Up", "Disabled", "Maintenance", "PrepareForMaintenance", "ErrorInMaintenance"],
    },
  ],
  tabs: [
    {
      name: "figures",
      resource: "storagepoolmetrics",
      parameters: (row) => ({ id: row.id }),
      needs: "listStoragePoolsMetrics",
    },
    { name: "volumes", resource: "volume", parameters: (row) => ({ storageid: row.id }) },
    { name: "instances", resource: "vm", parameters: (row) => ({ storageid: row.id }) },
    { name: "systemVms", resource: "systemvm", parameters: (row) => ({ storageid: row.id }) },
  ],
  actions: [
    create("createStoragePool", [
      "zoneid",
      { name: "scope", values: ["zone", "cluster", "host"], initial: () => "cluster" },
      { name: "podid", when: (values) => values.scope !== "zone" },
      { name: "clusterid", when: (values) => values.scope !== "zone" },
      { name: "hypervisor", choices: HYPERVISORS, when: (values) => values.scope === "zone" },
      "name",
      "url",
      {
        name: "provider",
        choices: {
          command: "listStorageProviders",
          key: "dataStoreProvider",
          value: "name",
          parameters: { type: "primary" },
        },
      },
      "tags",
    ]),
    update("updateStoragePool", ["name", "tags", "capacitybytes", "capacityiops"]),
    {
      command: "updateStoragePool",
      name: "enable",
      icon: CheckCircleOutlined,
      on: "row",
      form: [],
      fixed: () => ({ enabled: true }),
      when: is("Disabled"),
    },
    {
      command: "updateStoragePool",
      name: "disable",
      icon: BlockOutlined,
      on: "row",
      danger: true,
      form: [],
      fixed: () => ({ enabled: false }),
      when: is("Up"),
    },
    { command: "enableStorageMaintenance", icon: ToolOutlined, on: "row", danger: true, when: is("Up") },
    {
      command: "cancelStorageMaintenance",
      icon: CheckCircleOutlined,
      on: "row",
      when: is("Maintenance", "PrepareForMaintenance", "ErrorInMaintenance"),
    },
    remove("deleteStoragePool", { form: ["forced"] }),
  ],
};

const imageStore: Resource = {
  name: "imagestore",
  section: "infrastructure",
  icon: HddOutlined,
  list: { command: "listImageStores", key: "imagestore" },
  columns: [
    column.name,
    { name: "url" },
    { name: "protocol" },
    { name: "providername" },
    { name: "scope" },
    { name: "readonly", kind: "boolean" },
    { name: "disksizetotal", kind: "bytes" },
    { name: "disksizeused", kind: "bytes" },
    column.zone,
  ],
  filters: [{ name: "zoneid" }, { name: "readonly", values: ["true", "false"] }],
  tabs: [
    {
      name: "templates",
      resource: "template",
      parameters: (row) => ({ imagestoreid: row.id, templatefilter: "all" }),
    },
    { name: "isos", resource: "iso", parameters: (row) => ({ imagestoreid: row.id, isofilter: "all" }) },
    { name: "snapshots", resource: "snapshot", parameters: (row) => ({ imagestoreid: row.id }) },
  ],
  actions: [
    create("addImageStore", [
      "name",
      {
        name: "provider",
        choices: {
          command: "listStorageProviders",
          key: "dataStoreProvider",
          value: "name",
          parameters: { type: "image" },
        },
        initial: () => "NFS",
      },
      "url",
      "zoneid",
      "details",
    ]),
    create("addSecondaryStorage", ["url", "zoneid"], { icon: ImportOutlined }),
    update("updateImageStore", ["name", "readonly", "capacitybytes"]),
    remove("deleteImageStore"),
  ],
};

const capacity: Resource = {
  name: "capacity",
  section: "infrastructure",
  icon: DeploymentUnitOutlined,
  id: "type",
  list: { command: "listCapacity", key: "capacity", whole: true },
  columns: [
    column.name,
    column.zone,
    column.pod,
    column.cluster,
    { name: "capacityallocated", kind: "number" },
    { name: "capacityused", kind: "number" },
    { name: "capacitytotal", kind: "number" },
    { name: "percentused", kind: "share" },
  ],
  filters: [
    { name: "zoneid" },
    { name: "podid" },
    { name: "clusterid" },
    { name: "sortby", values: ["usage"] },
  ],
  actions: [],
};

const resources: Resource[] = [zone, pod, storageIpRange, cluster, host, storagePool, imageStore, capacity];
export default resources;
