// What a list shows: page, search, filters, order. It stands in the address, so that it can be shared and gone back to.

import type { LocationQuery, LocationQueryRaw } from "vue-router";

export interface Sort {
  field: string;
  descending: boolean;
}

export interface ListState {
  page: number;
  pagesize: number;
  keyword: string;
  /** Values of the list command's parameters, as texts. */
  filters: Record<string, string>;
  sort: Sort | null;
}

export const PAGE_SIZES = [20, 50, 100, 200, 500];

/** What stands in the address besides filters. */
const OWN = new Set(["page", "pagesize", "search", "sort", "tab"]);

export function initialState(pagesize = PAGE_SIZES[0]): ListState {
  return { page: 1, pagesize, keyword: "", filters: {}, sort: null };
}

function text(value: LocationQuery[string] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? "";
}

/** The state that an address tells; what it does not tell is as at first. */
export function fromQuery(query: LocationQuery, pagesize = PAGE_SIZES[0]): ListState {
  const size = Number(text(query.pagesize));
  const page = Number(text(query.page));
  const sort = text(query.sort);
  const filters: Record<string, string> = {};
  for (const [name, value] of Object.entries(query)) {
    if (!OWN.has(name) && text(value) !== "") {
      filters[name] = text(value);
    }
  }
  return {
    page: Number.isInteger(page) && page > 0 ? page : 1,
    pagesize: PAGE_SIZES.includes(size) ? size : pagesize,
    keyword: text(query.search),
    filters,
    sort: sort ? { field: sort.replace(/^-/, ""), descending: sort.startsWith("-") } : null,
  };
}

/** The address of a state: only what differs from the first one. */
export function toQuery(state: ListState, pagesize = PAGE_SIZES[0]): LocationQueryRaw {
  return {
    ...state.filters,
    ...(state.page > 1 ? { page: String(state.page) } : {}),
    ...(state.pagesize !== pagesize ? { pagesize: String(state.pagesize) } : {}),
    ...(state.keyword ? { search: state.keyword } : {}),
    ...(state.sort ? { sort: (state.sort.descending ? "-" : "") + state.sort.field } : {}),
  };
}
