// What the panel says of what is chosen, a name of the messages and a value each.

import type { Row } from "@/api/client";
import { t } from "@/messages";
import { bytes } from "@/resources/values/kinds";
import type { Datacenter, HostRow } from "./datacenter";
import type { Target } from "./view";

export interface Fact {
  name: string;
  text?: string;
  states?: string[];
  /** 0 to 1, as a bar. */
  share?: number;
  /** The id of what it names, to go there. */
  goesTo?: string;
}

const MIB = 1 << 20;

export function factsOf(target: Target, datacenter: Datacenter, row: Row | null): Fact[] {
  switch (target.kind) {
    case "host":
      return hostFacts(datacenter, datacenter.hosts.get(target.id));
    case "instance":
      return instanceFacts(datacenter, target, row);
    case "storage":
      return [
        ...(target.box.row.state ? [{ name: "state", states: [target.box.row.state] }] : []),
        ...linkFacts(datacenter, target.id, target.box.row.bandwidth),
        { name: "place", text: target.box.parent.row.name, goesTo: target.box.parent.row.id },
      ];
    default: {
      const pods = target.kind === "zone" ? target.box.pods : target.kind === "pod" ? [target.box] : [];
      const racks = target.kind === "rack" ? [target.box] : pods.flatMap((pod) => pod.racks);
      const parent = target.kind === "zone" ? undefined : target.box.parent.row;
      return [
        { name: "allocationState", states: [target.box.row.allocationstate] },
        ...fillFacts(racks.flatMap((rack) => rack.row.host)),
        ...linkFacts(datacenter, target.id, target.box.row.bandwidth),
        ...(parent ? [{ name: "place", text: parent.name, goesTo: parent.id }] : []),
      ];
    }
  }
}

function hostFacts(datacenter: Datacenter, host: HostRow | undefined): Fact[] {
  if (host === undefined) {
    return [];
  }
  const standing = datacenter.standings.get(host.id)!;
  return [
    { name: "state", states: [host.state] },
    { name: "resourceState", states: [host.resourcestate] },
    ...fillFacts([host]),
    ...(host.hosttags ? [{ name: "tags", text: host.hosttags.split(",").join(", ") }] : []),
    ...linkFacts(datacenter, host.id, host.bandwidth),
    { name: "rack", text: standing.cluster.name, goesTo: standing.cluster.id },
    { name: "pod", text: standing.pod.name, goesTo: standing.pod.id },
    { name: "zone", text: standing.zone.name, goesTo: standing.zone.id },
  ];
}

function instanceFacts(
  datacenter: Datacenter,
  target: Target & { kind: "instance" },
  row: Row | null,
): Fact[] {
  const hostId = String(row?.hostid ?? target.instance.hostid);
  const host = datacenter.hosts.get(hostId);
  const facts: Fact[] = [{ name: "state", states: [String(row?.state ?? target.instance.state)] }];
  if (typeof row?.cpunumber === "number") {
    facts.push({
      name: "cpu",
      text: t("topology.cores", { n: row.cpunumber, mhz: Number(row.cpuspeed ?? 0) }),
    });
  }
  if (typeof row?.memory === "number") {
    facts.push({ name: "memory", text: bytes(row.memory * MIB) });
  }
  if (host !== undefined) {
    facts.push({ name: "onHost", text: host.name, goesTo: host.id });
  }
  return facts;
}

function fillFacts(hosts: HostRow[]): Fact[] {
  let [cpu, cpuUsed, memory, memoryUsed, instances] = [0, 0, 0, 0, 0];
  for (const host of hosts) {
    cpu += host.cpu;
    cpuUsed += host.cpuused;
    memory += host.memory;
    memoryUsed += host.memoryused;
    instances += host.instances;
  }
  const gigahertz = (mhz: number) => `${Number((mhz / 1000).toFixed(1)).toLocaleString()} GHz`;
  return [
    {
      name: "cpu",
      text: t("topology.ofSize", { used: gigahertz(cpuUsed), total: gigahertz(cpu) }),
      share: cpu > 0 ? cpuUsed / cpu : 0,
    },
    {
      name: "memory",
      text: t("topology.ofSize", { used: bytes(memoryUsed * MIB), total: bytes(memory * MIB) }),
      share: memory > 0 ? memoryUsed / memory : 0,
    },
    ...(hosts.length > 1 ? [{ name: "hostCount", text: hosts.length.toLocaleString() }] : []),
    { name: "instanceCount", text: instances.toLocaleString() },
  ];
}

function linkFacts(datacenter: Datacenter, id: string, bandwidth: number | undefined): Fact[] {
  if (bandwidth === undefined) {
    return [];
  }
  const rate = bandwidth >= 1000 ? `${bandwidth / 1000} Gbit/s` : `${bandwidth} Mbit/s`;
  const link = datacenter.links.get(id);
  if (link === undefined) {
    return [{ name: "link", text: t("topology.linkIdle", { rate }) }];
  }
  if (link.cut) {
    return [{ name: "link", text: t("topology.linkCut", { rate }) }];
  }
  const percent = (share: number) => Math.round(100 * share);
  return [
    {
      name: "link",
      text: t("topology.linkBusy", { rate, up: percent(link.up), down: percent(link.down) }),
      share: Math.max(link.up, link.down),
    },
  ];
}
