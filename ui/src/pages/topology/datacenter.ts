// The datacenter as listTopology tells it, kept up to date by what has changed since.

/** CPU in MHz, memory in MiB, over-commit counted; bandwidth in Mbit/s each way to what is above it. */
export interface HostRow {
  id: string;
  name: string;
  state: string;
  resourcestate: string;
  cpu: number;
  cpuused: number;
  memory: number;
  memoryused: number;
  instances: number;
  hosttags?: string;
  bandwidth?: number;
}

/** Primary or secondary storage; sizes in bytes. */
export interface StorageRow {
  id: string;
  name: string;
  state?: string;
  disksizetotal: number;
  disksizeallocated: number;
  bandwidth?: number;
}

export interface ClusterRow {
  id: string;
  name: string;
  hypervisortype: string;
  allocationstate: string;
  bandwidth?: number;
  host: HostRow[];
  storagepool: StorageRow[];
}

export interface PodRow {
  id: string;
  name: string;
  allocationstate: string;
  bandwidth?: number;
  cluster: ClusterRow[];
}

export interface ZoneRow {
  id: string;
  name: string;
  networktype: string;
  allocationstate: string;
  bandwidth?: number;
  pod: PodRow[];
  storagepool: StorageRow[];
  imagestore: StorageRow[];
}

/** A link that is busy or cut; `up` and `down` are shares of its bandwidth. */
export interface LinkRow {
  lower: string;
  upper?: string;
  bandwidth: number;
  up: number;
  down: number;
  cut: boolean;
}

export interface TopologyAnswer {
  version: string;
  complete: boolean;
  regionname?: string;
  zone?: ZoneRow[];
  host?: HostRow[];
  link?: LinkRow[];
}

/** What a host's states come to. */
export type Status = "ok" | "disabled" | "maintenance" | "coming" | "failed";
export const STATUSES: readonly Status[] = ["ok", "disabled", "maintenance", "coming", "failed"];

export type Measure = "cpu" | "memory" | "instances";
export const MEASURES: readonly Measure[] = ["cpu", "memory", "instances"];

const FAILED = new Set(["Down", "Alert", "Disconnected"]);

export function statusOf(host: HostRow): Status {
  if (
    FAILED.has(host.state) ||
    host.resourcestate === "ErrorInMaintenance" ||
    host.resourcestate === "Degraded"
  ) {
    return "failed";
  }
  if (host.resourcestate === "Maintenance" || host.resourcestate === "PrepareForMaintenance") {
    return "maintenance";
  }
  if (host.state !== "Up") {
    return "coming";
  }
  return host.resourcestate === "Disabled" ? "disabled" : "ok";
}

/** How full a host is, 0 to 1; by instances, in relation to the host that has the most. */
export function fillOf(host: HostRow, measure: Measure, mostInstances: number): number {
  if (measure === "instances") {
    return mostInstances > 0 ? host.instances / mostInstances : 0;
  }
  const [used, all] = measure === "cpu" ? [host.cpuused, host.cpu] : [host.memoryused, host.memory];
  return all > 0 ? Math.min(1, used / all) : 0;
}

/** Where something is, from the zone down. */
export interface Standing {
  zone: ZoneRow;
  pod: PodRow;
  cluster: ClusterRow;
}

export interface Taken {
  /** Whether places came or went, so that all has to be laid out anew. */
  laidOutAnew: boolean;
  /** The hosts whose row is another than before. */
  changed: HostRow[];
  /** Those of them that have just failed. */
  failed: HostRow[];
}

/** All of it by id. Rows are replaced in place, so that whoever holds the arrays sees what is new. */
export class Datacenter {
  version = "";
  region = "";
  zones: ZoneRow[] = [];
  hosts = new Map<string, HostRow>();
  standings = new Map<string, Standing>();
  links = new Map<string, LinkRow>();
  mostInstances = 0;

  /** Take an answer in. */
  take(answer: TopologyAnswer): Taken {
    this.version = answer.version;
    this.links = new Map((answer.link ?? []).map((link) => [link.lower, link]));
    const taken = answer.complete ? this.takeAll(answer) : this.takeChanges(answer.host ?? []);
    if (taken.laidOutAnew || taken.changed.length > 0) {
      this.mostInstances = 0;
      for (const host of this.hosts.values()) {
        this.mostInstances = Math.max(this.mostInstances, host.instances);
      }
    }
    return taken;
  }

  private takeAll(answer: TopologyAnswer): Taken {
    const before = this.hosts;
    this.region = answer.regionname ?? "";
    this.zones = answer.zone ?? [];
    this.hosts = new Map();
    this.standings = new Map();
    const changed: HostRow[] = [];
    const failed: HostRow[] = [];
    for (const zone of this.zones) {
      for (const pod of zone.pod) {
        for (const cluster of pod.cluster) {
          for (const host of cluster.host) {
            this.hosts.set(host.id, host);
            this.standings.set(host.id, { zone, pod, cluster });
            changed.push(host);
            const old = before.get(host.id);
            if (old !== undefined && hasFailed(old, host)) {
              failed.push(host);
            }
          }
        }
      }
    }
    return { laidOutAnew: true, changed, failed };
  }

  private takeChanges(rows: HostRow[]): Taken {
    const changed: HostRow[] = [];
    const failed: HostRow[] = [];
    for (const row of rows) {
      const host = this.hosts.get(row.id);
      if (host === undefined) {
        continue;
      }
      if (hasFailed(host, row)) {
        failed.push(host);
      }
      delete host.hosttags;
      Object.assign(host, row);
      changed.push(host);
    }
    return { laidOutAnew: false, changed, failed };
  }
}

function hasFailed(before: HostRow, after: HostRow): boolean {
  return statusOf(before) !== "failed" && statusOf(after) === "failed";
}
