// Draws the network: from every host up to its rack's switch, from there to the pod's, the zone's and the region's.
//
// Idle links are thin lines, seen from near; busy ones are thick, coloured by their load, and move.

import type { LinkRow } from "./datacenter";
import { HOST_HEIGHT, RACK, REGION, type RackBox, type Scene, type Wired } from "./layout";
import { overlaps } from "./paintPlaces";
import { SHADES } from "./palette";
import type { Picture } from "./picture";

type Canvas = CanvasRenderingContext2D;
type Way = [number, number][];

/** Pixels from which a host's cell is high that its link is drawn though nothing passes. */
const IDLE_FROM = 7;
const MOST_BUSY = 400;

export function paintLinks(canvas: Canvas, picture: Picture): void {
  const { datacenter, scene } = picture;
  const known = datacenter.zones.some((zone) => zone.bandwidth !== undefined || hasHostLinks(scene));
  if (!known) {
    return;
  }
  paintIdle(canvas, picture);
  let painted = 0;
  for (const link of datacenter.links.values()) {
    const way = wayOf(scene, link.lower);
    if (way !== null && painted < MOST_BUSY) {
      painted += paintBusy(canvas, picture, way, link) ? 1 : 0;
    }
  }
}

function hasHostLinks(scene: Scene): boolean {
  return scene.hosts[0]?.bandwidth !== undefined;
}

/** The corners of the link up from what has that id. */
export function wayOf(scene: Scene, id: string): Way | null {
  const number = scene.numbers.get(id);
  if (number !== undefined) {
    const rack = scene.racks[scene.rackOf[number]!]!;
    const x = scene.x[number]!;
    const y = scene.y[number]! + HOST_HEIGHT / 2;
    return toRack(rack, x, y);
  }
  const box = scene.boxes.get(id);
  if (box === undefined) {
    return null;
  }
  if (box.kind === "storage" && box.parent.kind === "rack") {
    return toRack(box.parent, box.switchX, box.switchY);
  }
  if (box.kind === "zone") {
    return scene.zones.length > 1 ? toParent(box, REGION.gutter / 2, REGION.header / 2) : null;
  }
  return toParent(box, box.parent.switchX, box.parent.switchY);
}

function toRack(rack: RackBox, x: number, y: number): Way {
  const trunk = x - RACK.gutter / 2;
  return [
    [x, y],
    [trunk, y],
    [trunk, rack.switchY],
    [rack.switchX, rack.switchY],
  ];
}

function toParent(box: Wired, x: number, y: number): Way {
  return [
    [box.switchX, box.switchY],
    [box.switchX, box.gap],
    [x, box.gap],
    [x, y],
  ];
}

function paintIdle(canvas: Canvas, picture: Picture): void {
  const { scene, camera, palette } = picture;
  const seen = camera.seen();
  canvas.fillStyle = palette.idleLink;
  const near = HOST_HEIGHT * camera.scale >= IDLE_FROM;
  for (const box of [...scene.zones, ...scene.pods, ...(near ? scene.racks : []), ...scene.storage]) {
    const inView = box.kind === "zone" || overlaps(box.parent, seen);
    const bandwidth = box.row.bandwidth;
    if (!inView || bandwidth === undefined || (box.kind === "storage" && !near)) {
      continue;
    }
    const way = wayOf(scene, box.row.id);
    if (way !== null) {
      paintLines(canvas, picture, way, box.kind === "rack" || box.kind === "storage" ? 1 : 2);
    }
  }
  if (!near) {
    return;
  }
  for (const rack of scene.racks) {
    if (rack.count > 0 && overlaps(rack, seen) && scene.hosts[rack.first]!.bandwidth !== undefined) {
      paintRack(canvas, picture, rack);
    }
  }
  canvas.fillStyle = palette.faintText;
  for (const box of [...scene.zones, ...scene.pods, ...scene.racks]) {
    if (box.row.bandwidth !== undefined && overlaps(box, seen)) {
      const half = Math.max(2, Math.min(6, camera.scale * 1.6));
      canvas.fillRect(
        Math.round(camera.toScreenX(box.switchX) - half),
        Math.round(camera.toScreenY(box.switchY) - half),
        Math.round(2 * half),
        Math.round(2 * half),
      );
    }
  }
}

/** The links of a rack's hosts share a trunk beside each column: one line for it, and one to each host. */
function paintRack(canvas: Canvas, { scene, camera }: Picture, rack: RackBox): void {
  const columns = Math.ceil(rack.count / rack.rows);
  const top = camera.toScreenY(rack.switchY);
  const thick = Math.max(1, Math.min(3, Math.round(camera.scale * 0.5)));
  for (let column = 0; column < columns; column++) {
    const first = rack.first + column * rack.rows;
    const last = Math.min(first + rack.rows, rack.first + rack.count) - 1;
    const left = scene.x[first]! - RACK.gutter / 2;
    const trunk = Math.round(camera.toScreenX(left));
    const bottom = camera.toScreenY(scene.y[last]! + HOST_HEIGHT / 2);
    canvas.fillRect(trunk, Math.round(top), thick, Math.round(bottom - top) + thick);
    const stub = Math.round((RACK.gutter / 2) * camera.scale);
    for (let number = first; number <= last; number++) {
      const y = Math.round(camera.toScreenY(scene.y[number]! + HOST_HEIGHT / 2));
      if (y >= -thick && y <= camera.height) {
        canvas.fillRect(trunk, y, stub, thick);
      }
    }
    if (column > 0) {
      const from = Math.round(camera.toScreenX(rack.switchX));
      canvas.fillRect(from, Math.round(top), trunk - from, thick);
    }
  }
}

/** Lines along the axes as rectangles, which cost a tenth of strokes. */
function paintLines(canvas: Canvas, { camera }: Picture, way: Way, thick: number): void {
  for (let index = 1; index < way.length; index++) {
    const [fromX, fromY] = way[index - 1]!;
    const [toX, toY] = way[index]!;
    const x = Math.round(camera.toScreenX(Math.min(fromX, toX)));
    const y = Math.round(camera.toScreenY(Math.min(fromY, toY)));
    const w = Math.round(Math.abs(toX - fromX) * camera.scale);
    const h = Math.round(Math.abs(toY - fromY) * camera.scale);
    canvas.fillRect(x, y, Math.max(thick, w), Math.max(thick, h));
  }
}

function paintBusy(canvas: Canvas, picture: Picture, way: Way, link: LinkRow): boolean {
  const { camera, palette, now, still } = picture;
  const xs = way.map(([x]) => camera.toScreenX(x));
  const ys = way.map(([, y]) => camera.toScreenY(y));
  const inView =
    Math.max(...xs) >= 0 &&
    Math.min(...xs) <= camera.width &&
    Math.max(...ys) >= 0 &&
    Math.min(...ys) <= camera.height;
  if (!inView) {
    return false;
  }
  const load = Math.max(link.up, link.down);
  canvas.beginPath();
  xs.forEach((x, index) => (index === 0 ? canvas.moveTo(x, ys[index]!) : canvas.lineTo(x, ys[index]!)));
  canvas.lineJoin = "round";
  canvas.strokeStyle = link.cut ? palette.cutLink : palette.load[Math.round(load * (SHADES - 1))]!;
  canvas.lineWidth = link.cut ? 2.5 : 1.5 + 3.5 * load;
  if (link.cut) {
    canvas.setLineDash([3, 5]);
  } else {
    canvas.setLineDash([10, 4]);
    // dashes move the way that most of it goes; the line is drawn upwards
    const speed = 0.02 + 0.06 * load;
    canvas.lineDashOffset = still ? 0 : (link.up >= link.down ? -1 : 1) * ((now * speed) % 14);
  }
  canvas.stroke();
  canvas.setLineDash([]);
  canvas.lineDashOffset = 0;
  return true;
}

/** Whether busy links are to be seen moving. */
export function linksMove(picture: Picture): boolean {
  if (picture.still) {
    return false;
  }
  for (const link of picture.datacenter.links.values()) {
    if (!link.cut && (link.up > 0 || link.down > 0)) {
      return true;
    }
  }
  return false;
}
