// Zoom and flights keep what they should in place.

import { describe, expect, it } from "vitest";
import { Camera } from "@/pages/topology/camera";

function camera(still = false): Camera {
  const made = new Camera(() => still);
  made.resize(800, 600);
  made.limit({ x: 0, y: 0, w: 4000, h: 3000 });
  made.show({ x: 0, y: 0, w: 4000, h: 3000 });
  return made;
}

describe("the camera", () => {
  it("zooms around the pointer", () => {
    const made = camera();
    const [x, y] = [made.toPictureX(500), made.toPictureY(200)];
    made.zoom(3, 500, 200);
    expect(made.toScreenX(x)).toBeCloseTo(500);
    expect(made.toScreenY(y)).toBeCloseTo(200);
  });

  it("neither zooms out nor in without end, and does not leave the picture", () => {
    const made = camera();
    made.zoom(1e-9);
    expect(made.scale).toBe(made.least);
    made.zoom(1e9);
    expect(made.scale).toBe(made.most);
    made.pan(1e9, -1e9);
    expect([made.x, made.y]).toEqual([0, 3000]);
  });

  it("flies to a box and is there at the end", () => {
    const made = camera();
    made.show({ x: 3000, y: 2000, w: 40, h: 10 }, 0.5, 1000);
    expect(made.fly(1200)).toBe(true);
    expect(made.scale).toBeGreaterThan(0.2);
    made.fly(2000);
    expect(made.fly(2001)).toBe(false);
    expect(made.x).toBeCloseTo(3020);
    expect(made.toScreenX(3040) - made.toScreenX(3000)).toBeCloseTo(400);
  });

  it("gets to the box also when the view becomes smaller on the way", () => {
    const made = camera();
    made.show({ x: 3000, y: 2000, w: 40, h: 10 }, 0.5, 1000);
    made.fly(1100);
    made.resize(400, 600);
    made.fly(2000);
    expect(made.toScreenX(3040) - made.toScreenX(3000)).toBeCloseTo(200);
  });

  it("shows a box above what lies over the view", () => {
    const made = camera();
    made.covered = 200;
    made.show({ x: 1000, y: 1000, w: 100, h: 100 }, 1);
    expect(made.toScreenY(1000)).toBeCloseTo(0);
    expect(made.toScreenY(1100)).toBeCloseTo(400);
  });

  it("is there at once for those who want no motion", () => {
    const made = camera(true);
    made.show({ x: 3000, y: 2000, w: 40, h: 10 }, 0.5, 1000);
    expect(made.x).toBe(3020);
    expect(made.fly(1001)).toBe(false);
  });
});
