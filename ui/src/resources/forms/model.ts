// A form made from what listApis says of a command, and what is sent when it is filled in. Pure but for what lists exist.

import type { Api, ApiParameter } from "@/api/apis";
import type { Parameters, Row, Value } from "@/api/client";
import { resource } from "../index";
import type { Action, FormField } from "../declaration";
import { sourceOf, sourceOfChoices, sourceOfResource, type Source } from "../relations";
import { fromBase64, toBase64 } from "../values/base64";

export type ControlKind =
  | "switch"
  | "number"
  | "date"
  | "text"
  | "multiline"
  | "secret"
  | "select"
  | "entity"
  | "entities"
  | "texts"
  | "map" // keys and values
  | "records"; // rows of named columns

/** What a control holds while it is edited: lists of texts, of records, a word, a number. */
export type Held = string | number | boolean | null | undefined | string[] | Record<string, string>[];
export type Values = Record<string, Held>;

export interface Control {
  name: string;
  kind: ControlKind;
  /** The API's words on it; empty where they say no more than its name. */
  help: string;
  required: boolean;
  /** Shown at first; the others are behind "More". */
  first: boolean;
  values?: string[];
  source?: Source;
  /** Which of the source's rows. */
  filter?: FormField["filter"];
  when?: FormField["when"];
  initial?: FormField["initial"];
  /** Of records: the names of their members. */
  columns?: string[];
  maxLength?: number;
  /** Numbers without fractions. */
  whole?: boolean;
  /** Sent in base64. */
  base64?: boolean;
}

const MULTILINE = /^(userdata|description|certificate|privatekey|certchain|publickey)$/;
const SECRET = /^(password|currentpassword|ipsecpsk|usersecretkey)$/;

/** Maps that are no plain keys and values: the members of each record. */
const RECORDS: Record<string, string[]> = {
  iptonetworklist: ["networkid", "ip", "mac"],
  vmidipmap: ["vmid", "vmip"],
  usersecuritygrouplist: ["account", "group"],
  param: ["name", "value"],
  serviceproviderlist: ["service", "provider"],
  servicecapabilitylist: ["service", "capabilitytype", "capabilityvalue"],
  nicnetworklist: ["nic", "network"],
  nicipaddresslist: ["nic", "ip4Address"],
  datadiskofferinglist: ["disk", "diskOffering"],
};

/** Parameters that are about how an answer is given, and not about what is done. */
const UNASKED = new Set(["response", "sessionkey", "apikey", "signature"]);

function kindOf(
  parameter: ApiParameter,
  told: FormField | undefined,
  source: Source | undefined,
): ControlKind {
  if (told?.values ?? parameter.values) return parameter.type === "list" ? "entities" : "select";
  if (parameter.type === "boolean") return "switch";
  if (parameter.type === "map") return (told?.columns ?? RECORDS[parameter.name]) ? "records" : "map";
  if (parameter.type === "list") return source ? "entities" : "texts";
  if (source) return "entity";
  if (/^(integer|long|short|float)$/.test(parameter.type)) return "number";
  if (parameter.type === "date" || parameter.type === "tzdate") return "date";
  if (told?.multiline ?? MULTILINE.test(parameter.name)) return "multiline";
  if (told?.secret ?? SECRET.test(parameter.name)) return "secret";
  return "text";
}

function control(
  parameter: ApiParameter,
  command: string,
  told: FormField | undefined,
  first: boolean,
): Control {
  const among = told?.resource ? resource(told.resource) : undefined;
  const source = told?.choices
    ? sourceOfChoices(told.choices)
    : among
      ? sourceOfResource(among, told?.valueField)
      : told?.typed
        ? undefined
        : sourceOf(parameter, command);
  const required = told?.required ?? parameter.required;
  return {
    name: parameter.name,
    kind: kindOf(parameter, told, source),
    help: parameter.description === parameter.name ? "" : parameter.description,
    required,
    first: first || required,
    values: told?.values ?? parameter.values,
    source: source && told?.valueField ? { ...source, value: told.valueField } : source,
    filter: told?.filter,
    when: told?.when,
    initial: told?.initial,
    columns: told?.columns ?? RECORDS[parameter.name],
    maxLength: parameter.type === "string" ? parameter.length : undefined,
    whole: /^(integer|long|short)$/.test(parameter.type),
    base64: told?.base64,
  };
}

/**
 * The controls of a command's form: what the action asks for first, in its order; else what is required; then all
 * others that the command takes, by the API's order. What the action sends of itself, or the page gives, is not asked.
 */
export function controlsOf(
  api: Api,
  action?: Action,
  row: Row | null = null,
  given: Parameters = {},
  parent: Row | null = null,
): Control[] {
  const fixed = action?.fixed?.(row, parent) ?? {};
  const hidden = new Set([
    ...UNASKED,
    ...(action?.without ?? []),
    ...Object.keys(fixed).filter((name) => fixed[name] !== undefined),
    ...Object.keys(given),
  ]);
  if (action?.on === "row") {
    hidden.add(action.target ?? "id");
  }
  const parameters = new Map(api.params.map((parameter) => [parameter.name, parameter]));
  const told = (action?.form ?? []).map((each) => (typeof each === "string" ? { name: each } : each));
  const controls: Control[] = [];
  for (const field of told) {
    const parameter = parameters.get(field.name);
    if (parameter && !hidden.has(field.name)) {
      controls.push(control(parameter, api.name, field, true));
      hidden.add(field.name);
    }
  }
  const rest = api.params.filter((parameter) => !hidden.has(parameter.name));
  rest.sort((a, b) => Number(b.required) - Number(a.required));
  return [...controls, ...rest.map((parameter) => control(parameter, api.name, undefined, false))];
}

/**
 * What the controls hold at first. A command that updates a row begins with what the row says now, as far as
 * parameters and members have the same name.
 */
export function initialValues(controls: Control[], row: Row | null, command: string): Values {
  const values: Values = {};
  for (const each of controls) {
    const told = each.initial?.(row);
    const now = command.startsWith("update") ? row?.[each.name] : undefined;
    values[each.name] =
      told !== undefined ? told : now === undefined || now === null ? empty(each) : asHeld(each, now);
  }
  return values;
}

function empty(each: Control): Held {
  return each.kind === "entities" || each.kind === "texts" || each.kind === "map" || each.kind === "records"
    ? []
    : undefined;
}

function asHeld(each: Control, value: unknown): Held {
  switch (each.kind) {
    case "switch":
      return value === true || value === "true";
    case "number":
      return Number.isFinite(Number(value)) ? Number(value) : undefined;
    case "entities":
    case "texts":
      return Array.isArray(value) ? value.map(String) : String(value).split(",").filter(Boolean);
    case "map":
      return value !== null && typeof value === "object" && !Array.isArray(value)
        ? Object.entries(value).map(([key, entry]) => ({ key, value: String(entry) }))
        : [];
    case "records":
      return [];
    default:
      return typeof value === "object" ? undefined : each.base64 ? fromBase64(String(value)) : String(value);
  }
}

/** Whether a control holds nothing. A switch that was never touched holds nothing; one that is off says false. */
export function holdsNothing(held: Held): boolean {
  return held === undefined || held === null || held === "" || (Array.isArray(held) && held.length === 0);
}

/**
 * What is sent: what was filled in, and of what stood there at first only what has been changed. A text that was
 * emptied is sent as an empty text.
 */
export function parametersOf(
  controls: Control[],
  values: Values,
  before: Values,
  asked: (each: Control) => boolean,
) {
  const parameters: Parameters = {};
  for (const each of controls) {
    const held = values[each.name];
    const unchanged =
      JSON.stringify(held) === JSON.stringify(before[each.name]) && each.initial === undefined;
    if (!asked(each) || (unchanged && !each.required)) {
      continue;
    }
    if (!holdsNothing(held)) {
      parameters[each.name] = sent(each, held);
    } else if (!holdsNothing(before[each.name]) && each.initial === undefined) {
      parameters[each.name] = "";
    }
  }
  return parameters;
}

function sent(each: Control, held: Held): Value {
  if (each.kind === "map") {
    return (held as Record<string, string>[]).filter((entry) => entry.key);
  }
  if (each.kind === "records") {
    return (held as Record<string, string>[]).map((entry) =>
      Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== "")),
    );
  }
  if (each.base64) {
    return toBase64(String(held));
  }
  return typeof held === "string" && each.kind !== "secret" && each.kind !== "multiline" ? held.trim() : held;
}

export type Problem = "required" | "number" | "whole" | "long" | "key";

/** What is wrong with the values, by control. */
export function problemsOf(
  controls: Control[],
  values: Values,
  asked: (each: Control) => boolean,
): Map<string, Problem> {
  const found = new Map<string, Problem>();
  for (const each of controls.filter(asked)) {
    const held = values[each.name];
    if (holdsNothing(held) || (typeof held === "string" && held.trim() === "")) {
      if (each.required) {
        found.set(each.name, "required");
      }
    } else if (each.kind === "number" && !Number.isFinite(Number(held))) {
      found.set(each.name, "number");
    } else if (each.kind === "number" && each.whole && !Number.isInteger(Number(held))) {
      found.set(each.name, "whole");
    } else if (each.maxLength && typeof held === "string" && held.length > each.maxLength) {
      found.set(each.name, "long");
    } else if (
      each.kind === "map" &&
      (held as Record<string, string>[]).some((entry) => !entry.key?.trim())
    ) {
      found.set(each.name, "key");
    }
  }
  return found;
}
