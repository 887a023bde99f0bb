// The certificate authorities of the cloud, and what they do for agents and other servers.

import { FileProtectOutlined, FileTextOutlined, SafetyOutlined, StopOutlined } from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Action, Resource } from "../declaration";
import * as column from "./parts/columns";

/** Agents of simulated hosts have no certificate. */
export const hostCertificateActions: Action[] = [
  {
    command: "provisionCertificate",
    icon: SafetyOutlined,
    on: "row",
    bulk: true,
    target: "hostid",
    form: [{ name: "reconnect", initial: () => true }],
    when: (row) => row.hypervisor === "KVM" && row.state === "Up",
  },
];

const byName = { target: "provider", targetValue: (row: Row) => String(row.name) };

const authority: Resource = {
  name: "caprovider",
  section: "infrastructure",
  icon: FileProtectOutlined,
  id: "name",
  list: { command: "listCAProviders", key: "caprovider", one: "name", whole: true },
  columns: [column.name, { name: "description" }],
  actions: [
    {
      command: "listCaCertificate",
      icon: FileTextOutlined,
      on: "row",
      form: [],
      shows: ["certificate"],
      ...byName,
    },
    {
      command: "issueCertificate",
      icon: FileProtectOutlined,
      on: "row",
      form: ["domain", "ipaddress", "duration", { name: "csr", multiline: true }],
      shows: ["certificate", "privatekey", "cacertificates"],
      warning: "resources.warnings.issueCertificate",
      ...byName,
    },
    {
      command: "revokeCertificate",
      icon: StopOutlined,
      on: "row",
      danger: true,
      form: ["serial", "cn"],
      warning: "resources.warnings.revokeCertificate",
      ...byName,
    },
  ],
};

const resources: Resource[] = [authority];
export default resources;
