// What the wizard of networks sends, and what it finds wrong.
import { expect, test } from "vitest";
import { checks, networkParameters, newNetwork, type NetworkPlan } from "@/wizards/network/model";

function shared(more: Partial<NetworkPlan> = {}): NetworkPlan {
  return Object.assign(newNetwork(), {
    kind: "shared",
    zoneId: "zone",
    offering: { id: "offering", specifyvlan: true },
    name: "front",
    vlan: "98",
    gateway: "10.9.9.1",
    netmask: "255.255.255.0",
    startIp: "10.9.9.10",
    endIp: "10.9.9.19",
    ...more,
  });
}

test("a shared network without an IPv6 subnet is sent none", () => {
  expect(checks.details(shared())).toEqual({});
  const sent = networkParameters(shared());
  expect([sent.ip6cidr, sent.ip6gateway]).toEqual([undefined, undefined]);
});

test("a shared network may have an IPv6 subnet and its gateway", () => {
  const plan = shared({ cidr6: " 2001:db8:0:9::/64", gateway6: "2001:db8:0:9::1 " });
  expect(checks.details(plan)).toEqual({});
  const sent = networkParameters(plan);
  expect([sent.ip6cidr, sent.ip6gateway]).toEqual(["2001:db8:0:9::/64", "2001:db8:0:9::1"]);
});

test.each([
  [{ cidr6: "2001:db8:0:9::/56", gateway6: "2001:db8:0:9::1" }, ["cidr6"]],
  [{ cidr6: "2001:db8:0:9::/64" }, ["gateway6"]],
  [{ gateway6: "10.9.9.1" }, ["cidr6", "gateway6"]],
])("what is no IPv6 subnet with a gateway is told: %o", (more, fields) => {
  expect(Object.keys(checks.details(shared(more)))).toEqual(fields);
});

test("an isolated network is sent no IPv6 subnet: it gets one of the zone's", () => {
  const plan = shared({ kind: "isolated", cidr6: "2001:db8:0:9::/64", gateway6: "2001:db8:0:9::1" });
  expect(networkParameters(plan).ip6cidr).toBeUndefined();
});
