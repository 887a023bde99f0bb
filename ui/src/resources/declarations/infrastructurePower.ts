// The power of hosts and the watch over them: out-of-band management and high availability, of hosts and whole places.

import {
  EyeInvisibleOutlined,
  EyeOutlined,
  ExperimentOutlined,
  KeyOutlined,
  PoweroffOutlined,
  SafetyCertificateOutlined,
  SettingOutlined,
  ThunderboltOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Action, Resource, Tab } from "../declaration";

function member(row: Row, of: "outofbandmanagement" | "hostha", name: string): unknown {
  return (row[of] as Row | undefined)?.[name];
}

const isConfigured = (row: Row) => member(row, "outofbandmanagement", "driver") !== undefined;
const isSwitched = (row: Row) => member(row, "outofbandmanagement", "enabled") === true;
const isProvided = (row: Row) => member(row, "hostha", "haprovider") !== undefined;
const isWatched = (row: Row) => member(row, "hostha", "haenable") === true;
const isSimulated = (row: Row) => member(row, "hostha", "haprovider") === "simulatorhaprovider";

/** What an operator does to a host's power, and to the watch over it. */
export const hostPowerActions: Action[] = [
  {
    command: "issueOutOfBandManagementPowerAction",
    icon: PoweroffOutlined,
    on: "row",
    danger: true,
    target: "hostid",
    form: ["action"],
    when: isSwitched,
    warning: "resources.warnings.powerAction",
  },
  {
    command: "configureOutOfBandManagement",
    icon: SettingOutlined,
    on: "row",
    target: "hostid",
    form: [
      { name: "driver", initial: () => "ipmitool" },
      { name: "address", initial: (row) => String((row?.outofbandmanagement as Row)?.address ?? "") },
      { name: "port", initial: (row) => String((row?.outofbandmanagement as Row)?.port ?? "623") },
      { name: "username", initial: (row) => String((row?.outofbandmanagement as Row)?.username ?? "") },
      { name: "password", secret: true },
    ],
  },
  {
    command: "enableOutOfBandManagementForHost",
    icon: ThunderboltOutlined,
    on: "row",
    bulk: true,
    target: "hostid",
    when: (row) => isConfigured(row) && !isSwitched(row),
  },
  {
    command: "disableOutOfBandManagementForHost",
    icon: ThunderboltOutlined,
    on: "row",
    bulk: true,
    danger: true,
    target: "hostid",
    when: isSwitched,
  },
  {
    command: "changeOutOfBandManagementPassword",
    icon: KeyOutlined,
    on: "row",
    target: "hostid",
    form: [{ name: "password", secret: true }],
    when: isSwitched,
  },
  {
    command: "configureHAForHost",
    icon: SafetyCertificateOutlined,
    on: "row",
    target: "hostid",
    form: [
      {
        name: "provider",
        choices: { command: "listHostHAProviders", key: "haprovider", value: "haprovider" },
        filter: (_values, row) => ({ hypervisor: String(row?.hypervisor ?? "") }),
      },
    ],
  },
  {
    command: "enableHAForHost",
    icon: EyeOutlined,
    on: "row",
    bulk: true,
    target: "hostid",
    when: (row) => isProvided(row) && !isWatched(row),
  },
  {
    command: "disableHAForHost",
    icon: EyeInvisibleOutlined,
    on: "row",
    bulk: true,
    danger: true,
    target: "hostid",
    when: isWatched,
  },
  {
    command: "configureSimulatorHAProviderState",
    icon: ExperimentOutlined,
    on: "row",
    target: "hostid",
    form: ["health", "activity", "recover", "fence"],
    when: isSimulated,
  },
];

/** The same for all hosts of a cluster or zone: what is off there is off for each. */
export function placePowerActions(place: "Cluster" | "Zone"): Action[] {
  const target = `${place.toLowerCase()}id`;
  const isOff = (row: Row, detail: string) => (row.resourcedetails as Row | undefined)?.[detail] === "false";
  const power = "outOfBandManagementEnabled";
  const watch = "resourceHAEnabled";
  return [
    {
      command: `enableOutOfBandManagementFor${place}`,
      icon: ThunderboltOutlined,
      on: "row",
      target,
      when: (row) => isOff(row, power),
    },
    {
      command: `disableOutOfBandManagementFor${place}`,
      icon: ThunderboltOutlined,
      on: "row",
      danger: true,
      target,
      when: (row) => !isOff(row, power),
    },
    {
      command: `enableHAFor${place}`,
      icon: EyeOutlined,
      on: "row",
      target,
      when: (row) => isOff(row, watch),
    },
    {
      command: `disableHAFor${place}`,
      icon: EyeInvisibleOutlined,
      on: "row",
      danger: true,
      target,
      when: (row) => !isOff(row, watch),
    },
  ];
}

/** On a host's page. */
export const hostPowerTabs: Tab[] = [
  {
    name: "highAvailability",
    resource: "hostha",
    parameters: (row) => ({ hostid: row.id }),
    when: isProvided,
  },
  {
    name: "haTransitions",
    resource: "hastatetransition",
    parameters: (row) => ({ hostid: row.id }),
    when: isSimulated,
  },
];

const hostHa: Resource = {
  name: "hostha",
  section: "infrastructure",
  icon: SafetyCertificateOutlined,
  nested: true,
  id: "hostid",
  list: { command: "listHostHAResources", key: "hostha", whole: true, within: ["hostid"] },
  title: (row) => String(row.haprovider ?? ""),
  columns: [
    { name: "hastate", kind: "state" },
    { name: "haenable", kind: "boolean" },
    { name: "haprovider" },
  ],
  actions: [],
};

const transition: Resource = {
  name: "hastatetransition",
  section: "infrastructure",
  icon: ExperimentOutlined,
  nested: true,
  list: { command: "listSimulatorHAStateTransitions", key: "hastatetransition", within: ["hostid"] },
  title: (row) => String(row.event ?? ""),
  columns: [
    { name: "prevhastate", kind: "state" },
    { name: "event" },
    { name: "hastate", kind: "state" },
    { name: "activitycounter", kind: "number" },
    { name: "recoverycounter", kind: "number" },
  ],
  actions: [],
};

const resources: Resource[] = [hostHa, transition];
export default resources;
