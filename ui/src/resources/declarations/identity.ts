// Who uses the cloud: accounts, users, domains, roles.

import {
  BankOutlined,
  CheckCircleOutlined,
  CrownOutlined,
  IdcardOutlined,
  ImportOutlined,
  KeyOutlined,
  LockOutlined,
  PauseCircleOutlined,
  SafetyCertificateOutlined,
  SwapOutlined,
  SyncOutlined,
  TeamOutlined,
  UnlockOutlined,
  UserOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { FormField, Resource } from "../declaration";
import { create, is, isNot, remove, update } from "./parts/actions";
import * as column from "./parts/columns";
import { limits } from "./parts/limits";

const ROLE_TYPES = ["Admin", "ResourceAdmin", "DomainAdmin", "User"];

const whose = (row: Row): Record<string, string> => ({
  account: String(row.name),
  domainid: String(row.domainid),
});

const account: Resource = {
  name: "account",
  section: "identity",
  icon: TeamOutlined,
  list: { command: "listAccounts", key: "account" },
  tagged: "Account",
  columns: [
    column.name,
    column.state,
    { name: "rolename", link: { resource: "role", id: "roleid" } },
    { name: "roletype" },
    column.domain,
    { name: "vmtotal", kind: "number" },
    { name: "vmrunning", kind: "number" },
    ...column.hidden(
      { name: "cputotal", kind: "number" },
      { name: "memorytotal", kind: "mebibytes" },
      { name: "volumetotal", kind: "number" },
      { name: "iptotal", kind: "number" },
      { name: "networktotal", kind: "number" },
      { name: "networkdomain" },
      column.created,
    ),
  ],
  filters: [
    { name: "domainid" },
    { name: "state", values: ["enabled", "disabled", "locked"] },
    { name: "accounttype", values: ["0", "1", "2", "4", "5"] },
  ],
  tabs: [
    { name: "users", resource: "user", parameters: whose },
    { name: "limits", resource: "resourcelimit", parameters: whose },
    { name: "instances", resource: "vm", parameters: whose },
    { name: "volumes", resource: "volume", parameters: whose },
    { name: "networks", resource: "network", parameters: whose },
    { name: "publicIps", resource: "publicip", parameters: whose },
    {
      name: "usage",
      resource: "usagerecord",
      parameters: (row) => ({ accountid: row.id }),
      needs: "listUsageRecords",
    },
  ],
  actions: [
    create("createAccount", [
      "username",
      { name: "password", secret: true },
      "firstname",
      "lastname",
      "email",
      { name: "account", typed: true },
      { name: "domainid", required: true },
      { name: "roleid", required: true },
      "timezone",
      "networkdomain",
    ]),
    update(
      "updateAccount",
      [{ name: "newname", initial: (row) => String(row?.name ?? "") }, "roleid", "networkdomain"],
      {
        without: ["account", "domainid"],
      },
    ),
    ...limits(whose),
    {
      command: "enableAccount",
      icon: CheckCircleOutlined,
      on: "row",
      bulk: true,
      when: isNot("enabled"),
      without: ["account", "domainid"],
    },
    {
      command: "disableAccount",
      icon: PauseCircleOutlined,
      on: "row",
      bulk: true,
      danger: true,
      when: is("enabled", "locked"),
      fixed: () => ({ lock: false }),
      without: ["account", "domainid"],
    },
    {
      command: "lockAccount",
      icon: LockOutlined,
      on: "row",
      bulk: true,
      danger: true,
      when: is("enabled"),
      target: "account",
      targetValue: (row) => String(row.name),
      fixed: (row) => ({ domainid: String(row?.domainid ?? "") }),
    },
    {
      command: "resetApiLimit",
      icon: SyncOutlined,
      on: "row",
      target: "account",
      form: [],
    },
    remove("deleteAccount", { when: (row) => row.isdefault !== true }),
  ],
};

const user: Resource = {
  name: "user",
  section: "identity",
  icon: UserOutlined,
  list: { command: "listUsers", key: "user" },
  tagged: "User",
  title: (row) => String(row.username),
  columns: [
    { name: "username" },
    column.state,
    { name: "firstname" },
    { name: "lastname" },
    { name: "email" },
    { name: "account", link: { resource: "account", id: "accountid" } },
    column.domain,
    ...column.hidden(
      { name: "rolename", link: { resource: "role", id: "roleid" } },
      { name: "timezone" },
      column.created,
    ),
  ],
  filters: [
    { name: "domainid" },
    { name: "account" },
    { name: "state", values: ["enabled", "disabled", "locked"] },
  ],
  actions: [
    create("createUser", [
      "username",
      { name: "password", secret: true },
      "firstname",
      "lastname",
      "email",
      "account",
      "domainid",
      "timezone",
    ]),
    update("updateUser", ["username", "firstname", "lastname", "email", "timezone"], {
      without: ["password", "currentpassword", "userapikey", "usersecretkey"],
    }),
    {
      command: "updateUser",
      name: "changePassword",
      icon: KeyOutlined,
      on: "row",
      form: [
        { name: "currentpassword", secret: true },
        { name: "password", secret: true, required: true },
      ],
      without: ["username", "firstname", "lastname", "email", "timezone", "userapikey", "usersecretkey"],
    },
    { command: "getUserKeys", icon: KeyOutlined, on: "row", shows: ["apikey", "secretkey"] },
    {
      command: "registerUserKeys",
      icon: KeyOutlined,
      on: "row",
      danger: true,
      shows: ["apikey", "secretkey"],
      warning: "resources.warnings.registerUserKeys",
    },
    { command: "enableUser", icon: CheckCircleOutlined, on: "row", bulk: true, when: isNot("enabled") },
    {
      command: "disableUser",
      icon: PauseCircleOutlined,
      on: "row",
      bulk: true,
      danger: true,
      when: is("enabled", "locked"),
    },
    { command: "lockUser", icon: LockOutlined, on: "row", bulk: true, danger: true, when: is("enabled") },
    {
      command: "getUser",
      icon: IdcardOutlined,
      on: "list",
      form: ["userapikey"],
      shows: ["username", "account", "domain"],
    },
    {
      command: "setupUserTwoFactorAuthentication",
      name: "removeSecondFactor",
      icon: UnlockOutlined,
      on: "row",
      danger: true,
      target: "userid",
      when: (row) => row.is2faenabled === true,
      fixed: () => ({ enable: false }),
      form: [],
      without: ["provider"],
    },
    remove("deleteUser", { when: (row) => row.isdefault !== true }),
  ],
};

const domain: Resource = {
  name: "domain",
  section: "identity",
  icon: BankOutlined,
  commented: "DOMAIN",
  list: { command: "listDomains", key: "domain" },
  tagged: "Domain",
  title: (row) => String(row.name),
  columns: [
    { name: "path" },
    column.state,
    { name: "level", kind: "number" },
    { name: "parentdomainname", link: { resource: "domain", id: "parentdomainid" } },
    { name: "vmtotal", kind: "number" },
    { name: "networkdomain", hidden: true },
    ...column.hidden(
      { name: "cputotal", kind: "number" },
      { name: "memorytotal", kind: "mebibytes" },
      column.created,
    ),
  ],
  filters: [{ name: "level", values: ["0", "1", "2", "3"] }],
  tabs: [
    { name: "subdomains", resource: "domainchild", parameters: (row) => ({ id: row.id }) },
    { name: "accounts", resource: "account", parameters: (row) => ({ domainid: row.id }) },
    { name: "users", resource: "user", parameters: (row) => ({ domainid: row.id }) },
    { name: "projects", resource: "project", parameters: (row) => ({ domainid: row.id }) },
    { name: "limits", resource: "resourcelimit", parameters: (row) => ({ domainid: row.id }) },
    {
      name: "usage",
      resource: "usagerecord",
      parameters: (row) => ({ domainid: row.id, isrecursive: true }),
      needs: "listUsageRecords",
    },
  ],
  actions: [
    create("createDomain", ["name", { name: "parentdomainid", resource: "domain" }, "networkdomain"]),
    update("updateDomain", ["name", "networkdomain"]),
    ...limits((row) => ({ domainid: row.id })),
    {
      command: "moveDomain",
      icon: SwapOutlined,
      on: "row",
      target: "domainid",
      form: [{ name: "parentdomainid", resource: "domain" }],
      when: (row) => Number(row.level) > 0,
    },
    remove("deleteDomain", { form: ["cleanup"], when: (row) => Number(row.level) > 0, bulk: false }),
  ],
};

const subdomain: Resource = {
  ...domain,
  name: "domainchild",
  nested: true,
  list: { command: "listDomainChildren", key: "domain", within: ["id"] },
  changes: "domain",
  columns: [
    { name: "path", link: { resource: "domain", id: "id" } },
    column.state,
    { name: "level", kind: "number" },
    { name: "vmtotal", kind: "number" },
    { name: "networkdomain", hidden: true },
  ],
  filters: [],
  tabs: [],
  actions: [],
};

const role: Resource = {
  name: "role",
  section: "identity",
  icon: CrownOutlined,
  list: { command: "listRoles", key: "role" },
  columns: [
    column.name,
    { name: "type" },
    column.description,
    { name: "isdefault", kind: "boolean" },
    { name: "ispublic", kind: "boolean" },
    column.state,
  ],
  filters: [{ name: "type", values: ROLE_TYPES }],
  tabs: [{ name: "rules", resource: "rolepermission", parameters: (row) => ({ roleid: row.id }) }],
  actions: [
    create("createRole", [
      "name",
      "description",
      { name: "type", values: ROLE_TYPES, when: (values) => !values.roleid },
      { name: "roleid", when: (values) => !values.type },
      "ispublic",
    ]),
    create(
      "importRole",
      ["name", "description", { name: "type", values: ROLE_TYPES }, "rules", "ispublic", "forced"],
      {
        icon: ImportOutlined,
      },
    ),
    update("updateRole", ["name", "description", { name: "type", values: ROLE_TYPES }, "ispublic"], {
      when: (row) => row.isdefault !== true,
    }),
    {
      command: "enableRole",
      icon: CheckCircleOutlined,
      on: "row",
      bulk: true,
      when: (row) => row.state === "disabled",
    },
    {
      command: "disableRole",
      icon: PauseCircleOutlined,
      on: "row",
      bulk: true,
      danger: true,
      when: (row) => row.state === "enabled",
    },
    remove("deleteRole", { when: (row) => row.isdefault !== true }),
  ],
};

const PERMISSION: FormField = {
  name: "permission",
  values: ["allow", "deny"],
  initial: (row) => String(row?.permission ?? "allow"),
};

const rolePermission: Resource = {
  name: "rolepermission",
  section: "identity",
  icon: SafetyCertificateOutlined,
  nested: true,
  list: { command: "listRolePermissions", key: "rolepermission", within: ["roleid"], whole: true },
  title: (row) => String(row.rule),
  columns: [{ name: "rule", kind: "code" }, { name: "permission", kind: "state" }, column.description],
  actions: [
    create("createRolePermission", ["roleid", "rule", PERMISSION, "description"]),
    {
      command: "updateRolePermission",
      name: "changePermission",
      icon: SafetyCertificateOutlined,
      on: "row",
      bulk: true,
      target: "ruleid",
      fixed: (row) => ({
        roleid: String(row?.roleid ?? ""),
        permission: row?.permission === "allow" ? "deny" : "allow",
      }),
      without: ["ruleorder"],
      form: [],
    },
    remove("deleteRolePermission"),
  ],
};

const resources: Resource[] = [account, user, domain, subdomain, role, rolePermission];
export default resources;
