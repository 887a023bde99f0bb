// All that a frame of the picture is drawn from.

import type { Camera } from "./camera";
import type { Datacenter } from "./datacenter";
import type { Instance, Instances } from "./instances";
import type { Scene } from "./layout";
import type { Looks } from "./looks";
import type { Palette } from "./palette";

/** An instance that is dragged: where the pointer is, and which hosts suit (null: not known yet). */
export interface Drag {
  instance: Instance;
  x: number;
  y: number;
  suitable: Set<string> | null;
  target: string | null;
}

/** An instance on its way to another host. */
export interface Move {
  instance: Instance;
  to: string;
}

export interface Picture {
  scene: Scene;
  looks: Looks;
  datacenter: Datacenter;
  camera: Camera;
  palette: Palette;
  instances: Instances;
  /** Ids of what is chosen and of what is under the pointer: a host, a box or an instance. */
  chosen: string | null;
  hovered: string | null;
  /** When (ms) which hosts failed while somebody looked, by their number. */
  failures: Map<number, number>;
  drag: Drag | null;
  moves: Map<string, Move>;
  still: boolean;
  now: number;
  /** Texts of states, by the API's word. */
  word: (state: string) => string;
  hostsText: (count: number) => string;
}

/** From how many pixels a host's cell is high what is drawn in it: a colour; a bar; its name; its instances. */
export const BAR_FROM = 5;
export const NAME_FROM = 24;
export const INSTANCES_FROM = 84;

/** How long (ms) a host that has failed draws attention. */
export const ATTENTION = 6000;

/** Text that fits into so many pixels at that font size. */
export function cut(text: string, width: number, size: number): string {
  const most = Math.floor(width / (size * 0.56));
  if (text.length <= most) {
    return text;
  }
  return most < 3 ? "" : `${text.slice(0, most - 1)}…`;
}
