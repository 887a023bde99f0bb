// Where everything is in the picture: racks are columns of hosts, pods rows of racks, zones hold pods.
//
// Units are of the picture's own; a host is HOST_WIDTH by HOST_HEIGHT everywhere. Every box has a switch at its upper
// left, to which the links of what is in it lead.

import type { ClusterRow, Datacenter, HostRow, PodRow, StorageRow, ZoneRow } from "./datacenter";

export const HOST_WIDTH = 46;
export const HOST_HEIGHT = 10;
export const HOST_GAP = 2;
const STORAGE_HEIGHT = 12;
const MOST_ROWS = 42;
/** How many times as wide as high things are where nothing else is asked for. */
const SHAPE = 1.6;
const ZONE_SHAPES = [0.6, 1, 1.4, 1.8, 2.4, 3.4];
/** A zone's header, as a part of the height of all, and a pod's, of its own. */
const ZONE_HEADER = 0.026;
const POD_HEADER = 0.05;

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** A box with a switch; `gap` is the height at which its link leaves it, to its parent's left border. */
export interface Wired extends Box {
  /** The height of the part with its name. */
  header: number;
  switchX: number;
  switchY: number;
  gap: number;
}

export interface StorageBox extends Wired {
  kind: "storage";
  row: StorageRow;
  secondary: boolean;
  parent: RackBox | ZoneBox;
}

export interface RackBox extends Wired {
  kind: "rack";
  row: ClusterRow;
  parent: PodBox;
  /** Its hosts are those from `first` on, of which `rows` stand in a column. */
  first: number;
  count: number;
  rows: number;
  storage: StorageBox[];
}

export interface PodBox extends Wired {
  kind: "pod";
  row: PodRow;
  parent: ZoneBox;
  racks: RackBox[];
}

export interface ZoneBox extends Wired {
  kind: "zone";
  row: ZoneRow;
  pods: PodBox[];
  storage: StorageBox[];
}

interface Margins {
  header: number;
  gutter: number;
  gap: number;
}

export const RACK: Margins = { header: 14, gutter: 8, gap: 6 };
export const POD: Margins = { header: 26, gutter: 12, gap: 12 };
export const ZONE: Margins = { header: 56, gutter: 22, gap: 22 };
export const REGION: Margins = { header: 70, gutter: 36, gap: 48 };
const ALONE: Margins = { header: 8, gutter: 8, gap: 8 };

export class Scene {
  zones: ZoneBox[] = [];
  pods: PodBox[] = [];
  racks: RackBox[] = [];
  storage: StorageBox[] = [];
  hosts: HostRow[] = [];
  x = new Float32Array(0);
  y = new Float32Array(0);
  rackOf = new Int32Array(0);
  /** A host's number by its id. */
  numbers = new Map<string, number>();
  /** Zones, pods, racks and storage by id. */
  boxes = new Map<string, ZoneBox | PodBox | RackBox | StorageBox>();
  width = 0;
  height = 0;

  hostBox(number: number): Box {
    return { x: this.x[number]!, y: this.y[number]!, w: HOST_WIDTH, h: HOST_HEIGHT };
  }

  /** The box of a host, rack, pod, zone or storage of that id. */
  boxOf(id: string): Box | undefined {
    const number = this.numbers.get(id);
    return number === undefined ? this.boxes.get(id) : this.hostBox(number);
  }

  everything(): Box {
    return { x: 0, y: 0, w: this.width, h: this.height };
  }
}

/** Lay the datacenter out, for a view that is `shape` times as wide as high. */
export function layOut(datacenter: Datacenter, shape = SHAPE): Scene {
  const scene = new Scene();
  const total = datacenter.hosts.size;
  scene.x = new Float32Array(total);
  scene.y = new Float32Array(total);
  scene.rackOf = new Int32Array(total);
  scene.zones = datacenter.zones.map((row) => zoneOf(row, scene));
  const size = arrange(scene.zones, shape);
  scene.width = Math.max(size.w, 1);
  scene.height = Math.max(size.h, 1);
  for (const zone of scene.zones) {
    settleZone(zone, scene);
  }
  return scene;
}

/** Put zones next to each other, in the shape of their own that makes all of it largest in a view of that shape. */
function arrange(zones: ZoneBox[], shape: number): { w: number; h: number } {
  const margins = zones.length > 1 ? REGION : ALONE;
  let best = { w: Infinity, h: Infinity, needed: Infinity, shape };
  for (const each of [shape, ...ZONE_SHAPES]) {
    zones.forEach((zone) => arrangeZone(zone, each, ZONE.header));
    const { w, h } = pack(zones, margins, { shape });
    const needed = Math.max(w / shape, h);
    if (needed < best.needed) {
      best = { w, h, needed, shape: each };
    }
  }
  // names are to be read when all of it is seen
  zones.forEach((zone) => arrangeZone(zone, best.shape, Math.max(ZONE.header, ZONE_HEADER * best.needed)));
  return pack(zones, margins, { shape });
}

function bare(): Wired {
  return { x: 0, y: 0, w: 0, h: 0, header: 0, switchX: 0, switchY: 0, gap: 0 };
}

function zoneOf(row: ZoneRow, scene: Scene): ZoneBox {
  const zone: ZoneBox = { ...bare(), kind: "zone", row, pods: [], storage: [] };
  zone.pods = row.pod.map((pod) => podOf(pod, zone, scene));
  zone.storage = [
    ...row.storagepool.map((each) => storageOf(each, false, zone)),
    ...row.imagestore.map((each) => storageOf(each, true, zone)),
  ];
  for (const each of zone.storage) {
    each.w = 2 * HOST_WIDTH;
    each.h = 2 * STORAGE_HEIGHT;
  }
  return zone;
}

function arrangeZone(zone: ZoneBox, shape: number, header: number): void {
  zone.header = header;
  const pods = pack(zone.pods, { ...ZONE, header: zone.header }, { shape });
  const shelf = pack(zone.storage, { ...ZONE, header: 0 }, { width: Math.max(pods.w, 320) });
  for (const each of zone.storage) {
    each.y += pods.h;
    each.gap += pods.h;
  }
  zone.w = Math.max(pods.w, shelf.w);
  zone.h = pods.h + (zone.storage.length > 0 ? shelf.h : 0);
}

function podOf(row: PodRow, parent: ZoneBox, scene: Scene): PodBox {
  const pod: PodBox = { ...bare(), kind: "pod", row, parent, racks: [] };
  pod.racks = row.cluster.map((cluster) => rackOf(cluster, pod, scene));
  pod.header = Math.max(POD.header, POD_HEADER * pack(pod.racks, POD).h);
  const size = pack(pod.racks, { ...POD, header: pod.header });
  pod.w = size.w;
  pod.h = size.h;
  return pod;
}

function rackOf(row: ClusterRow, parent: PodBox, scene: Scene): RackBox {
  const count = row.host.length;
  const columns = Math.max(1, Math.ceil(count / MOST_ROWS));
  const rows = Math.max(1, Math.ceil(count / columns));
  const rack: RackBox = {
    ...bare(),
    header: RACK.header,
    kind: "rack",
    row,
    parent,
    first: scene.hosts.length,
    count,
    rows,
    storage: [],
  };
  rack.w = RACK.gutter + columns * (HOST_WIDTH + RACK.gutter) - RACK.gutter + RACK.gap;
  rack.storage = row.storagepool.map((each) => storageOf(each, false, rack));
  const cells = rows * (HOST_HEIGHT + HOST_GAP);
  rack.h = RACK.header + cells + rack.storage.length * (STORAGE_HEIGHT + HOST_GAP) + RACK.gap - HOST_GAP;
  rack.storage.forEach((each, index) => {
    each.w = HOST_WIDTH;
    each.h = STORAGE_HEIGHT;
    each.x = RACK.gutter;
    each.y = RACK.header + cells + index * (STORAGE_HEIGHT + HOST_GAP);
  });
  for (const host of row.host) {
    scene.numbers.set(host.id, scene.hosts.length);
    scene.hosts.push(host);
  }
  return rack;
}

function storageOf(row: StorageRow, secondary: boolean, parent: RackBox | ZoneBox): StorageBox {
  return { ...bare(), kind: "storage", row, secondary, parent };
}

/**
 * Put the boxes into rows, in their order, so that they are as large as can be in a view of that shape (or are not wider
 * than `width`). Places are relative to the parent's corner; returns the parent's size.
 */
function pack(
  boxes: Wired[],
  margins: Margins,
  { shape = SHAPE, width }: { shape?: number; width?: number } = {},
): { w: number; h: number } {
  const { header, gutter, gap } = margins;
  let best = { w: 3 * gutter + gap, h: header + gap };
  if (boxes.length === 0) {
    return best;
  }
  let bestColumns = 1;
  let bestMiss = Infinity;
  for (let columns = 1; columns <= boxes.length; columns++) {
    const size = sizeOf(boxes, columns, margins);
    if (width !== undefined && size.w > width && columns > 1) {
      break;
    }
    const miss = width === undefined ? Math.max(size.w / shape, size.h) : -columns;
    if (miss < bestMiss) {
      [best, bestColumns, bestMiss] = [size, columns, miss];
    }
  }
  let y = header;
  for (let start = 0; start < boxes.length; start += bestColumns) {
    const row = boxes.slice(start, start + bestColumns);
    let x = gutter;
    for (const box of row) {
      box.x = x;
      box.y = y;
      box.gap = y - gap / 2;
      x += box.w + gap;
    }
    y += Math.max(...row.map((box) => box.h)) + gap;
  }
  return best;
}

function sizeOf(boxes: Wired[], columns: number, { header, gutter, gap }: Margins): { w: number; h: number } {
  let w = 0;
  let h = header;
  for (let start = 0; start < boxes.length; start += columns) {
    let across = gutter;
    let highest = 0;
    for (const box of boxes.slice(start, start + columns)) {
      across += box.w + gap;
      highest = Math.max(highest, box.h);
    }
    w = Math.max(w, across);
    h += highest + gap;
  }
  return { w, h };
}

// from places relative to the parent's corner to places in the picture

function settleZone(zone: ZoneBox, scene: Scene): void {
  scene.boxes.set(zone.row.id, zone);
  zone.switchX = zone.x + ZONE.gutter / 2;
  zone.switchY = zone.y + zone.header / 2;
  for (const pod of zone.pods) {
    move(pod, zone, POD.gutter);
    scene.pods.push(pod);
    scene.boxes.set(pod.row.id, pod);
    for (const rack of pod.racks) {
      move(rack, pod, RACK.gutter);
      settleRack(rack, scene);
    }
  }
  for (const each of zone.storage) {
    each.header = each.h;
    move(each, zone, RACK.gutter);
    scene.storage.push(each);
    scene.boxes.set(each.row.id, each);
  }
}

function settleRack(rack: RackBox, scene: Scene): void {
  const number = scene.racks.length;
  scene.racks.push(rack);
  scene.boxes.set(rack.row.id, rack);
  for (let index = 0; index < rack.count; index++) {
    const column = Math.floor(index / rack.rows);
    const host = rack.first + index;
    scene.x[host] = rack.x + RACK.gutter + column * (HOST_WIDTH + RACK.gutter);
    scene.y[host] = rack.y + RACK.header + (index % rack.rows) * (HOST_HEIGHT + HOST_GAP);
    scene.rackOf[host] = number;
  }
  for (const each of rack.storage) {
    each.x += rack.x;
    each.y += rack.y;
    each.switchX = each.x;
    each.switchY = each.gap = each.y + each.h / 2;
    scene.storage.push(each);
    scene.boxes.set(each.row.id, each);
  }
}

function move(box: Wired, parent: Box, gutter: number): void {
  box.x += parent.x;
  box.y += parent.y;
  box.gap += parent.y;
  box.switchX = box.x + gutter / 2;
  box.switchY = box.y + box.header / 2;
}
