// Where a sequence diagram has its lanes, messages and bars.

import { describe, expect, it } from "vitest";
import { layout, type Axis } from "@/pages/trace/layout";
import { seconds, type Entry, type Participant } from "@/pages/trace/traces";

const participants = ["user", "api", "jobs", "management", "agent h", "hypervisor h"].map((name) => ({
  name,
  kind: name.split(" ")[0],
  seconds: 0,
  entries: 1,
})) as Participant[];

function entry(
  number: number,
  kind: Entry["kind"],
  way: string,
  start: number,
  more: Partial<Entry> = {},
): Entry {
  const [source = "", target = source] = way.split(" > ");
  return { number, kind, source, target, name: kind, start, duration: 0, ...more };
}

const entries: Entry[] = [
  entry(1, "call", "user > api", 0),
  entry(2, "job", "api > jobs", 0, { name: "queued", parent: 1 }),
  entry(3, "job", "jobs > management", 0, { name: "stop", parent: 1 }),
  entry(4, "reply", "api > user", 0, { parent: 1 }),
  entry(5, "command", "management > agent h", 0.1, { duration: 0.2, parent: 3 }),
  entry(6, "work", "agent h", 0.3, { duration: 9, parent: 5 }),
  entry(7, "step", "agent h > hypervisor h", 0.3, { duration: 9, parent: 6 }),
  entry(8, "answer", "agent h > management", 9.3, { duration: 0.2, parent: 5 }),
  entry(9, "job", "management > jobs", 9.5, { name: "succeeded", parent: 3 }),
];

function drawn(axis: Axis, zoom = 1, given = entries): ReturnType<typeof layout> {
  return layout(given, participants, { axis, zoom, room: 1000, gutter: 76 });
}

describe.each(["steps", "time"] as const)("on the axis of %s", (axis) => {
  it("has lanes from the left, and messages from above, none on another", () => {
    const { lanes, lines } = drawn(axis);
    const xs = lanes.map((lane) => lane.x);
    const ys = lines.map((line) => line.y);
    expect(xs).toEqual([...xs].sort((a, b) => a - b));
    expect(ys.every((y, index) => index === 0 || y - (ys[index - 1] ?? 0) >= 20)).toBe(true);
  });

  it("draws each message from its source's lane to its target's", () => {
    const { lanes, lines } = drawn(axis);
    const x = (name: string): number | undefined => lanes.find((lane) => lane.name === name)?.x;
    for (const line of lines) {
      expect([line.x1, line.x2]).toEqual([x(line.entry.source), x(line.entry.target)]);
    }
  });

  it("shows who is at work from the message that begins it to the one that ends it", () => {
    const { bars, lines } = drawn(axis);
    const y = (number: number): number => lines.find((line) => line.entry.number === number)?.y ?? NaN;
    const bar = (number: number) => bars.find((each) => each.entry.number === number);
    expect(bar(1)?.y2).toBe(y(4));
    expect(bar(3)?.y2).toBe(y(9));
    expect(bar(6)?.y2).toBe(y(8));
    expect(bars.every((each) => each.y2 > each.y1)).toBe(true);
  });

  it("is within its own size", () => {
    const { width, height, lines, bars } = drawn(axis);
    expect(Math.max(...lines.map((line) => Math.max(line.x1, line.x2)))).toBeLessThan(width);
    expect(Math.max(...lines.map((line) => line.yEnd), ...bars.map((each) => each.y2))).toBeLessThan(height);
  });

  it("grows when it is zoomed", () => {
    expect(drawn(axis, 2).height).toBeGreaterThan(drawn(axis, 1).height);
  });

  it("has nothing to draw of no messages", () => {
    expect(drawn(axis, 1, []).lines).toEqual([]);
  });
});

it("is in proportion to time where there is room for it", () => {
  const ys = drawn("time").lines.map((line) => line.y);
  const [first = 0, long = 0] = [ys[6], ys[7]];
  expect(long - first).toBeGreaterThan(10 * 26);
});

it("ends the bars of a trace that still runs at its last message", () => {
  const { bars, lines } = drawn("steps", 1, entries.slice(0, 6));
  const last = lines.at(-1)?.y ?? 0;
  expect(bars.find((each) => each.entry.number === 3)?.y2).toBeGreaterThan(last);
});

it("marks the bar of a job that failed", () => {
  const failed = entries.map((each) => (each.number === 9 ? { ...each, error: "no" } : each));
  expect(drawn("steps", 1, failed).bars.find((each) => each.entry.number === 3)?.error).toBe(true);
});

it.each([
  [0, "0 s"],
  [0.00035, "350 µs"],
  [0.0123, "12.3 ms"],
  [22.249, "22.2 s"],
  [185, "3 min 5 s"],
  [7320, "2 h 2 min"],
])("says %d seconds as people do", (value, text) => {
  expect(seconds(value)).toBe(text);
});
