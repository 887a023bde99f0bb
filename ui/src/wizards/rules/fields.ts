// What rules are made of: fields that several kinds of rules share, and how their values are sent.

import type { Parameters, Row } from "@/api/client";
import { text } from "../frame/rows";

export type RuleValues = Record<string, string | string[]>;

export interface RuleField {
  name: string;
  /** For messages: wizards.rules.fields.LABEL. */
  label: string;
  kind: "text" | "select" | "row" | "rows";
  options?: string[];
  /** Among what to choose. */
  rows?: { command: string; key: string; parameters: Parameters };
  initial?: string;
  placeholder?: string;
  required?: boolean;
  when?: (values: RuleValues) => boolean;
  /** What a rule that there is says. */
  show: (row: Row) => string;
}

const withPorts = (values: RuleValues): boolean => ["tcp", "udp"].includes(String(values.protocol));

/** Ports as people write them: 80, or 8000-8010. */
function ports(first: string, last: string): string {
  return last && last !== first ? `${first}-${last}` : first;
}

export function protocolField(options: string[]): RuleField {
  return {
    name: "protocol",
    label: "protocol",
    kind: "select",
    options,
    initial: options[0],
    required: true,
    show: (row) => text(row, "protocol"),
  };
}

/** Ports, and for ICMP type and code in their place. */
export function portsField(label = "ports"): RuleField {
  return {
    name: "ports",
    label,
    kind: "text",
    placeholder: "80, 8000-8010",
    when: withPorts,
    show: (row) =>
      text(row, "protocol").toLowerCase() === "icmp"
        ? `${text(row, "icmptype")}/${text(row, "icmpcode")}`
        : ports(text(row, "startport"), text(row, "endport")),
  };
}

export function cidrField(name: string, label: string): RuleField {
  return {
    name,
    label,
    kind: "text",
    placeholder: "0.0.0.0/0",
    show: (row) => text(row, name),
  };
}

/** "8000-8010" as the API's two parameters; ICMP of every type. */
export function portParameters(values: RuleValues, first = "startport", last = "endport"): Parameters {
  if (values.protocol === "icmp") {
    return { icmptype: -1, icmpcode: -1 };
  }
  const [from = "", to = from] = String(values.ports ?? "")
    .split("-")
    .map((part) => part.trim());
  return { [first]: from || undefined, [last]: to || undefined };
}

export const shownPorts = ports;
