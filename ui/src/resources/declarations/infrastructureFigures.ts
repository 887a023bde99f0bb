// Figures of zones, clusters, hosts and primary storage, as they are shown on a tab of each: the commands list...Metrics.

import type { Field, Resource } from "../declaration";
import { figures } from "./parts/figures";

const CPU: Field[] = [
  { name: "cputotal" },
  { name: "cpuallocated", kind: "share" },
  { name: "cpuused", kind: "share" },
];
const MEMORY: Field[] = [
  { name: "memorytotal" },
  { name: "memoryallocated", kind: "share" },
  { name: "memoryused", kind: "share" },
];
const THRESHOLDS: Field[] = [
  { name: "cpuallocatedthreshold", kind: "boolean" },
  { name: "cpuallocateddisablethreshold", kind: "boolean" },
  { name: "memoryallocatedthreshold", kind: "boolean" },
  { name: "memoryallocateddisablethreshold", kind: "boolean" },
];

const resources: Resource[] = [
  figures("infrastructure", "zonemetrics", "listZonesMetrics", "zone", [
    { name: "clusters" },
    ...CPU,
    ...MEMORY,
    ...THRESHOLDS,
  ]),
  figures("infrastructure", "clustermetrics", "listClustersMetrics", "cluster", [
    { name: "hosts" },
    ...CPU,
    ...MEMORY,
    ...THRESHOLDS,
  ]),
  figures("infrastructure", "hostmetrics", "listHostsMetrics", "host", [
    { name: "instances" },
    { name: "cputotalghz" },
    { name: "cpuallocatedghz" },
    { name: "cpuusedghz" },
    { name: "memorytotalgb" },
    { name: "memoryallocatedgb" },
    { name: "memoryusedgb" },
    ...THRESHOLDS,
  ]),
  figures("infrastructure", "storagepoolmetrics", "listStoragePoolsMetrics", "storagepool", [
    { name: "disksizetotalgb" },
    { name: "disksizeusedgb" },
    { name: "disksizeallocatedgb" },
    { name: "disksizeunallocatedgb" },
    { name: "storageallocateddisablethreshold", kind: "boolean" },
  ]),
  figures("infrastructure", "managementservermetrics", "listManagementServersMetrics", "managementserver", [
    { name: "cpuload" },
    { name: "availableprocessors", kind: "number" },
    { name: "heapmemoryused", kind: "bytes" },
    { name: "systemmemoryused" },
    { name: "systemmemorytotal" },
    { name: "sessions", kind: "number" },
    { name: "agentcount", kind: "number" },
    { name: "threadstotalcount", kind: "number" },
    { name: "lastserverstart", kind: "date" },
    { name: "osdistribution", hidden: true },
    { name: "kernelversion", hidden: true },
    { name: "lastboottime", kind: "date", hidden: true },
  ]),
];
export default resources;
