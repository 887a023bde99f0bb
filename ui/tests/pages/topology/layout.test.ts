// Everything has its place in the picture, and no two things the same one.

import { describe, expect, it } from "vitest";
import { contains } from "@/pages/topology/hit";
import { layOut, type Box, type Scene } from "@/pages/topology/layout";
import { wayOf } from "@/pages/topology/paintLinks";
import { datacenterOf } from "./datacenters";

const SHAPES: [string, number, number, number[]][] = [
  ["one host", 1, 1, [1]],
  ["racks of unlike sizes", 2, 3, [4, 40, 1, 0, 7]],
  ["a cluster of more hosts than a rack holds", 1, 2, [130]],
  ["many zones", 7, 1, [3, 3]],
  ["a zone without pods", 1, 0, []],
];

function inside(inner: Box, outer: Box): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.w <= outer.x + outer.w + 1e-3 &&
    inner.y + inner.h <= outer.y + outer.h + 1e-3
  );
}

function apart(boxes: Box[]): boolean {
  return boxes.every((one, index) =>
    boxes
      .slice(index + 1)
      .every(
        (other) =>
          one.x + one.w <= other.x + 1e-3 ||
          other.x + other.w <= one.x + 1e-3 ||
          one.y + one.h <= other.y + 1e-3 ||
          other.y + other.h <= one.y + 1e-3,
      ),
  );
}

function hostsOf(scene: Scene, rack: Scene["racks"][number]): Box[] {
  return Array.from({ length: rack.count }, (_, index) => scene.hostBox(rack.first + index));
}

describe.each(SHAPES)("the layout of %s", (_, zones, pods, racks) => {
  const datacenter = datacenterOf(zones, pods, racks);
  const scene = layOut(datacenter);

  it("has a place for every host", () => {
    expect(scene.hosts.length).toBe(datacenter.hosts.size);
    expect(new Set(scene.hosts.map((host) => host.id)).size).toBe(
      zones * pods * racks.reduce((a, b) => a + b, 0),
    );
    for (const [id, number] of scene.numbers) {
      expect(scene.hosts[number]!.id).toBe(id);
    }
  });

  it("keeps things apart, and each within what it belongs to", () => {
    expect(apart(scene.zones)).toBe(true);
    for (const zone of scene.zones) {
      expect(inside(zone, scene.everything())).toBe(true);
      expect(apart([...zone.pods, ...zone.storage])).toBe(true);
      expect([...zone.pods, ...zone.storage].every((each) => inside(each, zone))).toBe(true);
      for (const pod of zone.pods) {
        expect(apart(pod.racks)).toBe(true);
        expect(pod.racks.every((rack) => inside(rack, pod))).toBe(true);
        for (const rack of pod.racks) {
          const standing = [...hostsOf(scene, rack), ...rack.storage];
          expect(apart(standing)).toBe(true);
          expect(standing.every((each) => inside(each, rack))).toBe(true);
        }
      }
    }
  });

  it("leads every link from a thing to the switch above it", () => {
    for (const host of scene.hosts) {
      const rack = scene.racks[scene.rackOf[scene.numbers.get(host.id)!]!]!;
      expect(wayOf(scene, host.id)!.at(-1)).toEqual([rack.switchX, rack.switchY]);
    }
    for (const box of [...scene.racks, ...scene.pods, ...scene.storage]) {
      const way = wayOf(scene, box.row.id)!;
      expect(way.at(-1)).toEqual([box.parent.switchX, box.parent.switchY]);
      expect(contains({ ...box, w: box.w + 1, h: box.h + 1 }, ...way[0]!)).toBe(true);
    }
  });
});

describe("the layout of ten thousand hosts", () => {
  const datacenter = datacenterOf(
    5,
    5,
    Array.from({ length: 10 }, () => 40),
  );

  it.each([0.5, 1, 1.6, 2.4])("uses a view that is %d times as wide as high", (shape) => {
    const scene = layOut(datacenter, shape);
    expect(scene.hosts.length).toBe(10_000);
    const share = scene.width / scene.height / shape;
    expect(Math.min(share, 1 / share)).toBeGreaterThan(0.5);
  });
});
