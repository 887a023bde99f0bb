// What a zone is made of, and what is wrong with it.

import { reactive } from "vue";
import { t } from "@/messages";
import type { Errors } from "../frame/steps";
import { isAddress, isCidr, isVlans, rangeFaults, type Range } from "../frame/addresses";

export type ZoneKind = "advanced" | "securityGroups" | "basic";
export const TRAFFIC = ["Guest", "Management", "Public", "Storage"] as const;
export type Traffic = (typeof TRAFFIC)[number];

export interface PhysicalNetworkPlan {
  name: string;
  isolation: string;
  traffic: Traffic[];
  /** The bridge that each kind of traffic goes over, on KVM hosts. */
  labels: Record<string, string>;
  /** VLANs of guest networks: 100-999. */
  vlans: string;
}

/** The size of simulated hosts: sizes in GiB, speed in MHz. */
export interface HostSize {
  count: number;
  cores: number;
  mhz: number;
  memory: number;
  disk: number;
}

export interface RealHost {
  url: string;
  username: string;
  password: string;
}

export interface StoragePlan {
  name: string;
  protocol: string;
  server: string;
  path: string;
}

export interface ZonePlan {
  kind: ZoneKind;
  name: string;
  hypervisor: string;
  dns1: string;
  dns2: string;
  internalDns1: string;
  internalDns2: string;
  domain: string;
  guestCidr: string;
  /** The domain that alone may use it. */
  domainId: string | undefined;
  localStorage: boolean;
  physical: PhysicalNetworkPlan[];
  withPublic: boolean;
  publicRange: Range & { vlan: string };
  pod: Range & { name: string };
  cluster: { name: string; arch: string };
  simulated: HostSize;
  hosts: RealHost[];
  primary: StoragePlan & { scope: "CLUSTER" | "ZONE" };
  secondary: StoragePlan;
  enable: boolean;
}

export function newPlan(): ZonePlan {
  return reactive<ZonePlan>({
    kind: "advanced",
    name: "",
    hypervisor: "",
    dns1: "",
    dns2: "",
    internalDns1: "",
    internalDns2: "",
    domain: "",
    guestCidr: "",
    domainId: undefined,
    localStorage: false,
    physical: [],
    withPublic: true,
    publicRange: { gateway: "", netmask: "", startIp: "", endIp: "", vlan: "" },
    pod: { name: "", gateway: "", netmask: "", startIp: "", endIp: "" },
    cluster: { name: "", arch: "x86_64" },
    simulated: { count: 4, cores: 16, mhz: 2400, memory: 64, disk: 1024 },
    hosts: [],
    primary: { name: "", protocol: "nfs", server: "", path: "", scope: "CLUSTER" },
    secondary: { name: "", protocol: "nfs", server: "", path: "" },
    enable: true,
  });
}

export const isSimulated = (plan: ZonePlan): boolean => plan.hypervisor === "Simulator";

/** Protocols of primary storage, and whether they name a server. */
export const PROTOCOLS: Record<string, boolean> = { nfs: true, SharedMountPoint: false, rbd: true };

/** Primary or secondary storage as the API names it. */
export function storageUrl(storage: StoragePlan): string {
  const path = storage.path.replace(/^\/*/, "/");
  return `${storage.protocol}://${PROTOCOLS[storage.protocol] === false ? "localhost" : storage.server.trim()}${path}`;
}

/** The URL of each host. Simulated ones say their size in it, as with CloudStack's simulator: memory and disk in bytes. */
export function hostUrls(plan: ZonePlan): string[] {
  if (!isSimulated(plan)) {
    return plan.hosts.map((host) => (/^https?:/.test(host.url) ? host.url : `http://${host.url.trim()}`));
  }
  const { count, cores, mhz, memory, disk } = plan.simulated;
  const bytes = (gib: number): number => Math.round(gib * 2 ** 30);
  const size = `cpucore=${cores}&cpuspeed=${mhz}&memory=${bytes(memory)}&localstorage=${bytes(disk)}`;
  return Array.from({ length: count }, (_, index) => `http://sim/h${index + 1}/${size}`);
}

function faultsOf(range: Range): Errors {
  return Object.fromEntries(
    Object.entries(rangeFaults(range)).map(([field, fault]) => [field, t(`wizards.zone.errors.${fault}`)]),
  );
}

function required(fields: Record<string, string>): Errors {
  const errors: Errors = {};
  for (const [field, value] of Object.entries(fields)) {
    if (!value.trim()) {
      errors[field] = t("wizards.zone.errors.required");
    }
  }
  return errors;
}

const VLAN_MOST = { VLAN: 4094, VXLAN: 16777214 } as Record<string, number>;

export const checks = {
  zone: (plan: ZonePlan): Errors => {
    const errors = required({ name: plan.name, hypervisor: plan.hypervisor });
    for (const field of ["dns1", "internalDns1", "dns2", "internalDns2"] as const) {
      if ((plan[field] || field.endsWith("1")) && !isAddress(plan[field])) {
        errors[field] = t("wizards.zone.errors.address");
      }
    }
    if (plan.kind === "advanced" && !isCidr(plan.guestCidr)) {
      errors.guestCidr = t("wizards.zone.errors.cidr");
    }
    return errors;
  },

  physical: (plan: ZonePlan): Errors => {
    const errors: Errors = {};
    const names = plan.physical.map((each) => each.name.trim());
    plan.physical.forEach((each, index) => {
      if (!each.name.trim() || names.indexOf(each.name.trim()) !== index) {
        errors[`name ${index}`] = t("wizards.zone.errors.uniqueName");
      }
    });
    for (const kind of TRAFFIC.filter((each) => each !== "Public" || plan.withPublic)) {
      const carriers = plan.physical.filter((each) => each.traffic.includes(kind)).length;
      if (carriers === 0 && kind !== "Storage") {
        errors[""] = t("wizards.zone.errors.noTraffic", { kind });
      } else if (carriers > 1 && kind !== "Guest") {
        errors[""] = t("wizards.zone.errors.twiceTraffic", { kind });
      }
    }
    return errors;
  },

  public: (plan: ZonePlan): Errors => {
    const errors = faultsOf(plan.publicRange);
    const { vlan } = plan.publicRange;
    if (vlan && vlan !== "untagged" && !isVlans(vlan, VLAN_MOST.VXLAN!)) {
      errors.vlan = t("wizards.zone.errors.vlan");
    }
    return errors;
  },

  pod: (plan: ZonePlan): Errors => ({ ...faultsOf(plan.pod), ...required({ podName: plan.pod.name }) }),

  vlans: (plan: ZonePlan): Errors => {
    const errors: Errors = {};
    plan.physical.forEach((each, index) => {
      const most = VLAN_MOST[each.isolation] ?? VLAN_MOST.VLAN!;
      if (each.traffic.includes("Guest") && !isVlans(each.vlans, most)) {
        errors[`vlans ${index}`] = t("wizards.zone.errors.vlans", { most });
      }
    });
    return errors;
  },

  cluster: (plan: ZonePlan): Errors => required({ clusterName: plan.cluster.name }),

  hosts: (plan: ZonePlan): Errors => {
    const errors: Errors = {};
    if (isSimulated(plan)) {
      for (const [field, value] of Object.entries(plan.simulated)) {
        if (!Number.isFinite(value) || value < 1) {
          errors[field] = t("wizards.zone.errors.positive");
        }
      }
      return errors;
    }
    if (plan.hosts.length === 0) {
      errors[""] = t("wizards.zone.errors.noHost");
    }
    plan.hosts.forEach((host, index) => {
      if (!host.url.trim()) {
        errors[`url ${index}`] = t("wizards.zone.errors.required");
      }
    });
    return errors;
  },

  primary: (plan: ZonePlan): Errors => storageErrors(plan.primary),
  secondary: (plan: ZonePlan): Errors => storageErrors(plan.secondary),
};

function storageErrors(storage: StoragePlan): Errors {
  const errors = required({ storageName: storage.name });
  if (PROTOCOLS[storage.protocol] !== false && !storage.server.trim()) {
    errors.server = t("wizards.zone.errors.required");
  }
  if (!storage.path.replace(/\//g, "").trim()) {
    errors.path = t("wizards.zone.errors.path");
  }
  return errors;
}
