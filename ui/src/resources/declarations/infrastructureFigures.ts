// Figures of zones, clusters, hosts and primary storage, as they are shown on a tab of each: the commands list...Metrics.

import { FundOutlined } from "@ant-design/icons-vue";
import type { Field, Resource } from "../declaration";
import * as column from "./parts/columns";

const CPU: Field[] = [{ name: "cputotal" }, { name: "cpuallocated", kind: "share" }];
const MEMORY: Field[] = [{ name: "memorytotal" }, { name: "memoryallocated", kind: "share" }];
const THRESHOLDS: Field[] = [
  { name: "cpuallocatedthreshold", kind: "boolean" },
  { name: "cpuallocateddisablethreshold", kind: "boolean" },
  { name: "memoryallocatedthreshold", kind: "boolean" },
  { name: "memoryallocateddisablethreshold", kind: "boolean" },
];

function figures(name: string, command: string, key: string, columns: Field[]): Resource {
  return {
    name,
    section: "infrastructure",
    icon: FundOutlined,
    nested: true,
    list: { command, key, within: ["id"] },
    changes: key,
    columns: [{ name: "name" }, column.state, ...columns],
    actions: [],
  };
}

const resources: Resource[] = [
  figures("zonemetrics", "listZonesMetrics", "zone", [
    { name: "clusters" },
    ...CPU,
    ...MEMORY,
    ...THRESHOLDS,
  ]),
  figures("clustermetrics", "listClustersMetrics", "cluster", [
    { name: "hosts" },
    ...CPU,
    ...MEMORY,
    ...THRESHOLDS,
  ]),
  figures("hostmetrics", "listHostsMetrics", "host", [
    { name: "instances" },
    { name: "cputotalghz" },
    { name: "cpuallocatedghz" },
    { name: "memorytotalgb" },
    { name: "memoryallocatedgb" },
    ...THRESHOLDS,
  ]),
  figures("storagepoolmetrics", "listStoragePoolsMetrics", "storagepool", [
    { name: "disksizetotalgb" },
    { name: "disksizeusedgb" },
    { name: "disksizeallocatedgb" },
    { name: "disksizeunallocatedgb" },
    { name: "storageallocateddisablethreshold", kind: "boolean" },
  ]),
];
export default resources;
