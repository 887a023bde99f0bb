// The instances on hosts that are seen from near, fetched a rack at a time, and where they stand in their host's cell.

import { list } from "@/api/client";
import { useApis } from "@/api/apis";
import type { Box, RackBox } from "./layout";

export interface Instance {
  id: string;
  name: string;
  state: string;
  hostid: string;
  kind: "user" | "system" | "router";
}

interface Source {
  command: string;
  key: string;
  kind: Instance["kind"];
  parameters: Record<string, string>;
}

const PAGE = 500;
const KEEP = 60;

/**
 * Which list commands tell the instances of a rack or host, those of users and the cloud's own. System VMs are listed
 * by pod or host.
 */
function sources(where: Record<string, string>, systemVms: Record<string, string>): Source[] {
  const all = { ...where, listall: "true", projectid: "-1" };
  const found: Source[] = [
    {
      command: "listVirtualMachines",
      key: "virtualmachine",
      kind: "user",
      parameters: { ...all, details: "min" },
    },
    { command: "listRouters", key: "router", kind: "router", parameters: all },
    {
      command: "listInternalLoadBalancerVMs",
      key: "internalloadbalancervm",
      kind: "router",
      parameters: all,
    },
    { command: "listSystemVms", key: "systemvm", kind: "system", parameters: systemVms },
  ];
  const apis = useApis();
  return found.filter((each) => apis.can(each.command));
}

/** The instances on one host, by name. */
export async function instancesOn(hostId: string): Promise<Instance[]> {
  const where = { hostid: hostId };
  return (await Promise.all(sources(where, where).map(all))).flat().sort(byName);
}

function byName(one: Instance, other: Instance): number {
  return one.name.localeCompare(other.name, undefined, { numeric: true });
}

export class Instances {
  private byHost = new Map<string, Instance[]>();
  /** Racks of which the instances are known, the one that was asked for last at the end. */
  private known = new Map<string, RackBox>();
  private stale = new Set<string>();
  private asking = new Set<string>();

  /** `changed` is called when there is something new. */
  constructor(private readonly changed: () => void) {}

  of(hostId: string): Instance[] | undefined {
    return this.byHost.get(hostId);
  }

  find(id: string): Instance | undefined {
    for (const each of this.byHost.values()) {
      const found = each.find((instance) => instance.id === id);
      if (found !== undefined) {
        return found;
      }
    }
    return undefined;
  }

  /** These racks are seen from near: fetch what is not known of them. */
  want(racks: RackBox[]): void {
    for (const rack of racks) {
      const id = rack.row.id;
      if (this.asking.has(id) || this.asking.size >= 3) {
        continue;
      }
      if (!this.known.has(id) || this.stale.has(id)) {
        void this.fetch(rack);
      }
    }
  }

  /** Something changed on a host of that rack: what is known of it is shown until it has been fetched again. */
  touch(rackId: string): void {
    this.stale.add(rackId);
  }

  private async fetch(rack: RackBox): Promise<void> {
    const id = rack.row.id;
    this.asking.add(id);
    this.stale.delete(id);
    try {
      const asked = sources({ clusterid: id }, { podid: rack.parent.row.id });
      const rows = (await Promise.all(asked.map(all))).flat();
      const found = new Map<string, Instance[]>(rack.row.host.map((host) => [host.id, []]));
      for (const row of rows) {
        found.get(row.hostid)?.push(row);
      }
      for (const [host, instances] of found) {
        instances.sort(byName);
        this.byHost.set(host, instances);
      }
      this.known.delete(id);
      this.known.set(id, rack);
      this.forgetOldest();
    } catch {
      this.stale.add(id); // the next look asks again
      await new Promise((resolve) => setTimeout(resolve, 2000));
    } finally {
      this.asking.delete(id);
      this.changed();
    }
  }

  private forgetOldest(): void {
    for (const [id, rack] of this.known) {
      if (this.known.size <= KEEP) {
        return;
      }
      this.known.delete(id);
      for (const host of rack.row.host) {
        this.byHost.delete(host.id);
      }
    }
  }
}

async function all(source: Source): Promise<Instance[]> {
  const found: Instance[] = [];
  for (let page = 1; ; page++) {
    const { rows, count } = await list<Omit<Instance, "kind">>(source.command, source.key, {
      ...source.parameters,
      page,
      pagesize: PAGE,
    });
    for (const { id, name, state, hostid } of rows) {
      if (hostid) {
        found.push({ id, name, state, hostid, kind: source.kind });
      }
    }
    if (rows.length === 0 || page * PAGE >= count) {
      return found;
    }
  }
}

/** What part of a host's cell is for its name and numbers. */
export const HEAD = 0.26;

/** Where the `index`th of `count` instances stands in the cell `host`, in the cell's units. */
export function instanceBox(host: Box, index: number, count: number): Box {
  const inner = { x: host.x + host.w * 0.012, w: host.w * 0.976 };
  const top = host.y + host.h * HEAD;
  const room = host.h * (1 - HEAD - 0.05);
  const columns = columnsFor(count, inner.w / room);
  const rows = Math.max(1, Math.ceil(count / columns));
  const gap = room * 0.03;
  const w = (inner.w - gap * (columns - 1)) / columns;
  const h = Math.min((room - gap * (rows - 1)) / rows, room / 2);
  return {
    x: inner.x + (index % columns) * (w + gap),
    y: top + Math.floor(index / columns) * (h + gap),
    w,
    h,
  };
}

/** So many columns that a box is about three times as wide as high. */
function columnsFor(count: number, shape: number): number {
  return Math.max(2, Math.min(count, Math.ceil(Math.sqrt((count * shape) / 3))));
}
