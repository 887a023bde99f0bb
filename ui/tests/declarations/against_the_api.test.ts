// Declarations against what a server says of itself in listApis, whose answer is in the file that LIST_APIS names.
// `python -m pytest tests/browser/ui/test_declarations.py` asks a server and runs this; alone it is skipped.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createPinia, setActivePinia } from "pinia";
import { beforeAll, describe, expect, test } from "vitest";
import { useApis, type Api } from "@/api/apis";
import type { Row } from "@/api/client";
import { messages } from "@/messages";
import { undeclaredActions } from "@/resources/actions/available";
import type { Action, Choices, Field, Resource, Tab } from "@/resources/declaration";
import { resources } from "@/resources";

const FILE = process.env.LIST_APIS;

/** Commands that no page offers, and why. */
const ELSEWHERE: Record<string, string> = {
  login: "the page to sign in",
  logout: "the header's menu",
  listApis: "read once after signing in",
  listCapabilities: "read once after signing in",
  listAffectedVmsForStorageScopeChange: "what stands against a change is in its error; the page of the API",
  listHostTags: "tags are columns of hosts; the page of the API",
  listStorageTags: "tags are columns of primary storage; the page of the API",
  listInfrastructure: "its counts are those of the lists; the page of the API",
  listDbMetrics: "one answer without rows; the page of the API",
  listUsageServerMetrics: "one answer without rows; the page of the API",
  readyForShutdown: "its answer is the state of the list of management servers; the page of the API",
  getApiLimit: "one answer about the very calls that a page makes; the page of the API",
  queryAsyncJobResult: "asked for every job that was begun, and on the page of jobs",
};

const apis = new Map<string, Api>();
/** A row that has every member, as far as a declaration may ask. */
const anyRow = new Proxy({ id: "1" } as Row, {
  get: (row, name) => (name in row ? row[name as string] : "x"),
});

function parametersOf(command: string): Set<string> {
  return new Set(apis.get(command)?.params.map((each) => each.name));
}

function fieldsOf(command: string): Set<string> {
  return new Set(apis.get(command)?.response.map((each) => each.name));
}

interface Offered {
  of: Resource;
  action: Action;
}

function actions(): Offered[] {
  return resources.flatMap((of) =>
    [...of.actions, ...(of.tabs ?? []).flatMap((tab) => tab.actions ?? [])].map((action) => ({ of, action })),
  );
}

function choices(): Choices[] {
  const found = resources.flatMap((of) => of.filters ?? []).map((filter) => filter.choices);
  for (const { action } of actions()) {
    found.push(...(action.form ?? []).map((each) => (typeof each === "string" ? undefined : each.choices)));
  }
  return found.filter((each) => each !== undefined);
}

function tabs(): { of: Resource; tab: Tab }[] {
  return resources.flatMap((of) => (of.tabs ?? []).map((tab) => ({ of, tab })));
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((each) => {
    const path = join(folder, each.name);
    return each.isDirectory() ? sources(path) : /\.(ts|vue)$/.test(path) ? [readFileSync(path, "utf8")] : [];
  });
}

function known(key: string): boolean {
  return (messages.global.te as unknown as (key: string) => boolean)(key);
}

describe.skipIf(!FILE)("what is declared", () => {
  beforeAll(() => {
    for (const api of JSON.parse(readFileSync(FILE!, "utf8")) as Api[]) {
      apis.set(api.name, api);
    }
    setActivePinia(createPinia());
    useApis().all = apis;
  });

  test("is done by commands that the server has", () => {
    const commands = [
      ...resources.map((of) => of.list.command),
      ...actions().map(({ action }) => action.command),
      ...choices().map((each) => each.command),
    ];
    expect([...new Set(commands)].filter((name) => !apis.has(name))).toEqual([]);
  });

  test("asks for parameters that the commands take", () => {
    const wrong: string[] = [];
    for (const { of, action } of actions()) {
      if (action.page || action.run) continue;
      const takes = parametersOf(action.command);
      const named = [
        ...(action.form ?? []).map((each) => (typeof each === "string" ? each : each.name)),
        ...(action.without ?? []),
        ...Object.keys(action.fixed?.(anyRow, anyRow) ?? {}),
        ...(action.on === "row" && action.target !== "" ? [action.target ?? "id"] : []),
      ];
      wrong.push(
        ...named.filter((name) => !takes.has(name)).map((name) => `${of.name}: ${action.command} ${name}`),
      );
    }
    expect(wrong).toEqual([]);
  });

  test("leaves no required parameter of a row's action to chance", () => {
    const wrong: string[] = [];
    for (const { of, action } of actions()) {
      if (action.page || action.run || action.on === "list") continue;
      const given = new Set([action.target ?? "id", ...Object.keys(action.fixed?.(anyRow, anyRow) ?? {})]);
      const never = (action.without ?? []).filter((name) => !given.has(name));
      const missing = apis
        .get(action.command)
        ?.params.filter((each) => each.required && never.includes(each.name));
      wrong.push(...(missing ?? []).map((each) => `${of.name}: ${action.command} ${each.name}`));
    }
    expect(wrong).toEqual([]);
  });

  test("filters and narrows by parameters of the list commands", () => {
    const wrong: string[] = [];
    const check = (of: Resource, names: string[], why: string) => {
      const takes = parametersOf(of.list.command);
      wrong.push(
        ...names.filter((name) => !takes.has(name)).map((name) => `${of.list.command} ${name} (${why})`),
      );
    };
    for (const of of resources) {
      check(
        of,
        (of.filters ?? []).map((each) => each.name),
        `filter of ${of.name}`,
      );
      check(of, Object.keys(of.list.parameters?.() ?? {}), `parameter of ${of.name}`);
      check(of, of.list.within ?? [], `within of ${of.name}`);
      if (!of.list.within && !of.list.whole && of.name !== "asyncjob")
        check(of, [of.list.one ?? "id"], `one ${of.name}`);
    }
    for (const { of, tab } of tabs()) {
      const listed = resources.find((each) => each.name === tab.resource);
      if (listed) check(listed, Object.keys(tab.parameters?.(anyRow) ?? {}), `tab ${tab.name} of ${of.name}`);
    }
    expect(wrong).toEqual([]);
  });

  test("shows members that the answers have", () => {
    const wrong: string[] = [];
    const first = (field: string | Field) => (typeof field === "string" ? field : field.name).split(".")[0];
    for (const of of resources) {
      if (of.list.members) continue;
      const has = fieldsOf(of.list.command);
      const shown = [...of.columns, ...(of.details ?? [])].filter(
        (each) => typeof each === "string" || !each.value,
      );
      const members = (of.tabs ?? []).flatMap((tab) => (tab.member ? [tab.member] : []));
      wrong.push(
        ...[...shown.map(first), ...members]
          .filter((name) => !has.has(name))
          .map((name) => `${of.name} ${name}`),
      );
    }
    expect(wrong).toEqual([]);
  });

  test("leads to resources that are declared", () => {
    const names = new Set(resources.map((each) => each.name));
    const links = resources.flatMap((of) => [
      ...(of.tabs ?? []).flatMap((tab) => (tab.resource ? [tab.resource] : [])),
      ...[...of.columns, ...(of.details ?? [])].flatMap((each) =>
        typeof each !== "string" && each.link ? [each.link.resource] : [],
      ),
    ]);
    expect(names.size).toBe(resources.length);
    expect(links.filter((each) => !names.has(each))).toEqual([]);
  });

  test("has a name in the messages", () => {
    const keys = [
      ...resources.flatMap((of) => [`resources.plural.${of.name}`, `resources.singular.${of.name}`]),
      ...tabs().map(({ tab }) => `resources.tabs.${tab.name}`),
      ...actions().map(({ action }) => `resources.actions.${action.name ?? action.command}`),
      ...actions().flatMap(({ action }) => (action.warning ? [action.warning] : [])),
    ];
    expect([...new Set(keys)].filter((key) => !known(key))).toEqual([]);
  });

  test("is reached from the menu or from another resource's tab", () => {
    const tabbed = new Set(tabs().map(({ tab }) => tab.resource));
    expect(resources.filter((of) => of.nested && !tabbed.has(of.name)).map((of) => of.name)).toEqual([]);
  });

  test("and the other pages offer every command of the server", () => {
    const offered = new Set([
      ...resources.map((of) => of.list.command),
      ...actions().map(({ action }) => action.command),
      ...choices().map((each) => each.command),
      ...resources.flatMap((of) => undeclaredActions(of).map((action) => action.command)),
      ...Object.keys(ELSEWHERE),
    ]);
    const text = sources("src").join("\n");
    const missing = [...apis.keys()].filter((name) => !offered.has(name) && !text.includes(`"${name}"`));
    expect(missing).toEqual([]);
  });
});
