// Mouse, touch and keys on the picture: pan, zoom, choose, drag an instance.

import type { Instance } from "./instances";
import type { Target, View } from "./view";

export interface Listener {
  chosen: (target: Target | null) => void;
  hovered: (target: Target | null, px: number, py: number) => void;
  /** Whether that instance may be dragged. */
  mayDrag: (instance: Instance) => boolean;
  dragged: (instance: Instance) => void;
  /** The host that it was dropped on; null for none, or when it was given up. */
  dropped: (instance: Instance, hostId: string | null) => void;
}

const STEP = 80;
const FACTOR = 1.35;
/** Pixels that a pointer moves before it is no click any more. */
const SLACK = 4;

type Point = { x: number; y: number };

export class Gestures {
  private pointers = new Map<number, Point>();
  private pressed: Point | null = null;
  private moved = false;
  private held: Instance | null = null;

  constructor(
    private readonly element: HTMLElement,
    private readonly view: View,
    private readonly listener: Listener,
  ) {}

  down(event: PointerEvent): void {
    if (event.button !== 0) {
      return;
    }
    const point = this.point(event);
    this.pointers.set(event.pointerId, point);
    this.element.setPointerCapture?.(event.pointerId);
    this.pressed = point;
    this.moved = this.pointers.size > 1;
    const target = this.view.at(point.x, point.y);
    const draggable =
      target?.kind === "instance" && event.pointerType !== "touch" && this.pointers.size === 1;
    this.held = draggable && this.listener.mayDrag(target.instance) ? target.instance : null;
  }

  move(event: PointerEvent): void {
    const point = this.point(event);
    const before = this.pointers.get(event.pointerId);
    if (before === undefined) {
      this.hover(point);
      return;
    }
    const { camera, drag } = this.view.picture;
    if (this.pointers.size === 2) {
      this.pinch(event.pointerId, before, point);
    } else if (drag !== null) {
      this.drag(point);
    } else if (this.pressed !== null && (this.moved || far(this.pressed, point))) {
      if (!this.moved && this.held !== null) {
        this.lift(this.held, point);
      } else {
        camera.pan(point.x - before.x, point.y - before.y);
      }
      this.moved = true;
    }
    this.pointers.set(event.pointerId, point);
    this.view.request();
  }

  up(event: PointerEvent): void {
    const point = this.point(event);
    this.pointers.delete(event.pointerId);
    const { drag } = this.view.picture;
    if (drag !== null) {
      this.drop(drag.target);
    } else if (!this.moved && this.pressed !== null && event.type === "pointerup") {
      this.listener.chosen(this.view.at(point.x, point.y));
    }
    if (this.pointers.size === 0) {
      this.pressed = null;
      this.held = null;
    }
  }

  leave(): void {
    this.hoverOver(null, 0, 0);
  }

  wheel(event: WheelEvent): void {
    event.preventDefault();
    const { x, y } = this.point(event);
    const pixels = event.deltaMode === 0 ? event.deltaY : event.deltaY * 24;
    // a pinch on a touch pad comes as a wheel with Ctrl, in small steps
    const factor = Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.0018));
    this.view.picture.camera.zoom(Math.min(2, Math.max(0.5, factor)), x, y);
    this.view.request();
  }

  doubleClick(event: MouseEvent): void {
    const { x, y } = this.point(event);
    const target = this.view.at(x, y);
    if (event.shiftKey || target === null) {
      this.view.flyToAll();
    } else {
      this.view.flyTo(target.kind === "instance" ? target.instance.hostid : target.id);
    }
  }

  key(event: KeyboardEvent): void {
    const { camera, drag, chosen } = this.view.picture;
    const step = event.shiftKey ? null : STEP;
    const ways: Record<string, [number, number]> = {
      ArrowLeft: [1, 0],
      ArrowRight: [-1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    };
    const way = ways[event.key];
    if (way !== undefined) {
      if (step === null) {
        this.chooseNext(-way[0], -way[1]);
      } else {
        camera.pan(way[0] * step, way[1] * step);
      }
    } else if (event.key === "+" || event.key === "=") {
      camera.zoom(FACTOR);
    } else if (event.key === "-") {
      camera.zoom(1 / FACTOR);
    } else if (event.key === "0" || event.key === "Home") {
      this.view.flyToAll();
    } else if (event.key === "Enter" && chosen !== null) {
      this.view.flyTo(chosen);
    } else if (event.key === "Escape") {
      if (drag !== null) {
        this.drop(null);
      } else {
        this.listener.chosen(null);
      }
    } else {
      return;
    }
    event.preventDefault();
    this.view.request();
  }

  /** Choose the next host in that direction, or the one in the middle. */
  private chooseNext(dx: number, dy: number): void {
    const { scene, camera, chosen } = this.view.picture;
    const from = chosen === null ? undefined : scene.boxOf(chosen);
    const x = from ? from.x + from.w / 2 : camera.x;
    const y = from ? from.y + from.h / 2 : camera.y;
    let best = -1;
    let least = Infinity;
    for (let number = 0; number < scene.hosts.length; number++) {
      const box = scene.hostBox(number);
      const ahead = (box.x + box.w / 2 - x) * dx + (box.y + box.h / 2 - y) * dy;
      const aside = Math.abs((box.x + box.w / 2 - x) * dy) + Math.abs((box.y + box.h / 2 - y) * dx);
      const cost = from === undefined ? Math.abs(ahead) + aside : ahead + 3 * aside;
      if ((from === undefined || ahead > 1) && cost < least) {
        [best, least] = [number, cost];
      }
    }
    if (best >= 0) {
      const host = scene.hosts[best]!;
      this.listener.chosen({ kind: "host", id: host.id, number: best });
      const box = scene.hostBox(best);
      const seen = camera.seen();
      if (
        box.x < seen.x ||
        box.y < seen.y ||
        box.x + box.w > seen.x + seen.w ||
        box.y + box.h > seen.y + seen.h
      ) {
        camera.pan((camera.x - box.x) * camera.scale, (camera.y - box.y) * camera.scale);
      }
    }
  }

  private pinch(id: number, before: Point, now: Point): void {
    const other = [...this.pointers.entries()].find(([each]) => each !== id)?.[1];
    if (other === undefined) {
      return;
    }
    const { camera } = this.view.picture;
    const wide = Math.hypot(before.x - other.x, before.y - other.y);
    camera.zoom(Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, wide), other.x, other.y);
    this.moved = true;
  }

  private lift(instance: Instance, point: Point): void {
    this.view.picture.drag = { instance, x: point.x, y: point.y, suitable: null, target: null };
    this.hoverOver(null, 0, 0);
    this.listener.dragged(instance);
  }

  private drag(point: Point): void {
    const { drag } = this.view.picture;
    if (drag === null) {
      return;
    }
    Object.assign(drag, point);
    const target = this.view.at(point.x, point.y);
    const over =
      target?.kind === "instance" ? target.instance.hostid : target?.kind === "host" ? target.id : null;
    drag.target = over === drag.instance.hostid ? null : over;
  }

  private drop(hostId: string | null): void {
    const { drag } = this.view.picture;
    this.view.picture.drag = null;
    this.view.request();
    if (drag !== null) {
      this.listener.dropped(drag.instance, hostId);
    }
  }

  private hover(point: Point): void {
    this.hoverOver(this.view.at(point.x, point.y), point.x, point.y);
  }

  private hoverOver(target: Target | null, px: number, py: number): void {
    const { picture } = this.view;
    const id = target !== null && ["host", "instance", "storage"].includes(target.kind) ? target.id : null;
    if (picture.hovered !== id) {
      picture.hovered = id;
      this.view.request();
    }
    this.listener.hovered(id === null ? null : target, px, py);
  }

  private point(event: MouseEvent): Point {
    const frame = this.element.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  }
}

function far(one: Point, other: Point): boolean {
  return Math.hypot(one.x - other.x, one.y - other.y) > SLACK;
}
