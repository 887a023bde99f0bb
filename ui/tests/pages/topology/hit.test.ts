// What is at a point is what was drawn there.

import { describe, expect, it } from "vitest";
import { hitAt } from "@/pages/topology/hit";
import { instanceBox } from "@/pages/topology/instances";
import { HOST_HEIGHT, HOST_WIDTH, layOut, type Box } from "@/pages/topology/layout";
import { datacenterOf } from "./datacenters";

const scene = layOut(datacenterOf(2, 2, [4, 90, 0]));

function at(box: Box, across: number, down: number) {
  return hitAt(scene, box.x + box.w * across, box.y + box.h * down);
}

describe("what is at a point", () => {
  it("is the host whose cell it is in, in every corner of every cell", () => {
    for (let number = 0; number < scene.hosts.length; number++) {
      for (const across of [0.01, 0.5, 0.99]) {
        for (const down of [0.01, 0.99]) {
          expect(at(scene.hostBox(number), across, down)?.id).toBe(scene.hosts[number]!.id);
        }
      }
    }
  });

  it("is storage where storage is drawn", () => {
    for (const box of scene.storage) {
      expect(at(box, 0.5, 0.5)).toMatchObject({ kind: "storage", id: box.row.id });
    }
  });

  it("is the rack, pod or zone in their headers, and between hosts", () => {
    for (const box of [...scene.racks, ...scene.pods, ...scene.zones]) {
      expect(hitAt(scene, box.x + 1, box.y + 1)).toMatchObject({ kind: box.kind, id: box.row.id });
    }
    const rack = scene.racks[0]!;
    const gap = scene.y[rack.first]! + HOST_HEIGHT + 0.5;
    expect(hitAt(scene, scene.x[rack.first]! + HOST_WIDTH / 2, gap)).toMatchObject({ kind: "rack" });
  });

  it("is nothing outside of the zones", () => {
    expect(hitAt(scene, -1, -1)).toBeNull();
    expect(hitAt(scene, scene.width + 1, 5)).toBeNull();
    expect(hitAt(scene, 1, 1)).toBeNull();
  });
});

describe("the instances of a host", () => {
  it.each([1, 2, 3, 12, 57])("stand apart within its cell when there are %d", (count) => {
    const host = scene.hostBox(3);
    const boxes = Array.from({ length: count }, (_, index) => instanceBox(host, index, count));
    for (const [index, box] of boxes.entries()) {
      expect(box.x).toBeGreaterThanOrEqual(host.x);
      expect(box.y).toBeGreaterThanOrEqual(host.y);
      expect(box.x + box.w).toBeLessThanOrEqual(host.x + host.w);
      expect(box.y + box.h).toBeLessThanOrEqual(host.y + host.h);
      const next = boxes[index + 1];
      if (next !== undefined) {
        expect(next.x >= box.x + box.w || next.y >= box.y + box.h).toBe(true);
      }
    }
  });
});
