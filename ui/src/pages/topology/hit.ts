// What is at a point of the picture.

import {
  HOST_HEIGHT,
  HOST_WIDTH,
  RACK,
  type Box,
  type PodBox,
  type RackBox,
  type Scene,
  type StorageBox,
  type ZoneBox,
} from "./layout";

export type Hit =
  | { kind: "host"; id: string; number: number }
  | { kind: "rack"; id: string; box: RackBox }
  | { kind: "pod"; id: string; box: PodBox }
  | { kind: "zone"; id: string; box: ZoneBox }
  | { kind: "storage"; id: string; box: StorageBox };

export function contains(box: Box, x: number, y: number): boolean {
  return x >= box.x && y >= box.y && x < box.x + box.w && y < box.y + box.h;
}

/** The smallest thing at that point; null between zones. */
export function hitAt(scene: Scene, x: number, y: number): Hit | null {
  const zone = scene.zones.find((each) => contains(each, x, y));
  if (zone === undefined) {
    return null;
  }
  const pod = zone.pods.find((each) => contains(each, x, y));
  if (pod === undefined) {
    return storageHit(zone.storage, x, y) ?? { kind: "zone", id: zone.row.id, box: zone };
  }
  const rack = pod.racks.find((each) => contains(each, x, y));
  if (rack === undefined) {
    return { kind: "pod", id: pod.row.id, box: pod };
  }
  const number = hostIn(scene, rack, x, y);
  if (number !== null) {
    return { kind: "host", id: scene.hosts[number]!.id, number };
  }
  return storageHit(rack.storage, x, y) ?? { kind: "rack", id: rack.row.id, box: rack };
}

function storageHit(boxes: StorageBox[], x: number, y: number): Hit | null {
  const found = boxes.find((each) => contains(each, x, y));
  return found === undefined ? null : { kind: "storage", id: found.row.id, box: found };
}

function hostIn(scene: Scene, rack: RackBox, x: number, y: number): number | null {
  if (rack.count === 0) {
    return null;
  }
  const top = scene.y[rack.first]!;
  const step = rack.count > 1 && rack.rows > 1 ? scene.y[rack.first + 1]! - top : HOST_HEIGHT;
  const column = Math.floor((x - rack.x - RACK.gutter) / (HOST_WIDTH + RACK.gutter));
  const row = Math.floor((y - top) / step);
  const index = column * rack.rows + row;
  if (column < 0 || row < 0 || row >= rack.rows || index >= rack.count) {
    return null;
  }
  const number = rack.first + index;
  return contains(scene.hostBox(number), x, y) ? number : null;
}
