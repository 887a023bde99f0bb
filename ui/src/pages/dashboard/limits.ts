// What an account or project has, and how much of it it may have: from the fields of listAccounts and listProjects.

import type { Row } from "@/api/client";

/** What is limited, as the fields begin, in the order in which it is shown. */
export const LIMITED = [
  "vm",
  "cpu",
  "memory",
  "volume",
  "primarystorage",
  "snapshot",
  "network",
  "vpc",
  "ip",
  "template",
  "secondarystorage",
  "backup",
  "backupstorage",
];

const GIB = 2 ** 30;
const UNITS: Record<string, number> = {
  memory: 2 ** 20,
  primarystorage: GIB,
  secondarystorage: GIB,
  backupstorage: GIB,
};

export interface Limit {
  name: string;
  used: number;
  /** Infinity where there is none. */
  limit: number;
  /** Bytes of one; 0 for what is counted. */
  unit: number;
}

/** The limits that a row tells of. */
export function limitsOf(row: Row): Limit[] {
  return LIMITED.filter((name) => row[`${name}total`] !== undefined).map((name) => {
    const limit = Number(row[`${name}limit`]);
    return {
      name,
      used: Number(row[`${name}total`]),
      limit: Number.isFinite(limit) ? limit : Infinity,
      unit: UNITS[name] ?? 0,
    };
  });
}

/** 0 to 1; 0 where there is no limit. */
export function filled({ used, limit }: Limit): number {
  if (limit === 0) {
    return used > 0 ? 1 : 0;
  }
  return Math.min(1, used / limit);
}
