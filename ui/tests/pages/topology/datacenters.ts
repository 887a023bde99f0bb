// Datacenters for tests: as listTopology answers them.

import { Datacenter, type HostRow, type StorageRow, type TopologyAnswer } from "@/pages/topology/datacenter";

export function hostRow(id: string, more: Partial<HostRow> = {}): HostRow {
  return {
    id,
    name: `name of ${id}`,
    state: "Up",
    resourcestate: "Enabled",
    cpu: 1000,
    cpuused: 250,
    memory: 4096,
    memoryused: 2048,
    instances: 2,
    bandwidth: 10_000,
    ...more,
  };
}

function storage(id: string): StorageRow {
  return { id, name: id, state: "Up", disksizetotal: 100, disksizeallocated: 10, bandwidth: 40_000 };
}

/** Zones of pods of racks; `racks` are the numbers of hosts of a pod's racks. */
export function answerOf(zones: number, pods: number, racks: number[]): TopologyAnswer {
  const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  return {
    version: "1.1",
    complete: true,
    regionname: "Local",
    link: [],
    zone: range(zones).map((z) => ({
      id: `z${z}`,
      name: `zone ${z}`,
      networktype: "Advanced",
      allocationstate: "Enabled",
      bandwidth: 100_000,
      storagepool: [storage(`z${z}-pool`)],
      imagestore: [storage(`z${z}-store`)],
      pod: range(pods).map((p) => ({
        id: `z${z}p${p}`,
        name: `pod ${p}`,
        allocationstate: "Enabled",
        bandwidth: 100_000,
        cluster: racks.map((hosts, r) => ({
          id: `z${z}p${p}r${r}`,
          name: `rack ${r}`,
          hypervisortype: "Simulator",
          allocationstate: "Enabled",
          bandwidth: 40_000,
          host: range(hosts).map((h) => hostRow(`z${z}p${p}r${r}h${h}`)),
          storagepool: [storage(`z${z}p${p}r${r}-pool`)],
        })),
      })),
    })),
  };
}

export function datacenterOf(zones: number, pods: number, racks: number[]): Datacenter {
  const datacenter = new Datacenter();
  datacenter.take(answerOf(zones, pods, racks));
  return datacenter;
}
