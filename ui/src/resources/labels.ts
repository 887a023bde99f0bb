// What fields, actions, tabs and resources are called: the catalogue's words, else words made of the API's names.

import { messages, t } from "@/messages";
import type { Action, Resource } from "./declaration";
import { NAMES_OF } from "./members";

function has(key: string): boolean {
  return (messages.global.te as unknown as (key: string) => boolean)(key);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

let vocabulary: Set<string> | undefined;

/** The fewest words of the vocabulary that make up the name; the name itself where they do not. */
function split(name: string): string {
  vocabulary ??= new Set(t("engine.words").split(" "));
  const best: (string[] | undefined)[] = [[]];
  for (let end = 1; end <= name.length; end++) {
    for (let start = Math.max(0, end - 16); start < end; start++) {
      const before = best[start];
      const word = name.slice(start, end);
      if (before && vocabulary.has(word) && before.length + 1 < (best[end]?.length ?? Infinity)) {
        best[end] = [...before, word];
      }
    }
  }
  return best[name.length]?.join(" ") ?? name;
}

const ABBREVIATIONS =
  /\b(id|ip|ips|cpu|gpu|vpc|vpn|acl|dns|url|cidr|mtu|iops|os|vm|vms|iso|ha|mac|nic|ssl|ssh|lb|vlan|uuid|nat|icmp|api|tcp|udp|kvm|psk|dpd|numa|bgp)\b/gi;

/** Words of a name as the API spells it: serviceofferingname, startVirtualMachine. */
export function words(name: string): string {
  const parts = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2");
  const text = parts
    .toLowerCase()
    .split(/[ ._-]/)
    .map(split)
    .join(" ")
    .replace(/\b(ghz|gb|mhz)\b/g, (unit) => ({ ghz: "GHz", gb: "GB", mhz: "MHz" })[unit]!)
    .replace(ABBREVIATIONS, (found) =>
      /^(ips|vms)$/i.test(found) ? found.slice(0, -1).toUpperCase() + "s" : found.toUpperCase(),
    );
  return capital(text);
}

/** A label within a sentence: "Public IP addresses" is "public IP addresses" there. */
export function amidWords(label: string): string {
  return label
    .split(" ")
    .map((word) => (/[A-Z].*[A-Z]/.test(word) ? word : word.toLowerCase()))
    .join(" ");
}

/** A field of an answer, or a parameter. `nic.0.ipaddress` is called what its last part is, `zonename` what is named. */
export function fieldLabel(name: string): string {
  const key = `resources.fields.${name.replaceAll(".", "_")}`;
  const last = name.split(".").pop() ?? name;
  if (has(key)) {
    return t(key);
  }
  return has(`resources.fields.${last}`)
    ? t(`resources.fields.${last}`)
    : words(NAMES_OF[last] ? thing(last) : last);
}

function thing(name: string): string {
  return name.replace(/name$/, "");
}

/** A parameter for which a thing is chosen: `zoneid` is called as the thing is, not as its id. */
export function choiceLabel(name: string): string {
  const key = `resources.fields.${name}`;
  const bare = name.replace(/ids?$/, "");
  if (bare === name || bare === "") {
    return fieldLabel(name);
  }
  return has(key) && !/ ID$/.test(t(key)) ? t(key) : words(name.endsWith("s") ? `${bare}s` : bare);
}

export function actionLabel(action: Action): string {
  const name = action.name ?? action.command;
  const key = `resources.actions.${name}`;
  return has(key) ? t(key) : words(name);
}

export function tabLabel(name: string): string {
  const key = `resources.tabs.${name}`;
  return has(key) ? t(key) : has(`resources.plural.${name}`) ? t(`resources.plural.${name}`) : words(name);
}

export function pluralLabel(resource: Resource): string {
  const key = `resources.plural.${resource.name}`;
  return has(key) ? t(key) : words(resource.name);
}

export function singularLabel(resource: Resource): string {
  const key = `resources.singular.${resource.name}`;
  return has(key) ? t(key) : words(resource.name);
}
