// The networks that can be created: isolated, shared, L2, and VPCs with their tiers; what is wrong with one, what is sent.

import { reactive } from "vue";
import type { Parameters, Row } from "@/api/client";
import { t } from "@/messages";
import { isAddress, isCidr, isNetmask, rangeFaults } from "../frame/addresses";
import type { Errors } from "../frame/steps";

export type NetworkKind = "isolated" | "shared" | "l2" | "vpc";

export interface TierPlan {
  name: string;
  gateway: string;
  netmask: string;
  offeringId: string | undefined;
  aclId: string | undefined;
}

export interface NetworkPlan {
  kind: NetworkKind;
  zoneId: string | undefined;
  offering: Row | null;
  name: string;
  text: string;
  /** Of a VPC: the addresses of all its tiers. */
  cidr: string;
  gateway: string;
  netmask: string;
  startIp: string;
  endIp: string;
  /** Of a shared network: its IPv6 subnet, if it is to have one, and the gateway there. */
  cidr6: string;
  gateway6: string;
  vlan: string;
  domain: string;
  /** Of a shared network: who may use it. */
  scope: "all" | "domain" | "account";
  domainId: string | undefined;
  subdomains: boolean;
  account: string | undefined;
  physicalId: string | undefined;
  tiers: TierPlan[];
}

export function newNetwork(): NetworkPlan {
  return reactive<NetworkPlan>({
    kind: "isolated",
    zoneId: undefined,
    offering: null,
    name: "",
    text: "",
    cidr: "10.20.0.0/16",
    gateway: "",
    netmask: "",
    startIp: "",
    endIp: "",
    cidr6: "",
    gateway6: "",
    vlan: "",
    domain: "",
    scope: "all",
    domainId: undefined,
    subdomains: true,
    account: undefined,
    physicalId: undefined,
    tiers: [],
  });
}

/** Whether the offering makes networks of that kind. */
export function suits(kind: NetworkKind, offering: Row, securityGroups: boolean): boolean {
  const type = String(offering.guestiptype ?? "");
  const named = ((offering.service ?? []) as { name: string }[]).map((each) => each.name);
  switch (kind) {
    case "isolated":
      return type === "Isolated" && offering.forvpc !== true;
    case "l2":
      return type === "L2";
    case "shared":
      return type === "Shared" && named.includes("SecurityGroup") === securityGroups;
    case "vpc":
      return true;
  }
}

/** A tier to begin with: the next subnet of 256 addresses in the VPC. */
export function nextTier(plan: NetworkPlan): TierPlan {
  const [first = "10", second = "20"] = plan.cidr.split(".");
  const taken = plan.tiers.map((tier) => tier.gateway);
  const free = Array.from({ length: 254 }, (_, n) => `${first}.${second}.${n + 1}.1`).find(
    (gateway) => !taken.includes(gateway),
  );
  return {
    name: `${plan.name || "vpc"}-tier-${plan.tiers.length + 1}`,
    gateway: free ?? "",
    netmask: "255.255.255.0",
    offeringId: undefined,
    aclId: undefined,
  };
}

const needed = (): string => t("wizards.zone.errors.required");

export const checks = {
  kind: (plan: NetworkPlan): Errors => (plan.zoneId ? {} : { zone: t("wizards.deploy.errors.zone") }),

  offering: (plan: NetworkPlan): Errors =>
    plan.offering ? {} : { offering: t("wizards.network.errors.offering") },

  details: (plan: NetworkPlan): Errors => {
    const errors: Errors = {};
    if (!plan.name.trim()) {
      errors.name = needed();
    }
    if (plan.kind === "vpc") {
      if (!isCidr(plan.cidr)) {
        errors.cidr = t("wizards.zone.errors.cidr");
      }
      return errors;
    }
    if (plan.offering?.specifyvlan === true && !plan.vlan.trim()) {
      errors.vlan = needed();
    }
    if (plan.kind === "shared" && plan.scope !== "all" && !plan.domainId) {
      errors.domainId = needed();
    }
    if (plan.kind === "shared" && plan.scope === "account" && !plan.account) {
      errors.account = needed();
    }
    return { ...errors, ...addressErrors(plan), ...ipv6Errors(plan) };
  },

  tiers: (plan: NetworkPlan): Errors => {
    const errors: Errors = {};
    plan.tiers.forEach((tier, index) => {
      if (!tier.name.trim() || plan.tiers.findIndex((each) => each.name === tier.name) !== index) {
        errors[`name ${index}`] = t("wizards.network.errors.tierName");
      }
      if (!isAddress(tier.gateway)) {
        errors[`gateway ${index}`] = t("wizards.zone.errors.address");
      }
      if (!isNetmask(tier.netmask)) {
        errors[`netmask ${index}`] = t("wizards.zone.errors.netmask");
      }
      if (!tier.offeringId) {
        errors[`offering ${index}`] = needed();
      }
    });
    return errors;
  },
};

/** An L2 network has no addresses; an isolated one may leave them to the zone; a shared one must say its range. */
function addressErrors(plan: NetworkPlan): Errors {
  const { gateway, netmask, startIp, endIp } = plan;
  if (plan.kind === "l2") {
    return {};
  }
  if (plan.kind === "shared" || startIp || endIp) {
    const faults = rangeFaults({ gateway, netmask, startIp, endIp: endIp || startIp });
    return Object.fromEntries(
      Object.entries(faults).map(([field, fault]) => [field, t(`wizards.zone.errors.${fault}`)]),
    );
  }
  const errors: Errors = {};
  if (gateway || netmask) {
    if (!isAddress(gateway)) {
      errors.gateway = t("wizards.zone.errors.address");
    }
    if (!isNetmask(netmask)) {
      errors.netmask = t("wizards.zone.errors.netmask");
    }
  }
  return errors;
}

/** A shared network may have an IPv6 subnet of 64 bits, which needs a gateway. */
function ipv6Errors({ kind, cidr6, gateway6 }: NetworkPlan): Errors {
  const errors: Errors = {};
  if (kind !== "shared" || !(cidr6.trim() || gateway6.trim())) {
    return errors;
  }
  if (!/^[0-9a-f:]+\/64$/i.test(cidr6.trim())) {
    errors.cidr6 = t("wizards.network.errors.cidr6");
  }
  if (!/^[0-9a-f:]*:[0-9a-f:]+$/i.test(gateway6.trim())) {
    errors.gateway6 = t("wizards.network.errors.gateway6");
  }
  return errors;
}

/** What createNetwork is sent. */
export function networkParameters(plan: NetworkPlan): Parameters {
  const shared = plan.kind === "shared";
  const addresses =
    plan.kind === "l2"
      ? {}
      : {
          gateway: plan.gateway || undefined,
          netmask: plan.netmask || undefined,
          startip: plan.startIp || undefined,
          endip: plan.endIp || undefined,
          networkdomain: plan.domain || undefined,
        };
  const whose = {
    acltype: plan.scope === "account" ? "Account" : "Domain",
    domainid: plan.scope === "all" ? undefined : plan.domainId,
    account: plan.scope === "account" ? plan.account : undefined,
    subdomainaccess: plan.scope === "domain" ? plan.subdomains : undefined,
    ip6cidr: plan.cidr6.trim() || undefined,
    ip6gateway: plan.gateway6.trim() || undefined,
    physicalnetworkid: plan.physicalId,
  };
  return {
    zoneid: plan.zoneId,
    networkofferingid: plan.offering!.id,
    name: plan.name.trim(),
    displaytext: plan.text.trim() || plan.name.trim(),
    vlan: plan.offering!.specifyvlan === true ? plan.vlan.trim() : undefined,
    ...addresses,
    ...(shared ? whose : {}),
  };
}

/** What createVPC is sent. */
export function vpcParameters(plan: NetworkPlan): Parameters {
  return {
    zoneid: plan.zoneId,
    vpcofferingid: plan.offering!.id,
    name: plan.name.trim(),
    displaytext: plan.text.trim() || plan.name.trim(),
    cidr: plan.cidr.trim(),
    networkdomain: plan.domain || undefined,
  };
}

/** What createNetwork is sent for a tier. */
export function tierParameters(plan: NetworkPlan, tier: TierPlan, vpcId: string): Parameters {
  return {
    zoneid: plan.zoneId,
    vpcid: vpcId,
    networkofferingid: tier.offeringId,
    name: tier.name.trim(),
    displaytext: tier.name.trim(),
    gateway: tier.gateway.trim(),
    netmask: tier.netmask.trim(),
    aclid: tier.aclId,
  };
}
