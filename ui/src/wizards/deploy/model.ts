// What a deployment is made of, what is wrong with it, and what is sent for it.

import { reactive } from "vue";
import type { Parameters, Row } from "@/api/client";
import { t } from "@/messages";
import type { Errors } from "../frame/steps";
import { number, services, text, wholeGibibytes } from "../frame/rows";

export interface ChosenNetwork {
  row: Row;
  ip: string;
  mac: string;
}

export interface Deployment {
  zone: Row | null;
  imageKind: "template" | "iso";
  image: Row | null;
  offering: Row | null;
  cpus: number | undefined;
  mhz: number | undefined;
  memory: number | undefined;
  rootSize: number | undefined;
  disk: Row | null;
  diskSize: number | undefined;
  /** The default one first. */
  networks: ChosenNetwork[];
  securityGroups: string[];
  keyPairs: string[];
  affinityGroups: string[];
  userData: string;
  /** The id of registered user data, instead of a text. */
  userDataId: string | undefined;
  name: string;
  displayName: string;
  count: number | undefined;
  group: string;
  start: boolean;
  podId: string | undefined;
  clusterId: string | undefined;
  hostId: string | undefined;
  planner: string | undefined;
  bootType: string | undefined;
  bootMode: string | undefined;
  details: { key: string; value: string }[];
}

export function newDeployment(): Deployment {
  return reactive<Deployment>({
    zone: null,
    imageKind: "template",
    image: null,
    offering: null,
    cpus: undefined,
    mhz: undefined,
    memory: undefined,
    rootSize: undefined,
    disk: null,
    diskSize: undefined,
    networks: [],
    securityGroups: [],
    keyPairs: [],
    affinityGroups: [],
    userData: "",
    userDataId: undefined,
    name: "",
    displayName: "",
    count: 1,
    group: "",
    start: true,
    podId: undefined,
    clusterId: undefined,
    hostId: undefined,
    planner: undefined,
    bootType: undefined,
    bootMode: undefined,
    details: [],
  });
}

/** What a service offering leaves to the caller, within which limits: cpunumber, cpuspeed (MHz), memory (MiB). */
export interface Bounds {
  name: "cpus" | "mhz" | "memory";
  detail: "cpuNumber" | "cpuSpeed" | "memory";
  least: number;
  most: number | undefined;
}

const SIZES = [
  { name: "cpus", detail: "cpuNumber", field: "cpunumber", usual: 1 },
  { name: "mhz", detail: "cpuSpeed", field: "cpuspeed", usual: 1000 },
  { name: "memory", detail: "memory", field: "memory", usual: 1024 },
] as const;

export function openSizes(offering: Row | null): Bounds[] {
  if (offering === null) {
    return [];
  }
  const details = (offering.serviceofferingdetails ?? {}) as Record<string, string>;
  return SIZES.filter((size) => number(offering, size.field) === undefined).map((size) => ({
    name: size.name,
    detail: size.detail,
    least: Number(details[`min${size.field}`] ?? 1),
    most: details[`max${size.field}`] === undefined ? undefined : Number(details[`max${size.field}`]),
  }));
}

/** A size to begin with: the offering's own, or a usual one within its limits. */
export function initialSize(bounds: Bounds): number {
  const usual = SIZES.find((size) => size.name === bounds.name)!.usual;
  return Math.min(Math.max(usual, bounds.least), bounds.most ?? usual);
}

/** The sizes that the instance will have: vCPUs, MHz, MiB. */
export function sizesOf(deployment: Deployment): { cpus: number; mhz: number; memory: number } {
  const { offering } = deployment;
  return {
    cpus: number(offering, "cpunumber") ?? deployment.cpus ?? 0,
    mhz: number(offering, "cpuspeed") ?? deployment.mhz ?? 0,
    memory: number(offering, "memory") ?? deployment.memory ?? 0,
  };
}

/** GiB of the root disk. */
export function rootSizeOf(deployment: Deployment): number {
  if (deployment.imageKind === "iso") {
    return deployment.disk ? number(deployment.disk, "disksize") || (deployment.diskSize ?? 0) : 0;
  }
  return (
    deployment.rootSize ??
    (number(deployment.offering, "rootdisksize") || wholeGibibytes(number(deployment.image, "size") ?? 0))
  );
}

/** The names of what is deployed: one, or name-1 to name-n. */
export function namesOf(deployment: Deployment): string[] {
  const { name, count = 1 } = deployment;
  return Array.from({ length: count }, (_, index) => (name && count > 1 ? `${name}-${index + 1}` : name));
}

export function needsSecurityGroups(deployment: Deployment): boolean {
  return deployment.networks.some((each) => services(each.row).includes("SecurityGroup"));
}

const HOST_NAME = /^(?!-)(?!\d+$)[A-Za-z0-9-]{1,63}(?<!-)$/;
const IPV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;
/** What fits into the parameter once it is base64. */
export const USER_DATA_BYTES = (3 << 20) / 4;

export const checks = {
  zone: (deployment: Deployment): Errors =>
    deployment.zone === null ? { zone: t("wizards.deploy.errors.zone") } : {},

  image: (deployment: Deployment): Errors =>
    deployment.image === null ? { image: t(`wizards.deploy.errors.${deployment.imageKind}`) } : {},

  size: (deployment: Deployment): Errors => {
    if (deployment.offering === null) {
      return { offering: t("wizards.deploy.errors.offering") };
    }
    const errors: Errors = {};
    for (const bounds of openSizes(deployment.offering)) {
      const value = deployment[bounds.name];
      if (value === undefined || value < bounds.least || (bounds.most !== undefined && value > bounds.most)) {
        errors[bounds.name] =
          bounds.most === undefined
            ? t("wizards.deploy.errors.least", { least: bounds.least })
            : t("wizards.deploy.errors.between", { least: bounds.least, most: bounds.most });
      }
    }
    return errors;
  },

  disks: (deployment: Deployment, least: number, most: number): Errors => {
    const errors: Errors = {};
    const smallest = wholeGibibytes(number(deployment.image, "size") ?? 0);
    if (
      deployment.imageKind === "template" &&
      deployment.rootSize !== undefined &&
      deployment.rootSize < smallest
    ) {
      errors.rootSize = t("wizards.deploy.errors.rootSize", { least: smallest });
    }
    if (deployment.imageKind === "iso" && deployment.disk === null) {
      errors.disk = t("wizards.deploy.errors.isoDisk");
    }
    if (deployment.disk?.iscustomized === true) {
      const size = deployment.diskSize;
      if (size === undefined || size < least || size > most) {
        errors.diskSize = t("wizards.deploy.errors.between", { least, most });
      }
    }
    return errors;
  },

  networks: (deployment: Deployment): Errors => {
    const errors: Errors = {};
    for (const { row, ip, mac } of deployment.networks) {
      if (ip && !IPV4.test(ip)) {
        errors[`ip ${row.id}`] = t("wizards.deploy.errors.ip");
      } else if (mac && !MAC.test(mac)) {
        errors[`ip ${row.id}`] = t("wizards.deploy.errors.mac");
      }
    }
    return errors;
  },

  access: (deployment: Deployment): Errors =>
    new TextEncoder().encode(deployment.userData).length > USER_DATA_BYTES
      ? { userData: t("wizards.deploy.errors.userData") }
      : {},

  name: (deployment: Deployment): Errors => {
    const errors: Errors = {};
    if (deployment.name && namesOf(deployment).some((name) => !HOST_NAME.test(name))) {
      errors.name = t("wizards.deploy.errors.name");
    }
    if (deployment.count === undefined) {
      errors.count = t("wizards.deploy.errors.least", { least: 1 });
    }
    if (deployment.details.some((each) => !each.key.trim() && each.value)) {
      errors.details = t("wizards.deploy.errors.details");
    }
    return errors;
  },
};

/** The step that an error of the API concerns, by the parameters that it names. */
export function stepOf(error: string): string | undefined {
  const words: [string, RegExp][] = [
    ["zone", /\bzone\b.*(disabled|dedicated)|zoneid/i],
    ["networks", /networkids|iptonetworklist|ip ?address|mac ?address|security ?group|\bnetwork\b/i],
    ["size", /cpunumber|cpuspeed|\bmemory\b.*(must|fixed)|serviceoffering/i],
    ["disks", /rootdisksize|diskoffering|\bsize must\b/i],
    ["image", /\btemplate\b|templateid|\biso\b/i],
    ["access", /keypair|key pair|userdata|affinity/i],
    ["name", /hostname|invalid name|\bname\b|\bgroup\b|podid|clusterid|hostid|planner|details|boot/i],
  ];
  return words.find(([, pattern]) => pattern.test(error))?.[0];
}

/** What deployVirtualMachine is sent for the instance of that name. */
export function parametersOf(deployment: Deployment, name: string): Parameters {
  const details: Record<string, string> = {};
  for (const { key, value } of deployment.details) {
    if (key.trim()) {
      details[key.trim()] = value;
    }
  }
  for (const bounds of openSizes(deployment.offering)) {
    details[bounds.detail] = String(deployment[bounds.name]);
  }
  const fixed = deployment.networks.some((each) => each.ip || each.mac);
  const onNetworks = fixed
    ? {
        iptonetworklist: deployment.networks.map(({ row, ip, mac }) => ({
          networkid: row.id,
          ...(ip ? { ip } : {}),
          ...(mac ? { mac } : {}),
        })),
      }
    : { networkids: deployment.networks.map((each) => each.row.id) };
  return {
    zoneid: deployment.zone!.id,
    templateid: deployment.image!.id,
    hypervisor:
      deployment.imageKind === "iso" ? undefined : text(deployment.image, "hypervisor") || undefined,
    serviceofferingid: deployment.offering!.id,
    name: name || undefined,
    displayname: deployment.displayName || undefined,
    group: deployment.group || undefined,
    rootdisksize: deployment.imageKind === "template" ? deployment.rootSize : undefined,
    diskofferingid: deployment.disk?.id,
    size: deployment.disk?.iscustomized === true ? deployment.diskSize : undefined,
    ...onNetworks,
    securitygroupids: needsSecurityGroups(deployment) ? deployment.securityGroups : undefined,
    keypairs: deployment.keyPairs,
    affinitygroupids: deployment.affinityGroups,
    userdata: deployment.userData ? base64(deployment.userData) : undefined,
    userdataid: deployment.userData ? undefined : deployment.userDataId,
    startvm: deployment.start ? undefined : false,
    podid: deployment.podId,
    clusterid: deployment.clusterId,
    hostid: deployment.hostId,
    deploymentplanner: deployment.planner,
    boottype: deployment.bootType,
    bootmode: deployment.bootMode,
    details: Object.keys(details).length > 0 ? [details] : undefined,
  };
}

function base64(plain: string): string {
  let bytes = "";
  for (const byte of new TextEncoder().encode(plain)) {
    bytes += String.fromCharCode(byte);
  }
  return btoa(bytes);
}
