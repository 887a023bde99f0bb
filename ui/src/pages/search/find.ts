// What the search finds: pages and creations by their names at once, rows of resources by asking the API.

import type { Component } from "vue";
import { useApis } from "@/api/apis";
import { list, type Parameters, type Row } from "@/api/client";
import { useSession } from "@/api/session";
import { resource, resources } from "@/resources";
import { listActions } from "@/resources/actions/available";
import type { Action, Resource } from "@/resources/declaration";
import { actionLabel, pluralLabel } from "@/resources/labels";
import { pathOf, titleOf } from "@/resources/links";
import { menuSections } from "@/shell/menu";

export interface Found {
  key: string;
  title: string;
  /** What it is, or where. */
  about: string;
  icon?: Component;
  path: string;
  /** To be begun at that path. */
  action?: { of: Resource; action: Action };
}

/** The resources whose rows are looked for, the likeliest first. */
const SEARCHED = [
  "vm",
  "host",
  "network",
  "vpc",
  "volume",
  "template",
  "iso",
  "snapshot",
  "account",
  "project",
  "domain",
  "user",
  "zone",
  "cluster",
  "storagepool",
  "router",
  "systemvm",
  "publicip",
  "securitygroup",
  "serviceoffering",
];
const OF_EACH = 4;

/** How well a text fits what was typed; the smaller the better, undefined for not at all. Every word must be in it. */
export function fit(text: string, typed: string): number | undefined {
  const within = text.toLowerCase();
  let worst = 0;
  for (const word of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = within.indexOf(word);
    if (at < 0) {
      return undefined;
    }
    const begins = at === 0 ? 0 : /[\s\-_.(]/.test(within.charAt(at - 1)) ? 1 : 2;
    worst = Math.max(worst, begins);
  }
  return worst * 1000 + within.length;
}

function fitting(all: Found[], typed: string, most: number): Found[] {
  if (!typed) {
    return all.slice(0, most);
  }
  return all
    .map((found) => ({ found, by: fit(found.title, typed) }))
    .filter((each): each is { found: Found; by: number } => each.by !== undefined)
    .sort((a, b) => a.by - b.by)
    .slice(0, most)
    .map((each) => each.found);
}

/** Pages of the menu, and lists. */
export function pages(typed: string): Found[] {
  const all = menuSections().flatMap((section) =>
    section.entries.map((entry) => ({
      key: `page ${entry.path}`,
      title: entry.title,
      about: section.title,
      icon: entry.icon,
      path: entry.path,
    })),
  );
  return fitting(all, typed, typed ? 5 : 8);
}

/** What can be made. */
export function actions(typed: string): Found[] {
  const all = resources
    .filter((each) => !each.list.within && useApis().can(each.list.command))
    .flatMap((of) =>
      listActions(of).declared.map((action) => ({
        key: `action ${of.name} ${action.name ?? action.command}`,
        title: actionLabel(action),
        about: pluralLabel(of),
        icon: action.icon ?? of.icon,
        path: `/${of.name}`,
        action: { of, action },
      })),
    );
  return fitting(all, typed, 4);
}

/** Rows that the API finds by the text, or by an id. Resources of which nothing is found are left out. */
export async function rows(typed: string, signal: AbortSignal): Promise<Found[]> {
  const apis = useApis();
  const searched = SEARCHED.map(resource).filter(
    (each): each is Resource => !!each && apis.can(each.list.command),
  );
  const answers = await Promise.all(searched.map((each) => ask(each, typed, signal).catch(() => [])));
  if (signal.aborted) {
    return [];
  }
  return answers.flatMap((found, at) =>
    found.map((row) => ({
      key: `${searched[at]!.name} ${String(row.id)}`,
      title: titleOf(searched[at]!, row),
      about: [pluralLabel(searched[at]!), row.zonename, row.state].filter(Boolean).join(" · "),
      icon: searched[at]!.icon,
      path: pathOf(searched[at]!, row),
    })),
  );
}

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

async function ask(of: Resource, typed: string, signal: AbortSignal): Promise<Row[]> {
  const takes = new Set(
    useApis()
      .get(of.list.command)
      ?.params.map((each) => each.name),
  );
  const byId = ID.test(typed) && takes.has("id");
  const project = useSession().projectId;
  const asked: Parameters = {
    ...of.list.parameters?.(),
    [byId ? "id" : (of.list.search ?? "keyword")]: typed,
    page: 1,
    pagesize: OF_EACH,
    ...(takes.has("listall") ? { listall: true } : {}),
    ...(project && takes.has("projectid") ? { projectid: project } : {}),
  };
  return (await list(of.list.command, of.list.key, asked, signal)).rows.slice(0, OF_EACH);
}
