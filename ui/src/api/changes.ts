// Live updates: who shows rows hears when some of them have changed. One stream of followChanges for the whole app.

import { onScopeDispose, ref } from "vue";
import { addressOf, call } from "./client";

export interface Change {
  /** The key of the list command's answer, such as virtualmachine. */
  type: string;
  id: string;
  change: "created" | "updated" | "removed";
  name?: string;
  state?: string;
}

/** Hears what has changed; null: anything may have. */
export type Hear = (changes: Change[] | null) => void;

/** off: nobody is signed in; connecting; live; polling: the server refuses a stream, pages ask every few seconds. */
export type LiveState = "off" | "connecting" | "live" | "polling";

/** What the app needs of an EventSource. */
export type Source = Pick<EventSource, "addEventListener" | "close" | "readyState">;

const SOON = 100;
const APART = 1_000;
const POLL = 10_000;
const FIRST_RETRY = 2_000;
const LAST_RETRY = 60_000;
const HIDDEN = 20_000;
const CLOSED = 2;

interface Listener {
  types: Set<string>;
  hear: Hear;
  gathered: Map<string, Change>;
  everything: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
  told: number;
}

/** Keeps the stream open while it is wanted and somebody looks, and tells each listener what concerns it. */
export class ChangeFeed {
  readonly state = ref<LiveState>("off");
  private readonly listeners = new Set<Listener>();
  private source: Source | undefined;
  private lastId = "";
  private retry = FIRST_RETRY;
  private wanted = false;
  private began = false;
  private timers: Record<"again" | "poll" | "hide", ReturnType<typeof setTimeout> | undefined> = {
    again: undefined,
    poll: undefined,
    hide: undefined,
  };

  /** `open(address)` makes a stream; `probe()` asks the server for anything, so that a session that is over is noticed. */
  constructor(
    private readonly open: (address: string) => Source,
    private readonly probe: () => Promise<unknown>,
  ) {
    document.addEventListener("visibilitychange", () => this.seen());
  }

  /** Somebody is signed in: follow. What was missed before is told as anything. */
  start(): void {
    this.stop();
    this.wanted = true;
    if (this.began) {
      this.gatherAll();
    }
    this.began = true;
    if (!document.hidden) {
      this.connect();
    }
  }

  /** Nobody is signed in. */
  stop(): void {
    this.wanted = false;
    this.lastId = "";
    this.retry = FIRST_RETRY;
    this.disconnect();
    this.state.value = "off";
  }

  /** Have `hear` called when things of these types have changed; returns what ends it. */
  listen(types: string[], hear: Hear): () => void {
    const listener: Listener = {
      types: new Set(types),
      hear,
      gathered: new Map(),
      everything: false,
      timer: undefined,
      told: 0,
    };
    this.listeners.add(listener);
    return () => {
      clearTimeout(listener.timer);
      this.listeners.delete(listener);
    };
  }

  private connect(): void {
    this.disconnect();
    this.state.value = "connecting";
    const source = this.open(addressOf("followChanges", this.lastId ? { lasteventid: this.lastId } : {}));
    this.source = source;
    const blind = this.lastId === ""; // nothing tells what was missed by who has read before it opens
    source.addEventListener("open", () => {
      if (blind) {
        this.gatherAll();
      }
      this.retry = FIRST_RETRY;
      this.state.value = "live";
    });
    source.addEventListener("changes", (event) => {
      const { data, lastEventId } = event as MessageEvent<string>;
      this.lastId = lastEventId;
      this.gather((JSON.parse(data) as { changes: Change[] }).changes);
    });
    source.addEventListener("overflow", (event) => {
      this.lastId = (event as MessageEvent<string>).lastEventId;
      this.gatherAll();
    });
    source.addEventListener("end", () => void this.refused());
    source.addEventListener("error", () => {
      if (source.readyState === CLOSED) {
        void this.refused();
      } else {
        this.state.value = "connecting"; // the browser tries again by itself
      }
    });
  }

  private disconnect(): void {
    this.source?.close();
    this.source = undefined;
    clearTimeout(this.timers.again);
    clearInterval(this.timers.poll);
    clearTimeout(this.timers.hide);
  }

  /** The server does not give a stream, or not any more: ask every few seconds, and for a stream ever more rarely. */
  private async refused(): Promise<void> {
    this.disconnect();
    this.state.value = "polling";
    this.timers.poll = setInterval(() => this.gatherAll(), POLL);
    this.timers.again = setTimeout(() => this.connect(), this.retry);
    this.retry = Math.min(this.retry * 2, LAST_RETRY);
    await this.probe().catch(() => undefined);
  }

  /** The tab was hidden or shown. One that is hidden for long gives its stream back. */
  private seen(): void {
    clearTimeout(this.timers.hide);
    if (!this.wanted) {
      return;
    }
    if (document.hidden) {
      this.timers.hide = setTimeout(() => {
        this.disconnect();
        this.state.value = "connecting";
      }, HIDDEN);
      return;
    }
    if (this.source === undefined && this.state.value !== "polling") {
      if (!this.lastId) {
        this.gatherAll();
      }
      this.connect();
    }
    for (const listener of this.listeners) {
      this.schedule(listener);
    }
  }

  private gather(changes: Change[]): void {
    for (const listener of this.listeners) {
      for (const change of changes) {
        if (listener.types.has(change.type)) {
          const key = `${change.type} ${change.id}`;
          const before = listener.gathered.get(key);
          const isNew = before?.change === "created" && change.change === "updated";
          listener.gathered.set(key, isNew ? { ...change, change: "created" } : change);
        }
      }
      this.schedule(listener);
    }
  }

  private gatherAll(): void {
    for (const listener of this.listeners) {
      listener.everything = true;
      this.schedule(listener);
    }
  }

  private schedule(listener: Listener): void {
    const something = listener.everything || listener.gathered.size > 0;
    if (!something || listener.timer !== undefined || document.hidden) {
      return;
    }
    const wait = Math.max(SOON, listener.told + APART - Date.now());
    listener.timer = setTimeout(() => {
      listener.timer = undefined;
      if (document.hidden) {
        return; // told when somebody looks again
      }
      const changes = listener.everything ? null : [...listener.gathered.values()];
      listener.gathered.clear();
      listener.everything = false;
      listener.told = Date.now();
      listener.hear(changes);
    }, wait);
  }
}

/** The app's feed; `shell/` starts it when somebody signs in. */
export const feed = new ChangeFeed(
  (address) => new EventSource(address),
  () => call("listCapabilities"),
);

/**
 * Have `hear` called when things of these types have changed, until the component is gone; null means that anything
 * may have changed. It is called at most once a second, and not while nobody looks at the tab.
 */
export function onChanges(types: string[], hear: Hear): void {
  onScopeDispose(feed.listen(types, hear));
}
