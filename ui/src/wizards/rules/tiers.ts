// Rules at an address of a VPC name the tier that they lead to: the one that the instance is on.

import { list, type Row } from "@/api/client";
import { text } from "../frame/rows";

/** The tier by id; undefined where the address is not of a VPC, or the instance on none of its tiers. */
export async function tierOf(address: Row, instanceId: string | undefined): Promise<string | undefined> {
  const vpcid = text(address, "vpcid");
  if (!vpcid || !instanceId) {
    return undefined;
  }
  const [instances, tiers] = await Promise.all([
    list("listVirtualMachines", "virtualmachine", { id: instanceId, listall: true }),
    list("listNetworks", "network", { vpcid, listall: true }),
  ]);
  const nics = (instances.rows[0]?.nic ?? []) as { networkid: string }[];
  return nics.find((nic) => tiers.rows.some((tier) => tier.id === nic.networkid))?.networkid;
}

/** Parameters of listVirtualMachines that find the instances which the address can lead to. */
export function reachedFrom(address: Row): { vpcid?: string; networkid?: string; listall: boolean } {
  const vpcid = text(address, "vpcid");
  return vpcid
    ? { vpcid, listall: true }
    : { networkid: text(address, "associatednetworkid") || undefined, listall: true };
}
