// Columns that many resources have.

import type { Field } from "../../declaration";

export const name: Field = { name: "name" };
export const description: Field = { name: "description" };
export const displaytext: Field = { name: "displaytext" };
export const state: Field = { name: "state", kind: "state", width: 120 };
export const created: Field = { name: "created", kind: "date" };
export const tags: Field = { name: "tags", kind: "tags", hidden: true };
export const zone: Field = { name: "zonename", link: { resource: "zone", id: "zoneid" } };
export const pod: Field = { name: "podname", link: { resource: "pod", id: "podid" }, needs: "listPods" };
export const cluster: Field = {
  name: "clustername",
  link: { resource: "cluster", id: "clusterid" },
  needs: "listClusters",
};
export const host: Field = {
  name: "hostname",
  link: { resource: "host", id: "hostid" },
  needs: "listHosts",
};
export const network: Field = { name: "networkname", link: { resource: "network", id: "networkid" } };
export const vpc: Field = { name: "vpcname", link: { resource: "vpc", id: "vpcid" } };
export const instance: Field = {
  name: "virtualmachinename",
  link: { resource: "vm", id: "virtualmachineid" },
};
export const domain: Field = { name: "domain", link: { resource: "domain", id: "domainid" } };

/** Whose a row is: account and domain, or project. */
export const owner: Field[] = [
  { name: "account" },
  { ...domain, hidden: true },
  { name: "project", link: { resource: "project", id: "projectid" }, hidden: true },
];

/** The same columns, not shown until chosen. */
export function hidden(...fields: Field[]): Field[] {
  return fields.map((field) => ({ ...field, hidden: true }));
}
