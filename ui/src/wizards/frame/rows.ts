// Reading the API's rows: members as texts and numbers, sizes as people write them.

import type { Row } from "@/api/client";

const GIB = 2 ** 30;

/** The member as text; empty where there is none. */
export function text(row: Row | null | undefined, name: string): string {
  const value = row?.[name];
  return value === undefined || value === null ? "" : String(value);
}

/** The member as a number; undefined where there is none. */
export function number(row: Row | null | undefined, name: string): number | undefined {
  const value = row?.[name];
  return value === undefined || value === null || value === "" ? undefined : Number(value);
}

/** Bytes as GiB, to one digit: 1.5 GiB. */
export function gibibytes(bytes: number): string {
  const size = bytes / GIB;
  return size >= 1 ? `${+size.toFixed(1)} GiB` : `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

/** MiB as people write them: 512 MiB, 4 GiB. */
export function mebibytes(size: number): string {
  return size >= 1024 ? `${+(size / 1024).toFixed(1)} GiB` : `${size} MiB`;
}

/** MHz as people write them: 800 MHz, 2.4 GHz. */
export function megahertz(speed: number): string {
  return speed >= 1000 ? `${+(speed / 1000).toFixed(2)} GHz` : `${speed} MHz`;
}

/** Bytes, as whole GiB that hold them. */
export function wholeGibibytes(bytes: number): number {
  return Math.ceil(bytes / GIB);
}

/** The names of the services that a network or an offering has. */
export function services(row: Row | null | undefined): string[] {
  return ((row?.service as { name: string }[] | undefined) ?? []).map((each) => each.name);
}
