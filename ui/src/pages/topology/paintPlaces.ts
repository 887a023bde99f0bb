// Draws zones, pods, racks and storage, with their names where there is room for them.

import type { Box, PodBox, RackBox, StorageBox, ZoneBox } from "./layout";
import { cut, type Picture } from "./picture";

type Place = ZoneBox | PodBox | RackBox;

export function paintPlaces(canvas: CanvasRenderingContext2D, picture: Picture): void {
  const { scene, camera, palette } = picture;
  const seen = camera.seen();
  canvas.fillStyle = palette.ground;
  canvas.fillRect(0, 0, camera.width, camera.height);
  for (const zone of scene.zones) {
    if (!overlaps(zone, seen)) {
      continue;
    }
    paintBox(canvas, picture, zone, palette.zone, palette.strongBorder, 8);
    for (const pod of zone.pods) {
      if (!overlaps(pod, seen)) {
        continue;
      }
      paintBox(canvas, picture, pod, palette.pod, palette.border, 5);
      for (const rack of pod.racks) {
        if (overlaps(rack, seen)) {
          paintBox(canvas, picture, rack, palette.rack, palette.border, 2);
          rack.storage.forEach((each) => paintStorage(canvas, picture, each));
          paintName(canvas, picture, rack, 12);
        }
      }
      paintName(canvas, picture, pod, 14);
    }
    zone.storage.forEach((each) => paintStorage(canvas, picture, each));
    paintName(canvas, picture, zone, 18);
  }
}

export function overlaps(box: Box, other: Box): boolean {
  return (
    box.x < other.x + other.w &&
    box.x + box.w > other.x &&
    box.y < other.y + other.h &&
    box.y + box.h > other.y
  );
}

function paintBox(
  canvas: CanvasRenderingContext2D,
  { camera }: Picture,
  box: Box,
  ground: string,
  border: string,
  radius: number,
): void {
  const x = Math.round(camera.toScreenX(box.x));
  const y = Math.round(camera.toScreenY(box.y));
  const w = Math.round(box.w * camera.scale);
  const h = Math.round(box.h * camera.scale);
  // round corners are worth their time on boxes that can be told from their corners
  if (w > 160 && h > 120) {
    canvas.beginPath();
    canvas.roundRect(x + 0.5, y + 0.5, w, h, Math.min(8, radius * camera.scale));
    canvas.fillStyle = ground;
    canvas.fill();
    canvas.lineWidth = 1;
    canvas.strokeStyle = border;
    canvas.stroke();
    return;
  }
  canvas.fillStyle = border;
  canvas.fillRect(x, y, w, h);
  if (w > 2 && h > 2) {
    canvas.fillStyle = ground;
    canvas.fillRect(x + 1, y + 1, w - 2, h - 2);
  }
}

function paintName(canvas: CanvasRenderingContext2D, picture: Picture, box: Place, largest: number): void {
  const { camera, palette } = picture;
  const room = box.header * camera.scale;
  const width = box.w * camera.scale;
  if (room < 11 || width < 30) {
    return;
  }
  const size = Math.max(11, Math.min(largest, room * 0.62));
  const left = camera.toScreenX(box.switchX) + Math.max(8, 7 * camera.scale * 0.5);
  // while one looks at a part of the box only, its name stays in sight
  const x = Math.max(left, Math.min(12, camera.toScreenX(box.x + box.w) - 120));
  const y = Math.round(camera.toScreenY(box.y) + room / 2);
  canvas.font = `${box.kind === "zone" ? 600 : 500} ${size}px ${palette.font}`;
  canvas.textBaseline = "middle";
  canvas.textAlign = "left";
  canvas.fillStyle = palette.text;
  const end = camera.toScreenX(box.x + box.w) - 6;
  const name = cut(box.row.name, end - x, size);
  canvas.fillText(name, x, y);
  if (box.kind === "rack") {
    return;
  }
  const note = noteOf(box, picture);
  const from = x + name.length * size * 0.62 + 12;
  if (note && end - from > note.length * (size - 2) * 0.56) {
    canvas.font = `${Math.max(11, size - 2)}px ${palette.font}`;
    canvas.fillStyle = palette.faintText;
    canvas.fillText(note, from, y);
  }
}

function noteOf(box: ZoneBox | PodBox, picture: Picture): string {
  const pods = box.kind === "zone" ? box.pods : [box];
  const hosts = pods.reduce((sum, pod) => sum + pod.racks.reduce((all, rack) => all + rack.count, 0), 0);
  const text = picture.hostsText(hosts);
  return box.row.allocationstate === "Enabled" ? text : `${text} · ${picture.word(box.row.allocationstate)}`;
}

function paintStorage(canvas: CanvasRenderingContext2D, picture: Picture, box: StorageBox): void {
  const { camera, palette } = picture;
  if (!overlaps(box, camera.seen())) {
    return;
  }
  const x = Math.round(camera.toScreenX(box.x));
  const y = Math.round(camera.toScreenY(box.y));
  const w = Math.max(1, Math.round(box.w * camera.scale));
  const h = Math.max(1, Math.round(box.h * camera.scale));
  const { disksizetotal: total, disksizeallocated: used, state, name } = box.row;
  const share = total > 0 ? Math.min(1, used / total) : 0;
  const broken = state !== undefined && state !== "Up";
  canvas.fillStyle = broken ? palette.status.maintenance : palette.storage;
  canvas.fillRect(x, y, w, h);
  if (w <= 4 || h <= 4) {
    return;
  }
  canvas.fillStyle = palette.free;
  canvas.fillRect(x + 1, y + 1, w - 2, h - 2);
  const named = h >= 18;
  const bar = named ? Math.max(3, h * 0.18) : h - 2;
  canvas.fillStyle = broken ? palette.status.maintenance : palette.storage;
  canvas.fillRect(x + 1, y + h - 1 - bar, (w - 2) * share, bar);
  if (named) {
    const size = Math.min(13, h * 0.5);
    canvas.font = `${size}px ${palette.font}`;
    canvas.textBaseline = "middle";
    canvas.textAlign = "left";
    canvas.fillStyle = palette.text;
    canvas.fillText(cut(name, w - 10, size), x + 6, y + (h - bar) / 2);
  }
}
