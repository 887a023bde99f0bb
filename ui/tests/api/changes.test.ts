// The change feed in the browser: what listeners hear and when, and what happens when the server gives no stream.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ChangeFeed, type Change, type Source } from "@/api/changes";

class FakeSource implements Source {
  readyState: 0 | 1 | 2 = 0;
  closed = false;
  private readonly handlers = new Map<string, ((event: Event) => void)[]>();

  constructor(readonly address: string) {}

  addEventListener(name: string, handler: unknown): void {
    this.handlers.set(name, [...(this.handlers.get(name) ?? []), handler as (event: Event) => void]);
  }

  close(): void {
    this.closed = true;
  }

  say(name: string, data: unknown = {}, lastEventId = ""): void {
    const event = new MessageEvent(name, { data: JSON.stringify(data), lastEventId });
    this.handlers.get(name)?.forEach((handler) => handler(event));
  }
}

const vm = (id: string, change: Change["change"] = "updated"): Change => ({
  type: "virtualmachine",
  id,
  change,
});

describe("ChangeFeed", () => {
  let sources: FakeSource[];
  let probes: number;
  let hidden: boolean;
  let feed: ChangeFeed;

  function look(now: boolean): void {
    hidden = !now;
    document.dispatchEvent(new Event("visibilitychange"));
  }

  beforeEach(() => {
    vi.useFakeTimers();
    sources = [];
    probes = 0;
    hidden = false;
    vi.spyOn(document, "hidden", "get").mockImplementation(() => hidden);
    feed = new ChangeFeed(
      (address) => {
        const source = new FakeSource(address);
        sources.push(source);
        return source;
      },
      () => Promise.resolve(probes++),
    );
  });

  afterEach(() => {
    feed.stop();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("tells a listener what has changed of its types, each thing once", () => {
    const heard: (Change[] | null)[] = [];
    feed.listen(["virtualmachine"], (changes) => heard.push(changes));
    feed.start();
    const [source] = sources;
    source!.say("open");
    expect(feed.state.value).toBe("live");
    vi.advanceTimersByTime(1_000);
    heard.length = 0;
    source!.say("changes", { changes: [vm("1", "created"), { type: "volume", id: "9", change: "updated" }] });
    source!.say("changes", { changes: [vm("1"), vm("2")] });
    vi.advanceTimersByTime(200);
    expect(heard).toEqual([[vm("1", "created"), vm("2")]]);
  });

  it("says that anything may have changed to who listened before the first stream was there", () => {
    const heard: (Change[] | null)[] = [];
    feed.listen(["host"], (changes) => heard.push(changes));
    feed.start();
    vi.advanceTimersByTime(3_000);
    expect(heard).toEqual([]);
    sources[0]!.say("open");
    feed.listen(["host"], () => heard.push([]));
    vi.advanceTimersByTime(3_000);
    expect(heard).toEqual([null]);
  });

  it("calls a listener at most once a second, and not after it has left", () => {
    let calls = 0;
    const leave = feed.listen(["virtualmachine"], () => calls++);
    feed.start();
    for (let step = 0; step < 20; step++) {
      sources[0]!.say("changes", { changes: [vm(String(step))] });
      vi.advanceTimersByTime(100);
    }
    expect(calls).toBe(2);
    sources[0]!.say("changes", { changes: [vm("x")] });
    leave();
    vi.advanceTimersByTime(5_000);
    expect(calls).toBe(2);
  });

  it("says that anything may have changed after an overflow", () => {
    const heard: (Change[] | null)[] = [];
    feed.listen(["host"], (changes) => heard.push(changes));
    feed.start();
    sources[0]!.say("changes", { changes: [{ type: "host", id: "h", change: "updated" }] });
    sources[0]!.say("overflow", {}, "e-7");
    vi.advanceTimersByTime(200);
    expect(heard).toEqual([null]);
  });

  it("polls while the server refuses a stream, asks ever more rarely, and notices a session that is over", () => {
    const heard: (Change[] | null)[] = [];
    feed.listen(["host"], (changes) => heard.push(changes));
    feed.start();
    sources[0]!.say("changes", { changes: [] }, "e-3");
    sources[0]!.readyState = 2;
    sources[0]!.say("error");
    expect(feed.state.value).toBe("polling");
    expect(probes).toBe(1);
    vi.advanceTimersByTime(2_000);
    expect(sources).toHaveLength(2);
    expect(sources[1]!.address).toContain("lasteventid=e-3");
    sources[1]!.readyState = 2;
    sources[1]!.say("error");
    vi.advanceTimersByTime(3_900);
    expect(sources).toHaveLength(2);
    vi.advanceTimersByTime(200);
    expect(sources).toHaveLength(3);
    sources[2]!.say("open");
    expect(feed.state.value).toBe("live");
  });

  it("polls every ten seconds where there is never a stream", () => {
    let calls = 0;
    feed.listen(["host"], () => calls++);
    feed.start();
    const refuse = (): void => {
      const source = sources.at(-1)!;
      if (source.readyState !== 2) {
        source.readyState = 2;
        source.say("error");
      }
    };
    for (let second = 0; second < 120; second++) {
      refuse();
      vi.advanceTimersByTime(1_000);
    }
    expect(calls).toBeGreaterThanOrEqual(8);
  });

  it("leaves it to the browser to come back when the connection breaks", () => {
    feed.start();
    sources[0]!.say("open");
    sources[0]!.say("error");
    expect(feed.state.value).toBe("connecting");
    expect(sources).toHaveLength(1);
    sources[0]!.say("open");
    expect(feed.state.value).toBe("live");
  });

  it("gives its stream back when the tab is hidden for long, and catches up when it is shown", () => {
    const heard: (Change[] | null)[] = [];
    feed.listen(["virtualmachine"], (changes) => heard.push(changes));
    feed.start();
    sources[0]!.say("changes", { changes: [] }, "e-5");
    look(false);
    sources[0]!.say("changes", { changes: [vm("1")] }, "e-6");
    vi.advanceTimersByTime(10_000);
    expect(heard).toEqual([]);
    expect(sources[0]!.closed).toBe(false);
    vi.advanceTimersByTime(15_000);
    expect(sources[0]!.closed).toBe(true);
    look(true);
    expect(sources[1]!.address).toContain("lasteventid=e-6");
    vi.advanceTimersByTime(200);
    expect(heard).toEqual([[vm("1")]]);
  });

  it("is off when nobody is signed in", () => {
    feed.start();
    feed.stop();
    expect(feed.state.value).toBe("off");
    expect(sources[0]!.closed).toBe(true);
    look(false);
    look(true);
    expect(sources).toHaveLength(1);
  });
});
