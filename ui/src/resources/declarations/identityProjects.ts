// Projects besides themselves: who is invited, and the roles that members have.

import {
  CheckCircleOutlined,
  CloseCircleOutlined,
  CrownOutlined,
  MailOutlined,
  SafetyCertificateOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Resource } from "../declaration";
import { create, is, remove, update } from "./parts/actions";
import * as column from "./parts/columns";

const ofProject = (row: Row | null): Record<string, string> => ({ projectid: String(row?.projectid ?? "") });

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

const resources: Resource[] = [invitation, role, rule];
export default resources;
