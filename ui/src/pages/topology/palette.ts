// The picture's colours, from the theme's own.

import type { GlobalToken } from "ant-design-vue/es/theme";
import { STATUSES, type Status } from "./datacenter";

export const SHADES = 16;

export interface Palette {
  ground: string;
  zone: string;
  pod: string;
  rack: string;
  /** What is free of a host. */
  free: string;
  border: string;
  strongBorder: string;
  text: string;
  faintText: string;
  accent: string;
  accentText: string;
  /** How full a host is, from empty to full. */
  shades: string[];
  status: Record<Status, string>;
  /** The ground of cells that tell of a status, under text. */
  statusGround: Record<Status, string>;
  storage: string;
  /** How busy a link is, from idle to full. */
  load: string[];
  idleLink: string;
  cutLink: string;
  instance: Record<"running" | "moving" | "broken" | "system", { ground: string; border: string }>;
  suitable: string;
  veil: string;
  font: string;
}

type Rgb = [number, number, number];

export function paletteOf(token: GlobalToken, dark: boolean): Palette {
  const ground = rgb(token.colorBgContainer);
  // a full host stands out from the ground: darker on light, lighter on dark
  const accent = dark ? mix(rgb(token.colorPrimary), [255, 255, 255], 0.3) : rgb(token.colorPrimary);
  const free = mix(ground, rgb(token.colorTextBase), dark ? 0.14 : 0.08);
  const status: Record<Status, string> = {
    ok: token.colorPrimary,
    disabled: hex(mix(ground, rgb(token.colorTextBase), dark ? 0.42 : 0.38)),
    maintenance: token.colorWarning,
    coming: token.purple ?? "#722ed1",
    failed: token.colorError,
  };
  return {
    ground: token.colorBgLayout,
    zone: token.colorBgContainer,
    pod: hex(mix(ground, rgb(token.colorTextBase), dark ? 0.04 : 0.025)),
    rack: hex(mix(ground, rgb(token.colorTextBase), dark ? 0.07 : 0.0)),
    free: hex(free),
    border: token.colorBorderSecondary,
    strongBorder: token.colorBorder,
    text: token.colorText,
    faintText: token.colorTextSecondary,
    accent: token.colorPrimary,
    accentText: token.colorTextLightSolid,
    shades: range(SHADES).map((each) => hex(mix(free, accent, 0.08 + (0.92 * each) / (SHADES - 1)))),
    status,
    statusGround: Object.fromEntries(
      STATUSES.map((each) => [each, hex(mix(free, rgb(status[each]), 0.22))]),
    ) as Record<Status, string>,
    storage: token.cyan ?? "#13c2c2",
    load: range(SHADES).map((each) => {
      const share = each / (SHADES - 1);
      return hex(
        share < 0.5
          ? mix(rgb(token.colorSuccess), rgb(token.colorWarning), share * 2)
          : mix(rgb(token.colorWarning), rgb(token.colorError), share * 2 - 1),
      );
    }),
    idleLink: token.colorBorder,
    cutLink: token.colorError,
    instance: {
      running: { ground: token.colorSuccessBg, border: token.colorSuccessBorder },
      moving: { ground: token.colorWarningBg, border: token.colorWarningBorder },
      broken: { ground: token.colorErrorBg, border: token.colorErrorBorder },
      system: { ground: token.colorInfoBg, border: token.colorInfoBorder },
    },
    suitable: token.colorSuccess,
    veil: dark ? "rgba(0, 0, 0, 0.55)" : "rgba(255, 255, 255, 0.66)",
    font: token.fontFamily,
  };
}

/** The place of a fill (0 to 1) among the shades. */
export function shadeOf(fill: number): number {
  return Math.min(SHADES - 1, Math.max(0, Math.round(fill * (SHADES - 1))));
}

/** Numbers that stand for what a host's cell looks like: a shade of one that works, or its status. */
export const STATUS_BASE = SHADES;
export const LOOKS = SHADES + STATUSES.length;

export function lookOf(status: Status, fill: number): number {
  return status === "ok" ? shadeOf(fill) : STATUS_BASE + STATUSES.indexOf(status);
}

export function colourOf(palette: Palette, look: number): string {
  return look < SHADES ? palette.shades[look]! : palette.status[STATUSES[look - STATUS_BASE]!];
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

function rgb(colour: string): Rgb {
  const digits = /^#([0-9a-f]{3,8})$/i.exec(colour)?.[1];
  if (digits !== undefined) {
    const wide = digits.length < 6 ? [...digits].map((digit) => digit + digit).join("") : digits;
    return [0, 2, 4].map((at) => parseInt(wide.slice(at, at + 2), 16)) as Rgb;
  }
  return (colour.match(/[\d.]+/g) ?? ["0", "0", "0"]).slice(0, 3).map(Number) as Rgb;
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  return from.map((value, index) => Math.round(value + (to[index]! - value) * share)) as Rgb;
}

function hex(colour: Rgb): string {
  return `#${colour.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
