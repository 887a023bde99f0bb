// The picture on its canvas: draws a frame when something is new, and goes on while something moves.

import { Camera } from "./camera";
import { Datacenter, type HostRow, type Measure } from "./datacenter";
import { contains, hitAt, type Hit } from "./hit";
import { Instances, instanceBox, type Instance } from "./instances";
import { HOST_HEIGHT, HOST_WIDTH, Scene, layOut, type Box, type RackBox } from "./layout";
import { Looks } from "./looks";
import { paintHosts } from "./paintHosts";
import { linksMove, paintLinks } from "./paintLinks";
import { paintMarks } from "./paintMarks";
import { overlaps, paintPlaces } from "./paintPlaces";
import type { Palette } from "./palette";
import { INSTANCES_FROM, type Picture } from "./picture";

/** What can be chosen: a place, or an instance on a host. */
export type Target = Hit | { kind: "instance"; id: string; instance: Instance };

export interface Texts {
  word: (state: string) => string;
  hosts: (count: number) => string;
}

/** Pixels from the border within which a dragged instance moves what is seen. */
const EDGE = 36;

export class View {
  readonly picture: Picture;
  /** Called after every frame. */
  onFrame: () => void = () => undefined;
  private readonly canvas: CanvasRenderingContext2D;
  private asked = 0;
  private measure: Measure = "cpu";
  private ratio = 1;

  constructor(
    private readonly element: HTMLCanvasElement,
    palette: Palette,
    private readonly still: () => boolean,
    texts: Texts,
  ) {
    const canvas = element.getContext("2d", { alpha: false });
    if (canvas === null) {
      throw new Error("this browser has no canvas");
    }
    this.canvas = canvas;
    this.picture = {
      scene: new Scene(),
      looks: new Looks(),
      datacenter: new Datacenter(),
      camera: new Camera(still),
      palette,
      instances: new Instances(() => this.request()),
      chosen: null,
      hovered: null,
      failures: new Map(),
      drag: null,
      moves: new Map(),
      still: still(),
      now: performance.now(),
      word: texts.word,
      hostsText: texts.hosts,
    };
  }

  // what is drawn

  /** Lay all of the datacenter out. The first time, and when `whole`, all of it is shown. */
  layOut(datacenter: Datacenter, whole: boolean): void {
    const { picture } = this;
    picture.datacenter = datacenter;
    const { width, height } = picture.camera;
    picture.scene = layOut(datacenter, width > 1 ? Math.min(2.4, Math.max(0.5, width / height)) : undefined);
    picture.failures.clear();
    picture.camera.limit(picture.scene.everything());
    if (whole) {
      picture.camera.show(picture.scene.everything());
    }
    this.lookAgain();
  }

  show(measure: Measure): void {
    this.measure = measure;
    this.lookAgain();
  }

  /** Rows have changed. */
  changed(hosts: HostRow[], failed: HostRow[]): void {
    const { scene, instances, failures } = this.picture;
    for (const host of hosts) {
      const number = scene.numbers.get(host.id);
      if (number !== undefined) {
        instances.touch(scene.racks[scene.rackOf[number]!]!.row.id);
      }
    }
    for (const host of failed) {
      const number = scene.numbers.get(host.id);
      if (number !== undefined) {
        failures.set(number, performance.now());
      }
    }
    this.lookAgain();
  }

  paintWith(palette: Palette): void {
    this.picture.palette = palette;
    this.request();
  }

  resize(width: number, height: number): void {
    this.ratio = Math.min(2, window.devicePixelRatio || 1);
    this.element.width = Math.max(1, Math.round(width * this.ratio));
    this.element.height = Math.max(1, Math.round(height * this.ratio));
    const { camera, scene } = this.picture;
    const whole = camera.width <= 1;
    camera.resize(width, height);
    camera.most = (1.4 * Math.max(width, 320)) / HOST_WIDTH;
    if (whole) {
      camera.show(scene.everything());
    }
    this.request();
  }

  private lookAgain(): void {
    const { looks, scene, datacenter } = this.picture;
    looks.update(scene, datacenter, this.measure);
    this.request();
  }

  // where things are

  /** What is at that pixel. */
  at(px: number, py: number): Target | null {
    const { scene, camera, instances } = this.picture;
    const x = camera.toPictureX(px);
    const y = camera.toPictureY(py);
    const hit = hitAt(scene, x, y);
    if (hit?.kind !== "host" || HOST_HEIGHT * camera.scale < INSTANCES_FROM) {
      return hit;
    }
    const here = instances.of(hit.id) ?? [];
    const host = scene.hostBox(hit.number);
    const index = here.findIndex((_, each) => contains(instanceBox(host, each, here.length), x, y));
    const instance = here[index];
    return instance === undefined ? hit : { kind: "instance", id: instance.id, instance };
  }

  /** The box of whatever has that id and is drawn. */
  boxOf(id: string): Box | undefined {
    const { scene, instances } = this.picture;
    const box = scene.boxOf(id);
    const instance = box === undefined ? instances.find(id) : undefined;
    const number = instance && scene.numbers.get(instance.hostid);
    if (instance === undefined || number === undefined) {
      return box;
    }
    const here = instances.of(instance.hostid) ?? [];
    return instanceBox(scene.hostBox(number), here.indexOf(instance), here.length);
  }

  /** Fly to what has that id; `share` is how much of the view it takes at most. */
  flyTo(id: string, share = 0.8): void {
    const box = this.boxOf(id);
    if (box !== undefined) {
      this.picture.camera.show(box, share, performance.now());
      this.request();
    }
  }

  flyToAll(): void {
    this.picture.camera.show(this.picture.scene.everything(), 0.9, performance.now());
    this.request();
  }

  // frames

  request(): void {
    if (this.asked === 0) {
      this.asked = requestAnimationFrame((now) => this.frame(now));
    }
  }

  stop(): void {
    cancelAnimationFrame(this.asked);
    this.asked = -1;
  }

  private frame(now: number): void {
    this.asked = 0;
    const { picture, canvas } = this;
    picture.now = now;
    picture.still = this.still();
    const flies = picture.camera.fly(now);
    const drifts = this.drift();
    this.fetchInstances();
    canvas.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    paintPlaces(canvas, picture);
    paintHosts(canvas, picture);
    paintLinks(canvas, picture);
    paintMarks(canvas, picture);
    this.onFrame();
    const pulses = picture.failures.size > 0;
    if (flies || drifts || pulses || picture.moves.size > 0 || linksMove(picture)) {
      this.request();
    }
  }

  /** While an instance is dragged to the border, what is seen moves. */
  private drift(): boolean {
    const { drag, camera } = this.picture;
    if (drag === null) {
      return false;
    }
    const push = (at: number, size: number) => (at < EDGE ? 8 : at > size - EDGE ? -8 : 0);
    const [dx, dy] = [push(drag.x, camera.width), push(drag.y, camera.height)];
    if (dx !== 0 || dy !== 0) {
      camera.pan(dx, dy);
      return true;
    }
    return false;
  }

  private fetchInstances(): void {
    const { scene, camera, instances } = this.picture;
    if (HOST_HEIGHT * camera.scale < INSTANCES_FROM * 0.8) {
      return;
    }
    const seen = camera.seen();
    const racks: RackBox[] = scene.racks.filter((rack) => overlaps(rack, seen));
    instances.want(racks.slice(0, 12));
  }
}
