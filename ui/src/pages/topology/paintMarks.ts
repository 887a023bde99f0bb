// Draws what is chosen, hovered, dragged and on its way, over everything else.

import { HOST_HEIGHT, type Box } from "./layout";
import { onScreen, paintInstance } from "./paintHosts";
import { INSTANCES_FROM, type Picture } from "./picture";

type Canvas = CanvasRenderingContext2D;

export function paintMarks(canvas: Canvas, picture: Picture): void {
  const { scene, chosen, hovered, drag, palette } = picture;
  for (const [id, width] of [
    [hovered, 1.5],
    [chosen, 2.5],
  ] as const) {
    const box = id === null ? undefined : scene.boxOf(id);
    if (box !== undefined) {
      outline(canvas, onScreen(picture, box), palette.accent, width);
    }
  }
  if (drag !== null) {
    paintSuitable(canvas, picture);
  }
  paintMoves(canvas, picture);
  if (drag !== null) {
    const size = { w: 150, h: 40 };
    canvas.globalAlpha = 0.92;
    paintInstance(canvas, picture, drag.instance, { x: drag.x + 10, y: drag.y + 10, ...size });
    canvas.globalAlpha = 1;
  }
}

function outline(canvas: Canvas, { x, y, w, h }: Box, colour: string, width: number): void {
  canvas.lineWidth = width;
  canvas.strokeStyle = colour;
  canvas.strokeRect(x - width / 2, y - width / 2, w + width, h + width);
}

/** A veil over the hosts that do not suit; a frame around those that do. */
function paintSuitable(canvas: Canvas, picture: Picture): void {
  const { scene, camera, drag, palette } = picture;
  if (drag === null || drag.suitable === null) {
    return;
  }
  const seen = camera.seen();
  canvas.fillStyle = palette.veil;
  scene.hosts.forEach((host, number) => {
    const x = scene.x[number]!;
    const y = scene.y[number]!;
    if (x > seen.x + seen.w || x + 60 < seen.x || y > seen.y + seen.h || y + HOST_HEIGHT < seen.y) {
      return;
    }
    if (!drag.suitable?.has(host.id) && host.id !== drag.instance.hostid) {
      const box = onScreen(picture, scene.hostBox(number));
      canvas.fillRect(box.x - 1, box.y - 1, box.w + 2, box.h + 2);
    }
  });
  for (const id of drag.suitable) {
    const number = scene.numbers.get(id);
    if (number !== undefined) {
      outline(
        canvas,
        onScreen(picture, scene.hostBox(number)),
        palette.suitable,
        id === drag.target ? 4 : 1.5,
      );
    }
  }
}

/** A dashed line from the host that an instance leaves to the one that it goes to. */
function paintMoves(canvas: Canvas, picture: Picture): void {
  const { scene, moves, palette, camera, now, still } = picture;
  for (const { instance, to } of moves.values()) {
    const from = scene.numbers.get(instance.hostid);
    const target = scene.numbers.get(to);
    if (from === undefined || target === undefined) {
      continue;
    }
    const one = onScreen(picture, scene.hostBox(from));
    const other = onScreen(picture, scene.hostBox(target));
    canvas.beginPath();
    canvas.moveTo(one.x + one.w / 2, one.y + one.h / 2);
    canvas.lineTo(other.x + other.w / 2, other.y + other.h / 2);
    canvas.lineWidth = 2.5;
    canvas.strokeStyle = palette.status.maintenance;
    canvas.setLineDash([8, 6]);
    canvas.lineDashOffset = still ? 0 : -((now / 25) % 14);
    canvas.stroke();
    canvas.setLineDash([]);
    canvas.lineDashOffset = 0;
    outline(canvas, other, palette.status.maintenance, 2);
    if (HOST_HEIGHT * camera.scale < INSTANCES_FROM) {
      outline(canvas, one, palette.status.maintenance, 1.5);
    }
  }
}
