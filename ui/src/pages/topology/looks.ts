// The hosts' looks, sorted, so that a frame changes the colour a few times and not for every host.

import { fillOf, statusOf, type Datacenter, type Measure } from "./datacenter";
import type { Scene } from "./layout";
import { LOOKS, lookOf } from "./palette";

export class Looks {
  /** Each host's fill, 0 to 1, and look. */
  fill = new Float32Array(0);
  look = new Uint8Array(0);
  /** The hosts' numbers by look; those of look L are from `start[L]` up to `start[L + 1]`. */
  order = new Uint32Array(0);
  start = new Uint32Array(LOOKS + 1);

  /** Look at all hosts anew. */
  update(scene: Scene, datacenter: Datacenter, measure: Measure): void {
    const count = scene.hosts.length;
    if (this.look.length !== count) {
      this.fill = new Float32Array(count);
      this.look = new Uint8Array(count);
      this.order = new Uint32Array(count);
    }
    this.start.fill(0);
    for (let number = 0; number < count; number++) {
      const host = scene.hosts[number]!;
      const fill = fillOf(host, measure, datacenter.mostInstances);
      const look = lookOf(statusOf(host), fill);
      this.fill[number] = fill;
      this.look[number] = look;
      this.start[look + 1]!++;
    }
    for (let look = 0; look < LOOKS; look++) {
      this.start[look + 1]! += this.start[look]!;
    }
    const next = this.start.slice();
    for (let number = 0; number < count; number++) {
      this.order[next[this.look[number]!]!++] = number;
    }
  }
}
