// What forms of firewall rules and the like have in common: ports for TCP and UDP, types for ICMP.

import type { Row, Value } from "@/api/client";
import type { FormField } from "../../declaration";

type Values = Record<string, Value>;

/** Whether the protocol that is chosen has ports. */
export function hasPorts(values: Values): boolean {
  return ["tcp", "udp", "6", "17"].includes(String(values.protocol ?? "tcp").toLowerCase());
}

/** Whether the protocol that is chosen is ICMP. */
export function isIcmp(values: Values): boolean {
  return ["icmp", "1"].includes(String(values.protocol ?? "").toLowerCase());
}

/** Protocol, then ports or ICMP's type and code. */
export function protocolFields(protocols: string[]): FormField[] {
  return [
    { name: "protocol", values: protocols, initial: (row) => String(row?.protocol ?? protocols[0]) },
    { name: "startport", when: hasPorts },
    { name: "endport", when: hasPorts },
    { name: "icmptype", when: isIcmp },
    { name: "icmpcode", when: isIcmp },
  ];
}

/** "22" or "8000-8080". */
export function range(row: Row, from: string, to: string): string {
  const [first, last] = [row[from], row[to]].map((each) => (each === undefined ? "" : String(each)));
  return last && last !== first ? `${first}-${last}` : (first ?? "");
}
