// Draws the hosts: from far a colour each, nearer a bar, then a name, and at last the instances on them.

import type { HostRow } from "./datacenter";
import { STATUSES, statusOf } from "./datacenter";
import { HEAD, instanceBox, type Instance } from "./instances";
import { HOST_GAP, HOST_HEIGHT, HOST_WIDTH, type Box } from "./layout";
import { LOOKS, SHADES, colourOf } from "./palette";
import { ATTENTION, BAR_FROM, INSTANCES_FROM, NAME_FROM, cut, type Picture } from "./picture";

type Canvas = CanvasRenderingContext2D;

export function paintHosts(canvas: Canvas, picture: Picture): void {
  const { scene, looks, camera, palette } = picture;
  const scale = camera.scale;
  const height = HOST_HEIGHT * scale;
  const dx = camera.width / 2 - camera.x * scale;
  const dy = camera.height / 2 - camera.y * scale;
  const far = height < BAR_FROM;
  // gaps of less than a pixel would be there for some rows and not for others
  const drawn = far && HOST_GAP * scale < 1 ? height + HOST_GAP * scale : height;
  const near: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    const end = looks.start[look + 1]!;
    if (looks.start[look] === end) {
      continue;
    }
    const whole = far || look >= SHADES;
    canvas.fillStyle = whole ? colourOf(palette, look) : palette.free;
    for (let at = looks.start[look]!; at < end; at++) {
      const number = looks.order[at]!;
      const left = scene.x[number]! * scale + dx;
      const top = scene.y[number]! * scale + dy;
      const right = left + HOST_WIDTH * scale;
      const bottom = top + drawn;
      if (right < 0 || left > camera.width || bottom < 0 || top > camera.height) {
        continue;
      }
      if (height >= NAME_FROM) {
        near.push(number);
        continue;
      }
      // whole pixels: their edges are sharp, and drawing them costs a third
      const x = left | 0;
      const y = top | 0;
      canvas.fillRect(x, y, Math.max(1, (right | 0) - x), Math.max(1, (bottom | 0) - y));
    }
  }
  if (height >= NAME_FROM) {
    near.forEach((number) => paintNear(canvas, picture, number));
  } else if (!far) {
    paintBars(canvas, picture, dx, dy);
  }
  paintFailures(canvas, picture);
}

function paintBars(canvas: Canvas, picture: Picture, dx: number, dy: number): void {
  const { scene, looks, camera, palette } = picture;
  const scale = camera.scale;
  const height = HOST_HEIGHT * scale;
  for (let look = 0; look < SHADES; look++) {
    canvas.fillStyle = colourOf(palette, look);
    for (let at = looks.start[look]!; at < looks.start[look + 1]!; at++) {
      const number = looks.order[at]!;
      const left = scene.x[number]! * scale + dx;
      const top = scene.y[number]! * scale + dy;
      const width = HOST_WIDTH * scale * looks.fill[number]!;
      if (left + width < 0 || left > camera.width || top + height < 0 || top > camera.height) {
        continue;
      }
      const x = left | 0;
      const y = top | 0;
      canvas.fillRect(x, y, ((left + width) | 0) - x, Math.max(1, ((top + height) | 0) - y));
    }
  }
}

/** A host whose name can be read. */
function paintNear(canvas: Canvas, picture: Picture, number: number): void {
  const { scene, camera, palette, looks } = picture;
  const host = scene.hosts[number]!;
  const status = statusOf(host);
  const { x, y, w, h } = onScreen(picture, scene.hostBox(number));
  const inside = h >= INSTANCES_FROM;
  const head = inside ? h * HEAD : h;
  canvas.fillStyle = status === "ok" ? palette.free : palette.statusGround[status];
  canvas.fillRect(x, y, w, h);
  if (status !== "ok") {
    canvas.lineWidth = 2;
    canvas.strokeStyle = palette.status[status];
    canvas.strokeRect(x + 1, y + 1, w - 2, h - 2);
  }
  const bar = Math.max(3, Math.min(10, head * 0.16));
  const barTop = y + head - bar - (inside ? 2 : 3);
  canvas.fillStyle = palette.rack;
  canvas.fillRect(x + 4, barTop, w - 8, bar);
  canvas.fillStyle = status === "ok" ? colourOf(palette, looks.look[number]!) : palette.status[status];
  canvas.fillRect(x + 4, barTop, (w - 8) * looks.fill[number]!, bar);

  const size = Math.max(10, Math.min(15, (head - bar) * 0.5));
  const middle = y + (barTop - y) / 2 + 1;
  canvas.font = `500 ${size}px ${palette.font}`;
  canvas.textBaseline = "middle";
  canvas.fillStyle = palette.text;
  const figures = figuresOf(host, status === "ok" ? "" : picture.word(wordOf(host)));
  const room = w - 12;
  const forFigures = inside || w > 230 ? Math.min(room * 0.55, figures.length * size * 0.56 + 10) : 0;
  canvas.textAlign = "left";
  const gap = forFigures > 0 ? 8 : 0;
  canvas.fillText(cut(host.name, room - forFigures - gap, size), x + 6, middle);
  if (forFigures > 0) {
    canvas.textAlign = "right";
    canvas.font = `${size}px ${palette.font}`;
    canvas.fillStyle = palette.faintText;
    canvas.fillText(cut(figures, forFigures, size), x + w - 6, middle);
  }
  if (inside && w * h < 40 * camera.width * camera.height) {
    paintInstances(canvas, picture, host, scene.hostBox(number));
  }
}

function wordOf(host: HostRow): string {
  return host.state === "Up" ? host.resourcestate : host.state;
}

function figuresOf(host: HostRow, word: string): string {
  const cpu = host.cpu > 0 ? Math.round((100 * host.cpuused) / host.cpu) : 0;
  const memory = host.memory > 0 ? Math.round((100 * host.memoryused) / host.memory) : 0;
  const text = `CPU ${cpu}% · RAM ${memory}% · ${host.instances}`;
  return word ? `${word} · ${text}` : text;
}

function paintInstances(canvas: Canvas, picture: Picture, host: HostRow, box: Box): void {
  const instances = picture.instances.of(host.id);
  if (instances === undefined) {
    return;
  }
  instances.forEach((instance, index) => {
    paintInstance(canvas, picture, instance, onScreen(picture, instanceBox(box, index, instances.length)));
  });
}

export function paintInstance(canvas: Canvas, picture: Picture, instance: Instance, box: Box): void {
  const { palette, moves, drag } = picture;
  const { x, y, w, h } = box;
  const moving = moves.has(instance.id) || drag?.instance.id === instance.id;
  const colours = palette.instance[moving ? "moving" : groupOf(instance)];
  canvas.fillStyle = colours.ground;
  canvas.fillRect(x, y, w, h);
  const emphasised = picture.chosen === instance.id || picture.hovered === instance.id;
  canvas.lineWidth = emphasised ? 2 : 1;
  canvas.strokeStyle = emphasised ? palette.accent : colours.border;
  canvas.setLineDash(moving ? [4, 3] : []);
  canvas.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
  canvas.setLineDash([]);
  if (h < 12 || w < 30) {
    return;
  }
  const size = Math.min(13, Math.max(10, h * 0.32));
  const withState = h >= 34;
  canvas.font = `500 ${size}px ${palette.font}`;
  canvas.textAlign = "left";
  canvas.textBaseline = "middle";
  canvas.fillStyle = palette.text;
  canvas.fillText(cut(instance.name, w - 10, size), x + 6, y + (withState ? h * 0.34 : h / 2));
  if (withState) {
    canvas.font = `${size - 1}px ${palette.font}`;
    canvas.fillStyle = palette.faintText;
    canvas.fillText(cut(picture.word(instance.state), w - 10, size), x + 6, y + h * 0.7);
  }
}

function groupOf(instance: Instance): "running" | "moving" | "broken" | "system" {
  if (instance.state === "Error" || instance.state === "Unknown") {
    return "broken";
  }
  if (instance.state !== "Running") {
    return "moving";
  }
  return instance.kind === "user" ? "running" : "system";
}

/** Rings around hosts that have just failed, so that they are seen from far. */
function paintFailures(canvas: Canvas, picture: Picture): void {
  const { failures, scene, camera, palette, now, still } = picture;
  for (const [number, began] of failures) {
    const age = now - began;
    if (age > ATTENTION) {
      failures.delete(number);
      continue;
    }
    const { x, y, w, h } = onScreen(picture, scene.hostBox(number));
    const beat = still ? 0.3 : (age % 1000) / 1000;
    const reach = 4 + 18 * beat;
    canvas.globalAlpha = still ? 0.9 : 1 - beat;
    canvas.lineWidth = 3;
    canvas.strokeStyle = palette.status.failed;
    canvas.strokeRect(x - reach, y - reach, w + 2 * reach, h + 2 * reach);
    canvas.globalAlpha = 1;
  }
  // from far a failed host would be a speck among thousands
  const height = HOST_HEIGHT * camera.scale;
  if (height >= BAR_FROM) {
    return;
  }
  const { order, start } = picture.looks;
  const look = SHADES + STATUSES.indexOf("failed");
  canvas.fillStyle = palette.status.failed;
  for (let at = start[look]!; at < start[look + 1]!; at++) {
    const { x, y, w, h } = onScreen(picture, scene.hostBox(order[at]!));
    canvas.fillRect(x - 1, y - 1, Math.max(6, w + 2), Math.max(4, h + 2));
  }
}

export function onScreen({ camera }: Picture, box: Box): Box {
  const x = Math.round(camera.toScreenX(box.x));
  const y = Math.round(camera.toScreenY(box.y));
  return {
    x,
    y,
    w: Math.max(1, Math.round(camera.toScreenX(box.x + box.w)) - x),
    h: Math.max(1, Math.round(camera.toScreenY(box.y + box.h)) - y),
  };
}
