// Where things are: the addresses of lists and of single rows, and which id of a row leads where.

import { useApis } from "@/api/apis";
import type { Row } from "@/api/client";
import type { Field, Resource } from "./declaration";
import { resource, resources } from "./index";
import { MEMBERS, NAMES_OF } from "./members";

/** The id of a row, whatever member holds it. */
export function idOf(of: Resource, row: Row): string {
  return String(row[of.id ?? "id"] ?? "");
}

/** What a row is called. */
export function titleOf(of: Resource, row: Row): string {
  const title = of.title?.(row) ?? row.displayname ?? row.name ?? row[of.id ?? "id"];
  return String(title ?? "");
}

/** The address of a row's page. */
export function pathOf(of: Resource, row: Row): string {
  return `/${of.name}/${encodeURIComponent(idOf(of, row))}`;
}

const byCommand = new Map<string, Resource>();

/** The resource that a list command lists. */
export function resourceListedBy(command: string): Resource | undefined {
  if (byCommand.size === 0) {
    for (const each of resources) {
      if (!byCommand.has(each.list.command)) {
        byCommand.set(each.list.command, each);
      }
    }
  }
  return byCommand.get(command);
}

/** Which resource a member with an id leads to. */
export function resourceOfMember(member: string): Resource | undefined {
  const command = MEMBERS[member];
  return command ? resourceListedBy(command) : undefined;
}

/** The id of a thing whose kind another member tells, as in tags. */
const OF_ANY_KIND = "resourceid";

function taggedAs(type: unknown): Resource | undefined {
  return typeof type === "string"
    ? resources.find((each) => each.tagged === type && !each.list.within)
    : undefined;
}

/** The path to what the field names, where that is a resource which the caller may list and the row has its id. */
export function linkOf(row: Row, field: Field): string | undefined {
  const declared = field.link && resource(field.link.resource);
  const member =
    field.link?.id ?? NAMES_OF[field.name] ?? (field.name === OF_ANY_KIND ? OF_ANY_KIND : undefined);
  const kind = member === OF_ANY_KIND ? taggedAs(row.resourcetype) : undefined;
  const target = declared ?? kind ?? (member ? resourceOfMember(member) : undefined);
  const id = member ? row[member] : undefined;
  if (!target || !useApis().can(target.list.command)) {
    return undefined;
  }
  return typeof id === "string" && id !== "" ? `/${target.name}/${encodeURIComponent(id)}` : undefined;
}
