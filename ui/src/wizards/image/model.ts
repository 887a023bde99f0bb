// Templates and ISOs to register: what is asked, what is wrong with it, what is sent.

import { reactive } from "vue";
import type { Parameters } from "@/api/client";
import { t } from "@/messages";
import type { Errors } from "../frame/steps";

export type ImageKind = "template" | "iso";

/** Formats by hypervisor. */
const FORMATS: Record<string, string[]> = {
  KVM: ["QCOW2", "RAW", "VHD", "VHDX", "VMDK"],
  Simulator: ["QCOW2", "RAW", "VHD", "VMDK", "OVA"],
};

export const FLAGS = [
  "isextractable",
  "passwordenabled",
  "sshkeyenabled",
  "isdynamicallyscalable",
  "requireshvm",
] as const;
export type Flag = (typeof FLAGS)[number];

export interface ImagePlan {
  kind: ImageKind;
  source: "url" | "upload";
  url: string;
  file: File | null;
  checksum: string;
  name: string;
  text: string;
  hypervisor: string;
  format: string;
  arch: string;
  osTypeId: string | undefined;
  /** Zones by id; none: every zone. */
  zones: string[];
  bootable: boolean;
  isPublic: boolean;
  isFeatured: boolean;
  flags: Record<Flag, boolean>;
}

export function newImage(): ImagePlan {
  return reactive<ImagePlan>({
    kind: "template",
    source: "url",
    url: "",
    file: null,
    checksum: "",
    name: "",
    text: "",
    hypervisor: "",
    format: "QCOW2",
    arch: "x86_64",
    osTypeId: undefined,
    zones: [],
    bootable: true,
    isPublic: false,
    isFeatured: false,
    flags: {
      isextractable: false,
      passwordenabled: false,
      sshkeyenabled: false,
      isdynamicallyscalable: false,
      requireshvm: true,
    },
  });
}

export function formatsOf(hypervisor: string): string[] {
  return FORMATS[hypervisor] ?? ["QCOW2", "RAW", "VHD", "VHDX", "VMDK", "OVA"];
}

/** Flags that the kind of image has. */
export function flagsOf(kind: ImageKind): Flag[] {
  return kind === "iso" ? ["isextractable", "passwordenabled", "isdynamicallyscalable"] : [...FLAGS];
}

/** What a file's name says: a name for the image, and its format. */
export function guess(fileName: string, formats: string[]): { name: string; format: string | undefined } {
  const base = (fileName.split(/[?#]/)[0] ?? "").replace(/^.*\//, "").replace(/\.(gz|bz2|xz|zip)$/i, "");
  const [, name = base, ending = ""] = /^(.*)\.([a-z0-9]+)$/i.exec(base) ?? [];
  const known = { img: "QCOW2" } as Record<string, string>;
  const format = known[ending.toLowerCase()] ?? ending.toUpperCase();
  return { name, format: formats.includes(format) ? format : undefined };
}

const CHECKSUM = /^(\{[A-Za-z0-9-]+\})?[0-9a-f]{32,128}$/i;

export const checks = {
  source: (plan: ImagePlan): Errors => {
    const errors: Errors = {};
    if (plan.source === "url" && !/^(https?|nfs|file):\/\/.+/.test(plan.url.trim())) {
      errors.url = t("wizards.image.errors.url");
    }
    if (plan.source === "upload" && plan.file === null) {
      errors.file = t("wizards.image.errors.file");
    }
    if (plan.checksum.trim() && !CHECKSUM.test(plan.checksum.trim())) {
      errors.checksum = t("wizards.image.errors.checksum");
    }
    return errors;
  },

  description: (plan: ImagePlan): Errors => {
    const errors: Errors = {};
    if (!plan.name.trim()) {
      errors.name = t("wizards.zone.errors.required");
    }
    if (plan.kind === "template" && !plan.hypervisor) {
      errors.hypervisor = t("wizards.zone.errors.required");
    }
    return errors;
  },

  use: (plan: ImagePlan): Errors =>
    plan.source === "upload" && plan.zones.length !== 1 ? { zones: t("wizards.image.errors.oneZone") } : {},
};

function described(plan: ImagePlan): Parameters {
  const template = plan.kind === "template";
  const flags = Object.fromEntries(flagsOf(plan.kind).map((flag) => [flag, plan.flags[flag]]));
  return {
    name: plan.name.trim(),
    displaytext: plan.text.trim() || plan.name.trim(),
    ostypeid: plan.osTypeId,
    checksum: plan.checksum.trim() || undefined,
    ispublic: plan.isPublic || undefined,
    isfeatured: plan.isFeatured || undefined,
    ...flags,
    ...(template
      ? { hypervisor: plan.hypervisor, format: plan.format, arch: plan.arch }
      : { bootable: plan.bootable, arch: plan.arch }),
  };
}

/** The command that registers it by its URL, and what it is sent. An ISO goes to one zone or to every one. */
export function registrations(plan: ImagePlan): { command: string; parameters: Parameters; zone: string }[] {
  const parameters = { ...described(plan), url: plan.url.trim() };
  if (plan.kind === "template") {
    const zones = plan.zones.length > 0 ? { zoneids: plan.zones } : { zoneid: "-1" };
    return [
      { command: "registerTemplate", parameters: { ...parameters, ...zones }, zone: plan.zones[0] ?? "" },
    ];
  }
  const zones = plan.zones.length > 0 ? plan.zones : ["-1"];
  return zones.map((zone) => ({ command: "registerIso", parameters: { ...parameters, zoneid: zone }, zone }));
}

/** The command that asks where to send the file, and what it is sent. */
export function uploadRequest(plan: ImagePlan): { command: string; parameters: Parameters } {
  const zone = { zoneid: plan.zones[0] };
  return plan.kind === "template"
    ? { command: "getUploadParamsForTemplate", parameters: { ...described(plan), ...zone } }
    : {
        command: "getUploadParamsForIso",
        parameters: {
          ...described(plan),
          ...zone,
          format: "ISO",
          arch: undefined,
          passwordenabled: undefined,
          isdynamicallyscalable: undefined,
        },
      };
}
