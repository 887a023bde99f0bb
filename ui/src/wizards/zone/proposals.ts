// What is proposed for a new zone, so that it differs from those that there are: names, ranges, storage.

import { list, type Row } from "@/api/client";
import { text } from "../frame/rows";
import type { ZoneKind, ZonePlan } from "./model";

/** Networks set aside for documentation (RFC 5737), good for public addresses that lead nowhere; then RFC 6598's. */
const PUBLIC = ["203.0.113", "198.51.100", "192.0.2", ...Array.from({ length: 60 }, (_, n) => `100.64.${n}`)];

export interface Surroundings {
  zones: Row[];
  pods: Row[];
  ranges: Row[];
  hypervisors: string[];
  clusters: Row[];
}

/** What there is already. */
export async function lookAround(): Promise<Surroundings> {
  const all = { page: 1, pagesize: 500 };
  const [zones, pods, ranges, clusters, hypervisors] = await Promise.all([
    list("listZones", "zone", all),
    list("listPods", "pod", all),
    list("listVlanIpRanges", "vlaniprange", all),
    list("listClusters", "cluster", { page: 1, pagesize: 1 }),
    list<{ name: string }>("listHypervisors", "hypervisor"),
  ]);
  return {
    zones: zones.rows,
    pods: pods.rows,
    ranges: ranges.rows,
    clusters: clusters.rows,
    hypervisors: hypervisors.rows.map((row) => row.name),
  };
}

/** The first of them that is not taken. */
function free(candidates: string[], taken: (candidate: string) => boolean): string {
  return candidates.find((candidate) => !taken(candidate)) ?? candidates[0]!;
}

/** Fill the plan in. */
export function propose(plan: ZonePlan, around: Surroundings): void {
  const numbers = Array.from({ length: around.zones.length + 1 }, (_, n) => `zone-${n + 1}`);
  plan.name = free(numbers, (name) => around.zones.some((zone) => zone.name === name));
  plan.hypervisor = text(around.clusters[0], "hypervisortype") || (around.hypervisors[0] ?? "");
  plan.dns1 = text(around.zones[0], "dns1") || "8.8.8.8";
  plan.internalDns1 = text(around.zones[0], "internaldns1") || "8.8.8.8";
  plan.guestCidr = "10.1.1.0/24";

  const net = free(PUBLIC, (prefix) =>
    around.ranges.some((row) => text(row, "startip").startsWith(`${prefix}.`)),
  );
  plan.publicRange = {
    gateway: `${net}.1`,
    netmask: "255.255.255.0",
    startIp: `${net}.10`,
    endIp: `${net}.250`,
    vlan: "50",
  };

  const pods = Array.from({ length: 16 }, (_, n) => `172.${16 + n}`);
  const pod = free(pods, (prefix) =>
    around.pods.some((row) => text(row, "gateway").startsWith(`${prefix}.`)),
  );
  plan.pod = {
    name: "pod-1",
    gateway: `${pod}.0.1`,
    netmask: "255.255.252.0",
    startIp: `${pod}.0.10`,
    endIp: `${pod}.3.250`,
  };
  plan.cluster.name = "cluster-1";
  proposeNetworks(plan);
  const path = `/${plan.name}`;
  const server = plan.hypervisor === "Simulator" ? "storage" : "";
  Object.assign(plan.primary, { name: `${plan.name}-primary`, server, path: `${path}/primary` });
  Object.assign(plan.secondary, { name: `${plan.name}-secondary`, server, path: `${path}/secondary` });
}

/** The physical network that fits the kind of zone. */
export function proposeNetworks(plan: ZonePlan): void {
  plan.physical = [
    {
      name: `${plan.name}-network`,
      isolation: plan.kind === "basic" ? "L3" : "VLAN",
      traffic: plan.withPublic
        ? ["Guest", "Management", "Public", "Storage"]
        : ["Guest", "Management", "Storage"],
      labels: {},
      vlans: plan.kind === "basic" ? "" : "100-999",
    },
  ];
}

/** The service providers that a kind of zone needs enabled on its physical networks. */
export function providersOf(kind: ZoneKind): string[] {
  return {
    advanced: ["VirtualRouter", "VpcVirtualRouter", "InternalLbVm", "ConfigDrive"],
    securityGroups: ["VirtualRouter", "ConfigDrive", "SecurityGroupProvider"],
    basic: ["VirtualRouter", "ConfigDrive", "SecurityGroupProvider"],
  }[kind];
}
