// The rows of a list command, asked anew when its parameters change.

import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";
import { list, type Parameters, type Row } from "@/api/client";

export interface Rows {
  rows: Readonly<Ref<Row[]>>;
  /** How many there are on all pages. */
  count: Ref<number>;
  busy: Ref<boolean>;
  /** What the API refused. */
  refused: Ref<string>;
  reload: () => Promise<void>;
}

/** `parameters` answers null while it cannot be asked. Keystrokes are waited for: a change is asked 200 ms later. */
export function useRows(command: string, key: string, parameters: () => Parameters | null): Rows {
  const rows = shallowRef<Row[]>([]);
  const count = ref(0);
  const busy = ref(false);
  const refused = ref("");
  let turn = 0;
  let timer = 0;

  async function reload(): Promise<void> {
    const asked = parameters();
    const mine = ++turn;
    if (asked === null) {
      rows.value = [];
      count.value = 0;
      busy.value = false; // what is still asked for is wanted no more
      refused.value = "";
      return;
    }
    busy.value = true;
    refused.value = "";
    try {
      const page = await list(command, key, asked);
      if (mine === turn) {
        rows.value = page.rows;
        count.value = page.count;
      }
    } catch (error) {
      if (mine === turn) {
        refused.value = (error as Error).message;
        rows.value = [];
      }
    } finally {
      if (mine === turn) {
        busy.value = false;
      }
    }
  }

  watch(
    () => JSON.stringify(parameters()),
    (_, before) => {
      clearTimeout(timer);
      timer = window.setTimeout(() => void reload(), before === undefined ? 0 : 200);
    },
    { immediate: true },
  );
  onScopeDispose(() => clearTimeout(timer));
  return { rows, count, busy, refused, reload };
}
