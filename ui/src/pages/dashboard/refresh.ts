// Keeps what a card shows fresh: at once, when rows have changed, and at the latest after a minute.

import { onScopeDispose, ref, watch, type Ref, type WatchSource } from "vue";
import { onChanges } from "@/api/changes";

const QUIET = 700;
const AT_LATEST = 60_000;

/** What `useRefreshed` tells: whether the first answer is still awaited, and what went wrong with the last one. */
export interface Refreshed {
  loading: Ref<boolean>;
  error: Ref<string>;
  refresh: () => Promise<void>;
}

/**
 * Call `load` now, whenever a source changes, and shortly after rows of these types have changed. One load at a time:
 * what changes meanwhile is loaded afterwards. The signal says when nobody waits for it any more.
 */
export function useRefreshed(
  types: string[],
  load: (signal: AbortSignal) => Promise<void>,
  sources: WatchSource[] = [],
): Refreshed {
  const loading = ref(true);
  const error = ref("");
  let controller = new AbortController();
  let busy = false;
  let again = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function refresh(): Promise<void> {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    const { signal } = controller;
    try {
      await load(signal);
      error.value = "";
    } catch (reason) {
      if (!signal.aborted) {
        error.value = (reason as Error).message;
      }
    } finally {
      busy = false;
      loading.value = loading.value && signal.aborted;
      if (again && !gone) {
        again = false;
        void refresh();
      }
    }
  }

  function soon(): void {
    if (timer === undefined) {
      timer = setTimeout(() => {
        timer = undefined;
        void refresh();
      }, QUIET);
    }
  }

  let gone = false;
  if (types.length > 0) {
    onChanges(types, soon);
  }
  const latest = setInterval(() => document.hidden || soon(), AT_LATEST);
  watch(sources, () => {
    controller.abort();
    controller = new AbortController();
    loading.value = true;
    again = busy;
    if (!busy) {
      void refresh();
    }
  });
  onScopeDispose(() => {
    gone = true;
    controller.abort();
    clearInterval(latest);
    clearTimeout(timer);
  });
  void refresh();
  return { loading, error, refresh };
}
