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

const NICE = [0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 15, 30]
  .concat([1, 2, 5, 10, 15, 30].map((each) => 60 * each))
  .concat([1, 2, 3, 6, 12].map((each) => 3600 * each))
  .concat([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((each) => 86_400 * each));

/** A round distance, in seconds, between the marks of an axis that goes to `most`: about `marks` of them. */
export function distance(most: number, marks: number): number {
  return NICE.find((each) => each >= most / marks) ?? most / marks;
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
