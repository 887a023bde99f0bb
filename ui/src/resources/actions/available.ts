// Which actions a row or a list has: the declared ones that the caller may use, and what else the API can do to it.

import { useApis, type Api } from "@/api/apis";
import type { Row } from "@/api/client";
import type { Action, Resource } from "../declaration";
import { resources } from "../index";
import { listCommandOf } from "../relations";

function allActions(of: Resource): Action[] {
  return [...of.actions, ...(of.tabs ?? []).flatMap((tab) => tab.actions ?? [])];
}

let mentioned: Set<string> | undefined;

/** The commands that some declaration offers. */
export function declaredCommands(): Set<string> {
  mentioned ??= new Set(resources.flatMap((each) => allActions(each).map((action) => action.command)));
  return mentioned;
}

const READS = /^(list|query|find|login|logout|follow)/;

/**
 * What listApis relates to the resource and no declaration offers: a command that takes the row's id, or names it by a
 * parameter that it needs, is about the row; one that answers such rows and needs none makes new ones.
 */
export function undeclaredActions(of: Resource): Action[] {
  const apis = useApis().all;
  const known = found.get(apis) ?? new Map<Resource, Action[]>();
  found.set(apis, known);
  const actions = known.get(of) ?? find(of, apis);
  known.set(of, actions);
  return actions;
}

/** What was found already: a list has a menu in every row. */
const found = new WeakMap<Map<string, Api>, Map<Resource, Action[]>>();

function find(of: Resource, apis: Map<string, Api>): Action[] {
  const declared = declaredCommands();
  const actions: Action[] = [];
  for (const api of apis.values()) {
    if (!declared.has(api.name) && !READS.test(api.name)) {
      const action = related(api, of);
      if (action) {
        actions.push(action);
      }
    }
  }
  return actions.sort((a, b) => a.command.localeCompare(b.command));
}

function related(api: Api, of: Resource): Action | undefined {
  const names = (name: string) =>
    api.params.find((each) => each.name === name && listCommandOf(each, api.name) === of.list.command);
  const own = api.params.some((each) => each.name === "id");
  const target =
    names("id") ?? (own ? undefined : api.params.find((each) => each.required && names(each.name)));
  if (target) {
    return {
      command: api.name,
      on: "row",
      target: target.name,
      danger: /^(delete|remove|destroy)/.test(api.name),
    };
  }
  const makes = !own && /^(create|add|register|deploy|import|upload)/.test(api.name);
  return makes && api.related.split(",").includes(of.list.command)
    ? { command: api.name, on: "list" }
    : undefined;
}

function may(action: Action): boolean {
  return useApis().can(action.command);
}

/** The actions on a row that make sense for it now. */
export function rowActions(of: Resource, row: Row): { declared: Action[]; others: Action[] } {
  const fits = (action: Action) => action.on === "row" && may(action) && (action.when?.(row) ?? true);
  return { declared: of.actions.filter(fits), others: undeclaredActions(of).filter(fits) };
}

/** The actions on several rows: for each the rows for which it makes sense. */
export function bulkActions(of: Resource, rows: Row[]): { action: Action; rows: Row[] }[] {
  return of.actions
    .filter((action) => action.on === "row" && action.bulk && may(action))
    .map((action) => ({ action, rows: rows.filter((row) => action.when?.(row) ?? true) }));
}

/** The actions on the list, such as creations. */
export function listActions(of: Resource): { declared: Action[]; others: Action[] } {
  const fits = (action: Action) => action.on === "list" && may(action);
  return { declared: of.actions.filter(fits), others: undeclaredActions(of).filter(fits) };
}
