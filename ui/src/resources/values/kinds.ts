// What a value is and how it reads: bytes, dates, shares, lists. Pure; ValueCell.vue shows it.

import type { Row } from "@/api/client";
import type { Field, Kind } from "../declaration";

const STATES =
  /^(state|status|allocationstate|resourcestate|vmstate|powerstate|managedstate|redundantstate)$/;
const BYTES =
  /^(size|physicalsize|virtualsize|memorytotal|memoryused|memoryallocatedbytes|memoryallocated|disksize(total|used|allocated)|bytes.*)$/;
const KIBIBYTES = /^(memory\w*kbs|(disk|network)kbs(read|write))$/;

/** How a field is shown when its declaration does not say; `type` is the API's. */
export function kindOf(field: Field, type?: string): Kind {
  if (field.kind) {
    return field.kind;
  }
  const name = field.name.split(".").pop() ?? field.name;
  if (STATES.test(name)) return "state";
  if (name === "tags" && type !== "string") return "tags";
  if (type === "boolean") return "boolean";
  if (type === "date") return "date";
  if (type === "map") return "map";
  if (type === "list") return "list";
  if (BYTES.test(name) && type !== "string") return "bytes";
  if (name === "memorywithoverprovisioning") return "bytes"; // a number of them, told as a text
  if (name === "cpuspeed" || name === "speed") return "megahertz";
  if (name === "memory") return "mebibytes";
  if (KIBIBYTES.test(name)) return "kibibytes";
  if (type === "integer" || type === "long" || type === "float" || type === "short") return "number";
  return "text";
}

/** The value of a field in a row: a member, or a way to one such as nic.0.ipaddress. */
export function valueOf(row: Row, field: Field): unknown {
  if (field.value) {
    return field.value(row);
  }
  let value: unknown = row;
  for (const part of field.name.split(".")) {
    value = value === null || value === undefined ? undefined : (value as Record<string, unknown>)[part];
  }
  return value;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** A number of bytes in the unit that suits it: 1.5 GiB. */
export function bytes(count: number): string {
  let unit = 0;
  let amount = Math.abs(count);
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  const digits = amount >= 100 || Number.isInteger(amount) ? 0 : amount >= 10 ? 1 : 2;
  return `${count < 0 ? "-" : ""}${Number(amount.toFixed(digits))} ${UNITS[unit]}`;
}

/** Milliseconds since 1970 of a date as the API writes it, 2026-11-22T15:00:00+0000; NaN for what is none. */
export function moment(text: unknown): number {
  return Date.parse(String(text).replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
}

/** A date in local time, to the second. */
export function dateText(text: unknown): string {
  const at = new Date(moment(text));
  if (Number.isNaN(at.getTime())) {
    return String(text);
  }
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

const ZONE = new Intl.DateTimeFormat("en", { timeZoneName: "short" });

/** The time zone in which `dateText` tells a date, as it is at that time: UTC, GMT+2. Empty for what is no date. */
export function zoneOf(text: unknown): string {
  const at = moment(text);
  return Number.isNaN(at)
    ? ""
    : (ZONE.formatToParts(at).find((part) => part.type === "timeZoneName")?.value ?? "");
}

/** 0.25, "25%" and "25" (a percentage as text) as 25 %. */
function share(value: unknown): string {
  const text = String(value).trim();
  const number = Number(text.replace("%", ""));
  if (!Number.isFinite(number)) {
    return text;
  }
  const percent = typeof value === "number" && Math.abs(number) <= 1 ? number * 100 : number;
  return `${Number(percent.toFixed(1))}%`;
}

const NAMES = ["name", "displayname", "displaytext", "networkname", "ipaddress", "username", "type", "id"];

/** A word for a member that is a record: its name, or whatever comes next to one. */
function named(entry: unknown): string {
  if (entry === null || typeof entry !== "object") {
    return String(entry);
  }
  const record = entry as Record<string, unknown>;
  if ("key" in record && "value" in record) {
    return `${String(record.key)}=${String(record.value)}`;
  }
  const by = NAMES.find((name) => typeof record[name] === "string" && record[name] !== "");
  return by ? String(record[by]) : JSON.stringify(entry);
}

/** The value as text, as it stands in a table, in CSV and in a search. Nothing: an empty text. */
export function textOf(value: unknown, kind: Kind): string {
  if (value === undefined || value === null || value === "") {
    return "";
  }
  if (Array.isArray(value)) {
    return value.map(named).join(", ");
  }
  if (typeof value === "object") {
    return Object.entries(value)
      .map(([key, entry]) => `${key}=${typeof entry === "object" ? JSON.stringify(entry) : String(entry)}`)
      .join(", ");
  }
  const number = typeof value === "number" ? value : Number(value);
  switch (kind) {
    case "bytes":
      return Number.isFinite(number) ? bytes(number) : String(value);
    case "kibibytes":
      return Number.isFinite(number) ? bytes(number * 2 ** 10) : String(value);
    case "mebibytes":
      return Number.isFinite(number) ? bytes(number * 2 ** 20) : String(value);
    case "gibibytes":
      return Number.isFinite(number) ? bytes(number * 2 ** 30) : String(value);
    case "megahertz":
      return Number.isFinite(number) ? `${number.toLocaleString("en")} MHz` : String(value);
    case "number":
      return typeof value === "number" ? value.toLocaleString("en") : String(value);
    case "share":
      return share(value);
    case "date":
      return dateText(value);
    default:
      return String(value);
  }
}

/** Order of two values of a column: numbers by size, dates by time, texts by their letters and numbers; nothing last. */
export function compare(a: unknown, b: unknown, kind: Kind): number {
  const none = (value: unknown) => value === undefined || value === null || value === "";
  if (none(a) || none(b)) {
    return Number(none(a)) - Number(none(b));
  }
  if (typeof a === "number" && typeof b === "number") {
    return a - b;
  }
  if (kind === "date") {
    return moment(a) - moment(b);
  }
  return textOf(a, kind).localeCompare(textOf(b, kind), "en", { numeric: true });
}
