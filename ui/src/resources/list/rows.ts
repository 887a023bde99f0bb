// The rows of a list: read a page at a time from the API, and read anew when something has changed.

import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";
import { onChanges } from "@/api/changes";
import { call, list, type Parameters, type Row } from "@/api/client";
import { useSession } from "@/api/session";
import { useApis } from "@/api/apis";
import type { Resource } from "../declaration";
import { idOf } from "../links";
import { scope } from "../relations";
import { compare, kindOf, valueOf } from "../values/kinds";
import { typesOf } from "./columns";
import type { ListState } from "./state";

/** The parameters that a list is asked for by. */
export function listParameters(of: Resource, state: ListState, within: Parameters): Parameters {
  const { list: how } = of;
  const paged = how.whole ? {} : { page: state.page, pagesize: state.pagesize };
  const search = !how.whole && state.keyword ? { [how.search ?? "keyword"]: state.keyword } : {};
  return { ...scope(how.command), ...how.parameters?.(), ...paged, ...search, ...state.filters, ...within };
}

/** The rows of one call; those within other objects where the resource says so. */
export async function fetchRows(of: Resource, parameters: Parameters, signal?: AbortSignal) {
  const { command, key, members } = of.list;
  if (!members) {
    return list(command, key, parameters, signal);
  }
  const answer = await call<Record<string, unknown>>(command, parameters, signal);
  const holders = [answer[key] ?? []].flat() as Record<string, Row[] | undefined>[];
  const rows = holders.flatMap((holder) => holder[members] ?? []);
  return { rows, count: rows.length };
}

/** The page of rows that the state asks for, kept up to date. `within` narrows it to what belongs to another row. */
export function useRows(of: Resource, state: Ref<ListState>, within: Ref<Parameters>) {
  const session = useSession();
  const pageRows = shallowRef<Row[]>([]);
  const count = ref(0);
  const loading = ref(true);
  const loaded = ref(false);
  const error = ref("");
  const types = typesOf(of.list.command);
  let asked = new AbortController();
  let again = false;

  async function refresh(): Promise<void> {
    asked.abort();
    const mine = (asked = new AbortController());
    loading.value = true;
    try {
      const page = await fetchRows(of, listParameters(of, state.value, within.value), mine.signal);
      pageRows.value = page.rows;
      count.value = page.count;
      error.value = "";
      loaded.value = true;
    } catch (reason) {
      if (!mine.signal.aborted) {
        error.value = (reason as Error).message;
      }
    } finally {
      if (mine === asked) {
        loading.value = false;
        if (again) {
          again = false;
          void refresh();
        }
      }
    }
  }

  /** Where all rows come at once, searching and paging are done here. */
  const found = computed(() => {
    const keyword = state.value.keyword.toLowerCase();
    return of.list.whole && keyword
      ? pageRows.value.filter((row) => JSON.stringify(row).toLowerCase().includes(keyword))
      : pageRows.value;
  });
  const total = computed(() => (of.list.whole ? found.value.length : count.value));
  const rows = computed(() => {
    const { sort, page, pagesize } = state.value;
    let sorted = found.value;
    if (sort) {
      const field = of.columns.find((each) => each.name === sort.field) ?? { name: sort.field };
      const kind = kindOf(field, types.get(field.name));
      const sign = sort.descending ? -1 : 1;
      sorted = [...sorted].sort((a, b) => sign * compare(valueOf(a, field), valueOf(b, field), kind));
    }
    return of.list.whole ? sorted.slice((page - 1) * pagesize, page * pagesize) : sorted;
  });

  // what is asked of the server, and nothing else, makes it be asked again
  watch(
    () => JSON.stringify([listParameters(of, state.value, within.value), session.projectId]),
    () => void refresh(),
    { immediate: true },
  );

  let later: ReturnType<typeof setTimeout> | undefined;
  function refreshSoon(): void {
    later ??= setTimeout(() => {
      later = undefined;
      if (loading.value) {
        again = true; // what is on its way is shown first: where much changes nothing would ever be
      } else {
        void refresh();
      }
    }, 500);
  }
  onChanges([of.changes ?? of.list.key], (changes) => {
    const shown = new Set(pageRows.value.map((row) => idOf(of, row)));
    if (changes === null || changes.some((each) => each.change !== "updated" || shown.has(each.id))) {
      refreshSoon();
    }
  });
  onScopeDispose(() => {
    clearTimeout(later);
    again = false;
    asked.abort();
  });

  return { rows, total, loading, loaded, error, types, refresh };
}

/** One row by its id; undefined: there is none that the caller may see. Raises ApiError. */
export async function fetchOne(of: Resource, id: string, signal?: AbortSignal): Promise<Row | undefined> {
  const one = of.list.one ?? "id";
  const known = useApis().get(of.list.command)?.params ?? [];
  const takes = known.some((parameter) => parameter.name === one);
  // a list that leaves out what is not in use has to be asked for all
  const anyState = known.some((parameter) => parameter.name === "state" && parameter.values?.includes("all"));
  const parameters = {
    ...scope(of.list.command),
    ...of.list.parameters?.(),
    ...(anyState ? { state: "all" } : {}),
    ...(takes ? { [one]: id } : {}),
  };
  const { rows } = await fetchRows(of, parameters, signal);
  return rows.find((row) => idOf(of, row) === id);
}
