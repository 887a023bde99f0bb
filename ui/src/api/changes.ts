// Live updates: who shows rows hears when some of them have changed.

import { onScopeDispose } from "vue";

export interface Change {
  /** The key of the list command's answer, such as virtualmachine. */
  type: string;
  id: string;
  change: "created" | "updated" | "removed";
  name?: string;
  state?: string;
}

const EVERY = 10_000;

/**
 * Have `callback` called when rows of these types have changed, until the component is gone; null means that
 * anything may have changed.
 */
export function onChanges(types: string[], callback: (changes: Change[] | null) => void): void {
  void types;
  const timer = setInterval(() => document.hidden || callback(null), EVERY);
  onScopeDispose(() => clearInterval(timer));
}
