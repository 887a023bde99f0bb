// What placement answers: the payload of the entry with which it names a host, or says that there is none.

import type { Entry } from "./traces";

export interface Filtered {
  name: string;
  wanted: string;
  took: number;
  left: number;
  hosts: { host: string; has: string }[];
}

export interface Planning {
  policy: string;
  request: Record<string, unknown>;
  considered: number;
  filters: Filtered[];
  feasible: number;
  scores: { host: string; score: number | null }[];
  chosen: string | null;
  error: string;
}

/** The planning that an entry tells of; null where it tells of none, or of one too long to be told whole. */
export function planningOf(entry: Entry): Planning | null {
  if (entry.kind !== "placement" || entry.source !== "placement" || !entry.payload) return null;
  try {
    return JSON.parse(entry.payload) as Planning;
  } catch {
    return null;
  }
}
