// Where everything of a sequence diagram is: pure, in pixels. The y axis is in steps, a row for each entry, or in
// proportion to time, though never closer than can be read.

import { isOwn, type Entry, type Participant } from "./traces";

export type Axis = "steps" | "time";

export interface Lane {
  name: string;
  x: number;
}

export interface Line {
  entry: Entry;
  y: number;
  /** Where the message arrives, below `y` on the axis of time. */
  yEnd: number;
  x1: number;
  x2: number;
  own: boolean;
}

/** A participant at work. */
export interface Bar {
  entry: Entry;
  x: number;
  y1: number;
  y2: number;
  error: boolean;
}

export interface Layout {
  width: number;
  height: number;
  lanes: Lane[];
  lines: Line[];
  bars: Bar[];
}

export interface Measures {
  axis: Axis;
  /** 1 is the usual size. */
  zoom: number;
  /** The width that there is; lanes are spread over it, but never closer than can be read. */
  room: number;
  /** The width of the times on the left. */
  gutter: number;
}

/** Messages that are drawn as long as they are on their way; of others the bars show how long they took. */
const SLANTED: ReadonlySet<string> = new Set(["command", "answer"]);
/** Times are told to the microsecond. */
const CLOCK = 0.0000015;
const TOP = 20;
const ROW = 30;
const CLOSEST = 26;
const LANE = 150;
/** Of a diagram in proportion to time, at least. */
const TALL = 720;
/** On the right of the last lane, for what is said there. */
const RIGHT = 120;

export function layout(entries: Entry[], participants: Participant[], measures: Measures): Layout {
  const { axis, zoom, room, gutter } = measures;
  const count = Math.max(1, participants.length);
  const narrowest = LANE * Math.max(0.75, zoom);
  const apart = Math.max(
    narrowest,
    (room - gutter - RIGHT - narrowest / 2) / Math.max(1, count - 1 + 0.0001),
  );
  const distance = count === 1 ? narrowest : Math.min(apart, narrowest * 1.9);
  const lanes = participants.map((each, index) => ({
    name: each.name,
    x: gutter + narrowest / 2 + index * distance,
  }));
  const at = new Map(lanes.map((lane) => [lane.name, lane.x]));
  const ys = axis === "steps" ? rows(entries, zoom) : times(entries, zoom);
  const yAt = along(entries, ys, ROW * zoom);
  const lines = entries.map((entry, index) => {
    const y = ys[index] ?? TOP;
    const own = isOwn(entry);
    const slanted = axis === "time" && !own && SLANTED.has(entry.kind) && entry.duration > 0;
    return {
      entry,
      y,
      yEnd: slanted ? Math.max(y, arrival(entries, ys, index, yAt)) : y,
      x1: at.get(entry.source) ?? gutter,
      x2: at.get(entry.target) ?? gutter,
      own,
    };
  });
  const last = lines.at(-1)?.y ?? TOP;
  const bars = barsOf(lines, at, yAt);
  return {
    width: Math.max((lanes.at(-1)?.x ?? gutter) + RIGHT, room),
    height: Math.max(last, ...bars.map((bar) => bar.y2)) + ROW * zoom,
    lanes,
    lines,
    bars,
  };
}

function rows(entries: Entry[], zoom: number): number[] {
  return entries.map((_, index) => TOP + index * ROW * zoom);
}

function times(entries: Entry[], zoom: number): number[] {
  const until = Math.max(0, ...entries.map((each) => each.start + each.duration));
  const tall = Math.max(TALL, entries.length * 16) * zoom;
  const scale = until > 0 ? tall / until : 0;
  let before = -Infinity;
  return entries.map((each) => {
    before = Math.max(TOP + each.start * scale, before + CLOSEST * Math.max(0.8, zoom));
    return before;
  });
}

/** The y of a time between the entries' own, which are in the order of their times. */
function along(entries: Entry[], ys: number[], after: number): (time: number) => number {
  return (time) => {
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((entries[middle]?.start ?? 0) <= time) low = middle + 1;
      else high = middle;
    }
    const here = entries[low - 1];
    const next = entries[low];
    const y = ys[low - 1] ?? TOP;
    if (here === undefined) return TOP;
    if (next === undefined) return y + (time > here.start ? after / 2 : 0);
    const share = (time - here.start) / (next.start - here.start);
    return y + share * ((ys[low] ?? y) - y);
  };
}

/** Where a message arrives: at the first row of that time, or between the rows of earlier and later ones. */
function arrival(entries: Entry[], ys: number[], index: number, yAt: (time: number) => number): number {
  const sent = entries[index];
  const until = (sent?.start ?? 0) + (sent?.duration ?? 0);
  const next = entries.findIndex((each, other) => other > index && each.start >= until - CLOCK);
  return next >= 0 && (entries[next]?.start ?? 0) <= until + CLOCK ? (ys[next] ?? TOP) : yAt(until);
}

function barsOf(lines: Line[], at: Map<string, number>, yAt: (time: number) => number): Bar[] {
  const ends = new Map<number, Line>();
  for (const line of lines) {
    const { kind, target, name, parent } = line.entry;
    if (
      parent &&
      (kind === "reply" || kind === "answer" || (kind === "job" && target === "jobs" && name !== "queued"))
    ) {
      ends.set(parent, line);
    }
  }
  const bottom = (lines.at(-1)?.y ?? TOP) + 8;
  const bars: Bar[] = [];
  const add = (line: Line, lane: string, y2: number, error: boolean): void => {
    const x = at.get(lane);
    if (x !== undefined)
      bars.push({ entry: line.entry, x, y1: line.yEnd, y2: Math.max(y2, line.yEnd + 8), error });
  };
  for (const line of lines) {
    const { entry } = line;
    const end = ends.get(entry.number);
    if (entry.kind === "call" || (entry.kind === "job" && entry.source === "jobs")) {
      add(line, entry.target, end?.y ?? bottom, Boolean(end?.entry.error));
    } else if (entry.kind === "work") {
      const answer = entry.parent === undefined ? undefined : ends.get(entry.parent);
      add(line, entry.target, answer?.y ?? yAt(entry.start + entry.duration), Boolean(entry.error));
    } else if (entry.kind === "step" || entry.kind === "written") {
      add(line, entry.target, yAt(entry.start + entry.duration), Boolean(entry.error));
    }
  }
  return bars;
}
