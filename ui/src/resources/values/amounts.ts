// Amounts of capacity, in the units of their types as the API numbers them.

import { bytes } from "./kinds";

const BYTES = new Set([0, 2, 3, 6, 9]);
const CPU = 1;

/** An amount in the unit of the type: bytes, GHz (the API counts MHz), or a number. */
export function amount(type: number, value: number): string {
  if (BYTES.has(type)) {
    return bytes(value);
  }
  if (type === CPU) {
    return value >= 1000
      ? `${Number((value / 1000).toFixed(value >= 100_000 ? 0 : 1)).toLocaleString("en")} GHz`
      : `${value} MHz`;
  }
  return value.toLocaleString("en");
}
