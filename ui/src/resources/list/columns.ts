// The columns of a list: those declared, those chosen, and all others that the list command answers.

import { useApis } from "@/api/apis";
import type { Field, Resource } from "../declaration";

/** The API's type of a member of a list command's rows. */
export function typesOf(command: string): Map<string, string> {
  return new Map(
    useApis()
      .get(command)
      ?.response.map((field) => [field.name, field.type]),
  );
}

const NO_COLUMN = new Set(["jobid", "jobstatus", "jobinstanceid", "jobinstancetype"]);

/** Every column that there can be: the declared ones first, in their order. */
export function allColumns(of: Resource): Field[] {
  const apis = useApis();
  const declared = of.columns.filter((field) => !field.needs || apis.can(field.needs));
  const names = new Set(of.columns.map((field) => field.name));
  const others = (apis.get(of.list.command)?.response ?? [])
    .filter((field) => !names.has(field.name) && !NO_COLUMN.has(field.name))
    .map((field) => ({ name: field.name, hidden: true }));
  return [...declared, ...others];
}

/** The shown columns: the chosen ones in their order, else the declared ones that are not hidden. */
export function shownColumns(all: Field[], chosen: string[] | null): Field[] {
  if (chosen === null) {
    return all.filter((field) => !field.hidden);
  }
  const byName = new Map(all.map((field) => [field.name, field]));
  return chosen.map((name) => byName.get(name)).filter((field) => field !== undefined);
}
