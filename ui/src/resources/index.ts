// All resources, in the order of the menu. Each file of declarations/ tells those of one concern.

import type { Resource } from "./declaration";
import { comments } from "./declarations/parts/comments";

const parts = import.meta.glob<{ default: Resource[] }>("./declarations/*.ts", { eager: true });

export const resources: Resource[] = Object.values(parts)
  .flatMap((part) => part.default)
  .map((each) =>
    each.commented ? { ...each, tabs: [...(each.tabs ?? []), comments(each.commented)] } : each,
  );

const byName = new Map(resources.map((each) => [each.name, each]));

/** The resource of that name. */
export function resource(name: string): Resource | undefined {
  return byName.get(name);
}
