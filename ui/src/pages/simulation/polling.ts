// Asks again and again while the page is looked at: a simulation's figures change all the time, and no row of the cloud with them.

import { onScopeDispose, ref, type Ref } from "vue";

/** Call `load` now and every `every` ms, one at a time; what went wrong last is told. `refresh` does it at once. */
export function usePolling(
  load: () => Promise<void>,
  every = 2000,
): { error: Ref<string>; loaded: Ref<boolean>; refresh: () => Promise<void> } {
  const error = ref("");
  const loaded = ref(false);
  let busy: Promise<void> | undefined;

  async function once(): Promise<void> {
    try {
      await load();
      error.value = "";
      loaded.value = true;
    } catch (reason) {
      error.value = (reason as Error).message;
    }
  }

  async function refresh(): Promise<void> {
    while (busy !== undefined) {
      await busy; // and then the others that have waited for it
    }
    busy = once().finally(() => (busy = undefined));
    await busy;
  }

  const timer = setInterval(() => document.hidden || busy !== undefined || void refresh(), every);
  onScopeDispose(() => clearInterval(timer));
  void refresh();
  return { error, loaded, refresh };
}
