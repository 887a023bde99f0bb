// IPv4 addresses as numbers: whether a text is one, and whether a range lies in its subnet.

const IPV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;

export function isAddress(text: string): boolean {
  return IPV4.test(text.trim());
}

export function addressNumber(text: string): number {
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Whether it is a netmask: ones, then zeros. */
export function isNetmask(text: string): boolean {
  return isAddress(text) && /^1+0+$/.test(addressNumber(text.trim()).toString(2).padStart(32, "0"));
}

/** Whether it is a subnet, such as 10.1.1.0/24. */
export function isCidr(text: string): boolean {
  const [address, bits, ...rest] = text.trim().split("/");
  return rest.length === 0 && isAddress(address ?? "") && /^\d+$/.test(bits ?? "") && Number(bits) <= 32;
}

export type Range = { gateway: string; netmask: string; startIp: string; endIp: string };
export type RangeFault = "address" | "netmask" | "outside" | "order" | "gateway";

/** What is wrong with a range of addresses, by field: the field and which kind of fault. */
export function rangeFaults(range: Range): Partial<Record<keyof Range, RangeFault>> {
  const faults: Partial<Record<keyof Range, RangeFault>> = {};
  for (const field of ["gateway", "startIp", "endIp"] as const) {
    if (!isAddress(range[field])) {
      faults[field] = "address";
    }
  }
  if (!isNetmask(range.netmask)) {
    faults.netmask = "netmask";
  }
  if (Object.keys(faults).length > 0) {
    return faults;
  }
  const mask = addressNumber(range.netmask);
  const subnet = (text: string): number => Math.floor(addressNumber(text) / (2 ** 32 - mask));
  for (const field of ["startIp", "endIp"] as const) {
    if (subnet(range[field]) !== subnet(range.gateway)) {
      faults[field] = "outside";
    }
  }
  const [first, last, gateway] = [range.startIp, range.endIp, range.gateway].map(addressNumber) as [
    number,
    number,
    number,
  ];
  if (!faults.endIp && last < first) {
    faults.endIp = "order";
  } else if (first <= gateway && gateway <= last) {
    faults.gateway = "gateway";
  }
  return faults;
}

/** Whether it is a list of VLAN ids or ranges of them: 100-200,300. `most` is the largest. */
export function isVlans(text: string, most: number): boolean {
  return text.split(",").every((part) => {
    const match = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part);
    return (
      match !== null &&
      Number(match[1]) <= Number(match[2] ?? match[1]) &&
      Number(match[2] ?? match[1]) <= most
    );
  });
}
