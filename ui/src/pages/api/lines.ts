// The same call, as one makes it from a shell: with curl, with cs, with CloudMonkey.

import type { Parameters, Value } from "@/api/client";

const SECRET = /password|privatekey|psk|secret/i;

/** The parameters as they are on the wire, in order: lists joined, maps by their members. Secrets are left out. */
export function wire(parameters: Parameters): [name: string, value: string][] {
  return Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : pairs(name, SECRET.test(name) ? "…" : value),
  );
}

function pairs(name: string, value: Exclude<Value, null | undefined>): [string, string][] {
  if (!Array.isArray(value)) {
    return [[name, String(value)]];
  }
  if (value.length === 0) {
    return [];
  }
  return typeof value[0] === "string"
    ? [[name, value.join(",")]]
    : (value as Record<string, string>[]).flatMap((entry, index) =>
        Object.entries(entry).map(([key, each]): [string, string] => [`${name}[${index}].${key}`, each]),
      );
}

/** A word as a POSIX shell takes it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export function curlLine(endpoint: string, command: string, parameters: Parameters): string {
  const fields = wire(parameters).map(([name, value]) => `--data-urlencode ${quoted(`${name}=${value}`)}`);
  return ["curl -sb cookies", quoted(endpoint), `-d command=${command}`, "-d response=json", ...fields].join(
    " ",
  );
}

/** How curl signs in, once, for the line above. */
export function curlLogin(endpoint: string, username: string): string {
  const who = `--data-urlencode ${quoted(`username=${username}`)} --data-urlencode "password=$PASSWORD" -d domain=/`;
  return `curl -sc cookies ${quoted(endpoint)} -d command=login -d response=json ${who}`;
}

export function csLine(command: string, parameters: Parameters): string {
  return ["cs", command, ...wire(parameters).map(([name, value]) => quoted(`${name}=${value}`))].join(" ");
}

/** CloudMonkey's words: listVirtualMachines is `list virtualmachines`. */
export function cmkLine(command: string, parameters: Parameters): string {
  const [, verb, noun] = /^([a-z]+)(.*)$/.exec(command) ?? [command, command, ""];
  const fields = wire(parameters).map(([name, value]) => quoted(`${name}=${value}`));
  return ["cmk", verb, noun.toLowerCase(), ...fields].filter(Boolean).join(" ");
}
