// What this browser keeps for a user: which columns a list has, how many rows a page, and the views that were saved.

import { useSession } from "@/api/session";
import type { Sort } from "./state";

/** A view that was saved by name: what is shown, in which columns and order. */
export interface SavedView {
  name: string;
  keyword: string;
  filters: Record<string, string>;
  columns: string[] | null;
  sort: Sort | null;
}

export interface Kept {
  /** Names of the shown columns in their order; null: as declared. */
  columns: string[] | null;
  pagesize: number | null;
  views: SavedView[];
}

function key(resource: string): string {
  return `cloudsim.list.${useSession().current?.userid ?? ""}.${resource}`;
}

/** What is kept of a resource's list; what cannot be read is as if it had never been kept. */
export function read(resource: string): Kept {
  const none: Kept = { columns: null, pagesize: null, views: [] };
  try {
    const kept = JSON.parse(localStorage.getItem(key(resource)) ?? "{}") as Partial<Kept>;
    return {
      columns: Array.isArray(kept.columns) ? kept.columns.map(String) : null,
      pagesize: typeof kept.pagesize === "number" ? kept.pagesize : null,
      views: Array.isArray(kept.views) ? kept.views.filter((view) => typeof view?.name === "string") : [],
    };
  } catch {
    return none;
  }
}

export function write(resource: string, kept: Kept): void {
  localStorage.setItem(key(resource), JSON.stringify(kept));
}

/** The views with this one; one of the same name is replaced. */
export function withView(views: SavedView[], view: SavedView): SavedView[] {
  return [...views.filter((each) => each.name !== view.name), view].sort((a, b) =>
    a.name.localeCompare(b.name),
  );
}
