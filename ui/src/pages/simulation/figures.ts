// How figures of a simulation read: seconds, shares, counts.

const UNITS: [number, string][] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** A number of seconds in the unit that suits it: 45 s, 2.5 h. */
export function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return "–";
  }
  for (const [length, unit] of UNITS) {
    if (Math.abs(value) >= length * (unit === "s" ? 0 : 1.5)) {
      const amount = value / length;
      return `${Number(amount.toFixed(Math.abs(amount) >= 100 ? 0 : Math.abs(amount) >= 10 ? 1 : 2))} ${unit}`;
    }
  }
  return `${value} s`;
}

export function percent(share: number | null | undefined, digits = 1): string {
  return share === null || share === undefined ? "–" : `${(100 * share).toFixed(digits)} %`;
}

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en");
}

/** A simulated time of day, to the second. */
export function clockText(time: number): string {
  return new Date(time).toISOString().slice(11, 19);
}

export function dayText(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
