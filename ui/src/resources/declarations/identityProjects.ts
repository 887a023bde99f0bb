// Projects: their members, who is invited, and the roles that members have.

import {
  CheckCircleOutlined,
  CloseCircleOutlined,
  CrownOutlined,
  MailOutlined,
  PauseCircleOutlined,
  ProjectOutlined,
  SafetyCertificateOutlined,
  TeamOutlined,
  UserOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Resource } from "../declaration";
import { create, is, isNot, remove, update } from "./parts/actions";
import * as column from "./parts/columns";
import { limits } from "./parts/limits";

const ofProject = (row: Row | null): Record<string, string> => ({ projectid: String(row?.projectid ?? "") });

const project: Resource = {
  name: "project",
  section: "identity",
  icon: ProjectOutlined,
  list: { command: "listProjects", key: "project" },
  tagged: "Project",
  columns: [
    column.name,
    column.state,
    column.displaytext,
    column.domain,
    { name: "vmtotal", kind: "number" },
    { name: "vmrunning", kind: "number" },
    ...column.hidden(
      { name: "cputotal", kind: "number" },
      { name: "memorytotal", kind: "mebibytes" },
      column.created,
      column.tags,
    ),
  ],
  filters: [{ name: "domainid" }, { name: "state", values: ["Active", "Suspended", "Disabled"] }],
  details: ["name", "displaytext", "state", column.domain, { name: "owner", kind: "text", value: ownersOf }],
  tabs: [
    { name: "members", resource: "projectaccount", parameters: (row) => ({ projectid: row.id }) },
    { name: "invitations", resource: "projectinvitation", parameters: (row) => ({ projectid: row.id }) },
    { name: "projectRoles", resource: "projectrole", parameters: (row) => ({ projectid: row.id }) },
    { name: "projectRules", resource: "projectrolepermission", parameters: (row) => ({ projectid: row.id }) },
    { name: "limits", resource: "resourcelimit", parameters: (row) => ({ projectid: row.id }) },
    { name: "instances", resource: "vm", parameters: (row) => ({ projectid: row.id }) },
    { name: "volumes", resource: "volume", parameters: (row) => ({ projectid: row.id }) },
    { name: "networks", resource: "network", parameters: (row) => ({ projectid: row.id }) },
    {
      name: "usage",
      resource: "usagerecord",
      parameters: (row) => ({ projectid: row.id }),
      needs: "listUsageRecords",
    },
  ],
  actions: [
    create("createProject", ["name", "displaytext", "account", "domainid"]),
    update("updateProject", ["name", "displaytext", "account", "swapowner"]),
    {
      command: "addAccountToProject",
      icon: TeamOutlined,
      on: "row",
      target: "projectid",
      form: ["account", { name: "roletype", values: ["Regular", "Admin"], initial: () => "Regular" }],
    },
    {
      command: "addUserToProject",
      icon: UserOutlined,
      on: "row",
      target: "projectid",
      form: ["username", { name: "roletype", values: ["Regular", "Admin"], initial: () => "Regular" }],
      without: ["projectroleid"],
    },
    ...limits((row) => ({ projectid: row.id })),
    { command: "activateProject", icon: CheckCircleOutlined, on: "row", bulk: true, when: isNot("Active") },
    {
      command: "suspendProject",
      icon: PauseCircleOutlined,
      on: "row",
      bulk: true,
      danger: true,
      when: is("Active"),
    },
    remove("deleteProject", { form: ["cleanup"] }),
  ],
};

/** The names of a project's owners. */
function ownersOf(row: Row): string {
  const owners = Array.isArray(row.owner) ? (row.owner as { account?: string }[]) : [];
  return owners.map((each) => each.account ?? "").join(", ");
}

const projectAccount: Resource = {
  name: "projectaccount",
  section: "identity",
  icon: TeamOutlined,
  nested: true,
  id: "accountid",
  list: { command: "listProjectAccounts", key: "projectaccount", within: ["projectid"] },
  title: (row) => String(row.account),
  columns: [
    { name: "account", link: { resource: "account", id: "accountid" } },
    { name: "role" },
    column.domain,
  ],
  filters: [{ name: "role", values: ["Admin", "Regular"] }],
  actions: [
    create("addAccountToProject", [
      "projectid",
      "account",
      { name: "roletype", values: ["Regular", "Admin"], initial: () => "Regular" },
    ]),
    remove("deleteUserFromProject", {
      target: "userid",
      targetValue: (row) => String(row.userid),
      fixed: (row) => ({ projectid: String(row?.projectid ?? "") }),
      when: (row) => Boolean(row.userid),
    }),
    remove("deleteAccountFromProject", {
      when: (row) => !row.userid,
      target: "account",
      targetValue: (row) => String(row.account),
      fixed: (row) => ({ projectid: String(row?.projectid ?? "") }),
    }),
  ],
};

const invitation: Resource = {
  name: "projectinvitation",
  section: "identity",
  icon: MailOutlined,
  list: { command: "listProjectInvitations", key: "projectinvitation" },
  title: (row) => String(row.project),
  columns: [
    { name: "project", link: { resource: "project", id: "projectid" } },
    column.state,
    { name: "account" },
    column.domain,
  ],
  filters: [
    { name: "state", values: ["Pending", "Completed", "Expired", "Declined"] },
    { name: "activeonly", values: ["true", "false"] },
  ],
  actions: [
    {
      command: "updateProjectInvitation",
      name: "acceptInvitation",
      icon: CheckCircleOutlined,
      on: "row",
      target: "projectid",
      targetValue: (row) => String(row.projectid),
      fixed: (row) => ({
        accept: true,
        account: row?.account as string | undefined,
        userid: row?.userid as string | undefined,
      }),
      without: ["token"],
      when: is("Pending"),
    },
    {
      command: "updateProjectInvitation",
      name: "declineInvitation",
      icon: CloseCircleOutlined,
      on: "row",
      danger: true,
      target: "projectid",
      targetValue: (row) => String(row.projectid),
      fixed: (row) => ({
        accept: false,
        account: row?.account as string | undefined,
        userid: row?.userid as string | undefined,
      }),
      without: ["token"],
      when: is("Pending"),
    },
    remove("deleteProjectInvitation"),
  ],
};

const role: Resource = {
  name: "projectrole",
  section: "identity",
  icon: CrownOutlined,
  nested: true,
  list: { command: "listProjectRoles", key: "projectrole", one: "projectroleid", within: ["projectid"] },
  columns: [column.name, column.description],
  actions: [
    create("createProjectRole", ["projectid", "name", "description"]),
    update("updateProjectRole", ["name", "description"], { fixed: ofProject }),
    remove("deleteProjectRole", { fixed: ofProject }),
  ],
};

const rule: Resource = {
  name: "projectrolepermission",
  section: "identity",
  icon: SafetyCertificateOutlined,
  nested: true,
  list: {
    command: "listProjectRolePermissions",
    key: "projectrolepermission",
    within: ["projectid"],
    whole: true,
  },
  title: (row) => String(row.rule),
  columns: [
    { name: "projectrolename" },
    { name: "rule", kind: "code" },
    { name: "permission", kind: "state" },
  ],
  filters: [{ name: "projectroleid" }],
  actions: [
    create("createProjectRolePermission", [
      "projectid",
      "projectroleid",
      "rule",
      { name: "permission", values: ["allow", "deny"], initial: () => "allow" },
      "description",
    ]),
    {
      command: "updateProjectRolePermission",
      name: "changePermission",
      icon: SafetyCertificateOutlined,
      on: "row",
      target: "projectrolepermissionid",
      fixed: (row) => ({
        ...ofProject(row),
        projectroleid: String(row?.projectroleid ?? ""),
        permission: row?.permission === "allow" ? "deny" : "allow",
      }),
      without: ["ruleorder"],
      form: [],
    },
    remove("deleteProjectRolePermission", { fixed: ofProject }),
  ],
};

const resources: Resource[] = [project, projectAccount, invitation, role, rule];
export default resources;
