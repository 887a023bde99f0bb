// What is asked where a public address becomes an instance's alone.

import { expect, test } from "vitest";
import type { Row } from "@/api/client";
import type { FormField } from "@/resources/declaration";
import { resource } from "@/resources";

const fields = resource("publicip")!.actions.find((each) => each.command === "enableStaticNat")!
  .form as FormField[];
const field = (name: string): FormField => fields.find((each) => each.name === name)!;

const OF_A_NETWORK: Row = { id: "a1", zoneid: "z1", associatednetworkid: "n1" };
const OF_A_VPC: Row = { id: "a2", zoneid: "z1", vpcid: "v1" };

test("the network is asked of an address that belongs to none, among the tiers of its VPC", () => {
  expect(field("networkid").when!({}, OF_A_NETWORK)).toBe(false);
  expect(field("networkid").when!({}, OF_A_VPC)).toBe(true);
  expect(field("networkid").filter!({}, OF_A_VPC)).toEqual({ vpcid: "v1" });
});

test("instances to choose from are those of the address's network, or of the tier that was chosen", () => {
  expect(field("virtualmachineid").filter!({}, OF_A_NETWORK)).toMatchObject({ networkid: "n1" });
  expect(field("virtualmachineid").filter!({ networkid: "t1" }, OF_A_VPC)).toMatchObject({
    vpcid: "v1",
    networkid: "t1",
  });
});
