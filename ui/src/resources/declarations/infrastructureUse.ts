// Who places are kept for, and how a cluster's instances are spread: dedication and DRS plans.

import {
  LockOutlined,
  PlayCircleOutlined,
  ReconciliationOutlined,
  UnlockOutlined,
} from "@ant-design/icons-vue";
import type { Resource, Tab } from "../declaration";
import { create, is } from "./parts/actions";
import * as column from "./parts/columns";

/** The dedication of a zone, pod, cluster or host: none or one. */
function dedication(place: "Zone" | "Pod" | "Cluster" | "Host"): Resource {
  const key = place.toLowerCase();
  return {
    name: `dedicated${key}`,
    section: "infrastructure",
    icon: LockOutlined,
    nested: true,
    list: { command: `listDedicated${place}s`, key: `dedicated${key}`, within: [`${key}id`] },
    title: (row) => String(row[`${key}name`]),
    columns: [
      { name: `${key}name` },
      { name: "domainid", link: { resource: "domain", id: "domainid" } },
      { name: "accountid", link: { resource: "account", id: "accountid" } },
      { name: "affinitygroupid", link: { resource: "affinitygroup", id: "affinitygroupid" } },
    ],
    actions: [
      create(`dedicate${place}`, [`${key}id`, "domainid", "account"], { icon: LockOutlined }),
      {
        command: `releaseDedicated${place}`,
        icon: UnlockOutlined,
        on: "row",
        danger: true,
        target: `${key}id`,
        targetValue: (row) => String(row[`${key}id`]),
      },
    ],
  };
}

const plan: Resource = {
  name: "clusterdrsplan",
  section: "infrastructure",
  icon: ReconciliationOutlined,
  nested: true,
  list: { command: "listClusterDrsPlan", key: "clusterdrsplan" },
  title: (row) => `${String(row.type ?? "")} ${String(row.id)}`.trim(),
  columns: [{ name: "id" }, { name: "type" }, { name: "status", kind: "state" }],
  tabs: [{ name: "migrations", member: "migrations" }] satisfies Tab[],
  actions: [
    {
      command: "executeClusterDrsPlan",
      icon: PlayCircleOutlined,
      on: "row",
      form: [],
      when: (row) => is("UNDER_REVIEW")({ ...row, state: row.status }),
    },
  ],
};

const resources: Resource[] = [
  dedication("Zone"),
  dedication("Pod"),
  dedication("Cluster"),
  dedication("Host"),
  { ...plan, columns: [...plan.columns, ...column.hidden({ name: "eventid" })] },
];
export default resources;
