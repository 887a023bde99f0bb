// Settings that hold for one zone, cluster, pool, account, domain or image store only.

import { useApis } from "@/api/apis";
import type { Resource } from "../declaration";

/** The parameter of listConfigurations and of updateConfiguration that names the row. */
export interface Scope {
  list: string;
  update: string;
}

const SCOPES: Record<string, Scope> = {
  listZones: { list: "zoneid", update: "zoneid" },
  listClusters: { list: "clusterid", update: "clusterid" },
  listStoragePools: { list: "storageid", update: "storageid" },
  listAccounts: { list: "accountid", update: "accountid" },
  listDomains: { list: "domainid", update: "domainid" },
  listImageStores: { list: "imagestoreuuid", update: "imagestoreuuid" },
};

/** How the settings of a resource's rows are asked for; undefined: they have none, or the caller may not see them. */
export function settingsScope(of: Resource): Scope | undefined {
  const scope = SCOPES[of.list.command];
  const parameters = useApis().get("listConfigurations")?.params ?? [];
  return scope && parameters.some((each) => each.name === scope.list) ? scope : undefined;
}
