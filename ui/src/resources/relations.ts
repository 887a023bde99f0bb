// What a parameter names: the list command among whose rows one chooses, and how a row reads there.
//
// listApis tells for each parameter the commands that answer such things; here one of them is chosen.

import { useApis, type ApiParameter } from "@/api/apis";
import type { Parameters, Row } from "@/api/client";
import { useSession } from "@/api/session";
import { resourceListedBy, titleOf } from "./links";
import type { Choices, Resource } from "./declaration";

/** Where the choices of a parameter come from. */
export interface Source {
  command: string;
  /** The member of a row that is sent. */
  value: string;
  parameters: () => Parameters;
  label: (row: Row) => string;
  /** The member of the answer with the rows, where it may have several. */
  key?: string;
}

/** Parameters that take a name instead of an id: what lists them, and which member is the name. */
const BY_NAME: Record<string, { command: string; value: string }> = {
  keypair: { command: "listSSHKeyPairs", value: "name" },
  keypairs: { command: "listSSHKeyPairs", value: "name" },
  account: { command: "listAccounts", value: "name" },
  affinitygroupnames: { command: "listAffinityGroups", value: "name" },
  securitygroupnames: { command: "listSecurityGroups", value: "name" },
  hypervisor: { command: "listHypervisors", value: "name" },
  deploymentplanner: { command: "listDeploymentPlanners", value: "name" },
};

/** Parameters whose names say which of several lists is meant. */
const BY_ID: Record<string, string> = {
  isoid: "listIsos",
  aclid: "listNetworkACLLists",
  domainid: "listDomains",
  parentdomainid: "listDomains",
  routerid: "listRouters",
};

/** What a list needs besides page and keyword, and how its rows read where they have no name. */
const LISTS: Record<string, { parameters?: () => Parameters; label?: (row: Row) => string }> = {
  listTemplates: {
    parameters: () => ({ templatefilter: useSession().isRootAdmin ? "all" : "executable" }),
  },
  listIsos: { parameters: () => ({ isofilter: useSession().isRootAdmin ? "all" : "executable" }) },
  listDomains: { label: (row) => String(row.path ?? row.name) },
  listUsers: { label: (row) => `${String(row.username)} (${String(row.account ?? "")})` },
  listAccounts: { label: (row) => `${String(row.name)} (${String(row.domain ?? "")})` },
  listPublicIpAddresses: { label: (row) => String(row.ipaddress) },
  listOsTypes: { label: (row) => String(row.description) },
  listVlanIpRanges: { label: (row) => `${String(row.startip)} - ${String(row.endip)}` },
  listNics: { label: (row) => `${String(row.networkname ?? "")} ${String(row.ipaddress ?? row.id)}` },
  listHosts: { parameters: () => ({ type: "Routing" }) },
};

function stem(name: string): string {
  return name
    .toLowerCase()
    .replace(/ids?$|s$/, "")
    .replace(/ie$/, "y");
}

/**
 * The list command for a parameter that names things; `command` is the one whose parameter it is. Undefined: it names
 * nothing that the caller could list.
 */
export function listCommandOf(parameter: ApiParameter, command: string): string | undefined {
  const apis = useApis();
  const candidates = (parameter.related ?? "")
    .split(",")
    .filter((name) => name.startsWith("list") && !name.endsWith("Metrics") && apis.can(name));
  if (candidates.length < 2) {
    return candidates[0];
  }
  const named = BY_ID[parameter.name];
  if (named && candidates.includes(named)) {
    return named;
  }
  const wanted =
    parameter.name === "id" || parameter.name === "ids" ? command.toLowerCase() : stem(parameter.name);
  const fitting = candidates.filter((name) => {
    const noun = stem(name.slice(4));
    return wanted.includes(noun) || noun.includes(wanted);
  });
  // the longest noun says most: listInternalLoadBalancerVMs before listRouters
  const order = (a: string, b: string) =>
    Number(resourceListedBy(b) !== undefined) - Number(resourceListedBy(a) !== undefined) ||
    a.length - b.length;
  return fitting.length > 0 ? fitting.sort((a, b) => b.length - a.length)[0] : candidates.sort(order)[0];
}

/** Among what the value of a parameter is chosen; undefined where it is typed. */
export function sourceOf(parameter: ApiParameter, command: string): Source | undefined {
  const list = listCommandOf(parameter, command);
  if (list) {
    return sourceFrom(list);
  }
  const byName = BY_NAME[parameter.name];
  if (byName && (parameter.type === "string" || parameter.type === "list") && useApis().can(byName.command)) {
    return { ...sourceFrom(byName.command), value: byName.value };
  }
  return undefined;
}

/** The rows of a list command as choices. */
export function sourceFrom(command: string, valueField?: string): Source {
  const special = LISTS[command];
  const listed = resourceListedBy(command);
  return {
    command,
    value: valueField ?? listed?.id ?? "id",
    parameters: () => ({ ...scope(command), ...(special?.parameters?.() ?? listed?.list.parameters?.()) }),
    label: special?.label ?? ((row) => (listed ? titleOf(listed, row) : plain(row))),
  };
}

/** The rows of a resource as choices. */
export function sourceOfResource(listed: Resource, valueField?: string): Source {
  return sourceFrom(listed.list.command, valueField);
}

/** The values that another command lists. */
export function sourceOfChoices(choices: Choices): Source {
  return {
    command: choices.command,
    key: choices.key,
    value: choices.value,
    parameters: () => ({ ...choices.parameters }),
    label: (row) => String(row[choices.label ?? choices.value] ?? ""),
  };
}

function plain(row: Row): string {
  return String(
    row.displayname ?? row.name ?? row.description ?? row.ipaddress ?? row.username ?? row.id ?? "",
  );
}

/** Whose rows a list command shows: the chosen project's, else all that the caller may see. */
export function scope(command: string): Parameters {
  const names = new Set(
    useApis()
      .get(command)
      ?.params.map((parameter) => parameter.name),
  );
  const project = useSession().projectId;
  if (project && names.has("projectid")) {
    return { projectid: project };
  }
  return names.has("listall") ? { listall: true } : {};
}

/** The rows of a list command's answer: in the member that is told, else in whatever member holds any. */
export function rowsIn(answer: Record<string, unknown>, key?: string): Row[] {
  const rows = key ? answer[key] : Object.values(answer).find((member) => Array.isArray(member));
  return Array.isArray(rows) ? (rows as Row[]) : [];
}
