// What part of the picture is seen, how large, and how it gets somewhere else.

import type { Box } from "./layout";

const FLIGHT = 450; // ms

interface Sight {
  /** What is in the middle. */
  x: number;
  y: number;
  /** Pixels for a unit. */
  scale: number;
}

interface Flight {
  from: Sight;
  to: Sight;
  box: Box;
  share: number;
  began: number;
}

export class Camera implements Sight {
  x = 0;
  y = 0;
  scale = 1;
  width = 1;
  height = 1;
  /** How many pixels at the bottom something else lies over. */
  covered = 0;
  least = 0.01;
  most = 60;
  private bounds: Box = { x: 0, y: 0, w: 1, h: 1 };
  private flight: Flight | null = null;

  constructor(private readonly still: () => boolean) {}

  /** The picture's size, beyond which there is nothing to see. */
  limit(bounds: Box): void {
    this.bounds = bounds;
    this.least = this.sightOf(bounds, 0.9).scale * 0.8;
  }

  resize(width: number, height: number): void {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.limit(this.bounds);
    if (this.flight !== null) {
      this.flight.to = this.sightOf(this.flight.box, this.flight.share);
    }
    this.keepIn();
  }

  toScreenX(x: number): number {
    return (x - this.x) * this.scale + this.width / 2;
  }

  toScreenY(y: number): number {
    return (y - this.y) * this.scale + this.height / 2;
  }

  toPictureX(x: number): number {
    return (x - this.width / 2) / this.scale + this.x;
  }

  toPictureY(y: number): number {
    return (y - this.height / 2) / this.scale + this.y;
  }

  /** The part of the picture that is seen. */
  seen(): Box {
    const w = this.width / this.scale;
    const h = this.height / this.scale;
    return { x: this.x - w / 2, y: this.y - h / 2, w, h };
  }

  /** Move what is seen by so many pixels. */
  pan(dx: number, dy: number): void {
    this.flight = null;
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.keepIn();
  }

  /** Zoom by a factor; what is at that pixel stays there. */
  zoom(factor: number, px = this.width / 2, py = this.height / 2): void {
    this.flight = null;
    const x = this.toPictureX(px);
    const y = this.toPictureY(py);
    this.scale = Math.min(this.most, Math.max(this.least, this.scale * factor));
    this.x = x - (px - this.width / 2) / this.scale;
    this.y = y - (py - this.height / 2) / this.scale;
    this.keepIn();
  }

  /** Show the box, at most `share` of what is seen; at once, or in a flight from `now` (ms) on. */
  show(box: Box, share = 0.9, now?: number): void {
    const to = this.sightOf(box, share);
    if (now === undefined || this.still()) {
      Object.assign(this, to);
      this.flight = null;
    } else {
      this.flight = { from: { x: this.x, y: this.y, scale: this.scale }, to, box, share, began: now };
    }
  }

  /** Go on with a flight; whether there is one. */
  fly(now: number): boolean {
    if (this.flight === null) {
      return false;
    }
    const { from, to, began } = this.flight;
    const share = Math.min(1, Math.max(0, (now - began) / FLIGHT));
    const eased = share * share * (3 - 2 * share);
    this.scale = from.scale * (to.scale / from.scale) ** eased;
    // the way goes with the scale, or one would fly past the target while still far away
    const way =
      Math.abs(to.scale - from.scale) < 1e-9 * to.scale
        ? eased
        : (1 / from.scale - 1 / this.scale) / (1 / from.scale - 1 / to.scale);
    this.x = from.x + (to.x - from.x) * way;
    this.y = from.y + (to.y - from.y) * way;
    if (share === 1) {
      this.flight = null;
    }
    return true;
  }

  private sightOf(box: Box, share: number): Sight {
    const height = Math.max(1, this.height - this.covered);
    const scale = Math.min(this.most, (this.width * share) / box.w, (height * share) / box.h);
    return { x: box.x + box.w / 2, y: box.y + box.h / 2 + this.covered / 2 / scale, scale };
  }

  private keepIn(): void {
    const { x, y, w, h } = this.bounds;
    this.x = Math.min(x + w, Math.max(x, this.x));
    this.y = Math.min(y + h, Math.max(y, this.y));
  }
}
