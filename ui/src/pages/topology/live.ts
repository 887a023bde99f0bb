// Keeps the datacenter's picture up to date: what changed is asked for when the change feed tells of something, and
// every few seconds for the links' load. Answers are small where little happens.

import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";
import { call } from "@/api/client";
import { onChanges } from "@/api/changes";
import { Datacenter, type Taken, type TopologyAnswer } from "./datacenter";

const EVERY = 2500;
const SOON = 250;

/** `taken` is called after every answer that brought something. */
export function useDatacenter(zoneId: Ref<string | undefined>, taken: (what: Taken) => void) {
  const datacenter = shallowRef(new Datacenter());
  /** Counts answers, for what shows figures of the datacenter. */
  const tick = ref(0);
  const error = ref("");
  const loading = ref(true);
  let asking = false;
  let again = false;
  let gone = false;
  let timer = 0;

  async function ask(): Promise<void> {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    clearTimeout(timer);
    const zone = zoneId.value;
    const known = datacenter.value;
    try {
      const { topology } = await call<{ topology: TopologyAnswer }>("listTopology", {
        zoneid: zone,
        since: known.version || undefined,
      });
      if (!gone && known === datacenter.value) {
        const links = known.links;
        const what = known.take(topology);
        error.value = "";
        loading.value = false;
        if (what.laidOutAnew || what.changed.length > 0 || links.size > 0 || known.links.size > 0) {
          tick.value += 1;
          taken(what);
        }
      }
    } catch (reason) {
      error.value = (reason as Error).message;
      loading.value = false;
    }
    asking = false;
    if (!gone) {
      timer = window.setTimeout(() => void look(), again ? SOON : EVERY);
      again = false;
    }
  }

  async function look(): Promise<void> {
    if (document.hidden) {
      timer = window.setTimeout(() => void look(), EVERY);
    } else {
      await ask();
    }
  }

  watch(
    zoneId,
    () => {
      datacenter.value = new Datacenter();
      loading.value = true;
      void ask();
    },
    { immediate: true },
  );
  onChanges(["host", "virtualmachine", "router", "systemvm"], () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void look(), SOON);
  });
  onScopeDispose(() => {
    gone = true;
    clearTimeout(timer);
  });

  return { datacenter, tick, error, loading, ask };
}
