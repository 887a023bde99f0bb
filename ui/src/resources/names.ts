// What things are called of which a row has only the id: asked of the API once, and known for a while.

import { call, type Row } from "@/api/client";
import type { Resource } from "./declaration";
import { titleOf } from "./links";
import { rowsIn, scope } from "./relations";

const KNOWN_FOR = 60_000;
const known = new Map<string, { name: Promise<string | undefined>; at: number }>();

async function ask(of: Resource, id: string): Promise<string | undefined> {
  const { command, one, key, parameters } = of.list;
  try {
    const answer = await call(command, { ...scope(command), ...parameters?.(), [one ?? "id"]: id });
    const row = rowsIn(answer, key)[0] as Row | undefined;
    return row && titleOf(of, row);
  } catch {
    return undefined; // it is gone, or not the caller's to see
  }
}

/** The name of what has that id; undefined where there is none that the caller may see. */
export function nameOf(of: Resource, id: string): Promise<string | undefined> {
  const place = `${of.name} ${id}`;
  const found = known.get(place);
  if (found && Date.now() - found.at < KNOWN_FOR) {
    return found.name;
  }
  const name = ask(of, id);
  known.set(place, { name, at: Date.now() });
  return name;
}
