// Zones: ranges of addresses, what is proposed, and in which order a zone is made.
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, expect, test } from "vitest";
import { isCidr, isNetmask, isVlans, rangeFaults } from "@/wizards/frame/addresses";
import { checks, hostUrls, newPlan, storageUrl } from "@/wizards/zone/model";
import { propose } from "@/wizards/zone/proposals";
import { tasksOf } from "@/wizards/zone/tasks";

const NOTHING = { zones: [], pods: [], ranges: [], clusters: [], hypervisors: ["Simulator", "KVM"] };

beforeEach(() => setActivePinia(createPinia()));

test("a range lies in its gateway's subnet, in order, without the gateway", () => {
  const range = { gateway: "10.0.0.1", netmask: "255.255.255.0", startIp: "10.0.0.10", endIp: "10.0.0.20" };
  expect(rangeFaults(range)).toEqual({});
  expect(rangeFaults({ ...range, endIp: "10.0.1.20" })).toEqual({ endIp: "outside" });
  expect(rangeFaults({ ...range, endIp: "10.0.0.9" })).toEqual({ endIp: "order" });
  expect(rangeFaults({ ...range, gateway: "10.0.0.15" })).toEqual({ gateway: "gateway" });
  expect(rangeFaults({ ...range, startIp: "10.0.0.256" })).toEqual({ startIp: "address" });
  expect([isNetmask("255.255.252.0"), isNetmask("255.0.255.0")]).toEqual([true, false]);
  expect([isCidr("10.1.1.0/24"), isCidr("10.1.1.0"), isCidr("10.1.1.0/33")]).toEqual([true, false, false]);
  expect([isVlans("100-200,300", 4094), isVlans("200-100", 4094), isVlans("5000", 4094)]).toEqual([
    true,
    false,
    false,
  ]);
});

test("what is proposed passes every check, and differs from what there is", () => {
  const first = newPlan();
  propose(first, NOTHING);
  for (const check of Object.values(checks)) {
    expect(check(first)).toEqual({});
  }
  const second = newPlan();
  propose(second, {
    ...NOTHING,
    zones: [{ id: "1", name: first.name }],
    pods: [{ id: "2", gateway: first.pod.gateway }],
    ranges: [{ id: "3", startip: first.publicRange.startIp }],
  });
  expect(second.name).not.toBe(first.name);
  expect(second.pod.gateway).not.toBe(first.pod.gateway);
  expect(second.publicRange.startIp).not.toBe(first.publicRange.startIp);
});

test("simulated hosts say their size in their URL, real ones where they are", () => {
  const plan = newPlan();
  propose(plan, NOTHING);
  Object.assign(plan.simulated, { count: 2, cores: 8, mhz: 2000, memory: 32, disk: 100 });
  expect(hostUrls(plan)).toEqual([
    "http://sim/h1/cpucore=8&cpuspeed=2000&memory=34359738368&localstorage=107374182400",
    "http://sim/h2/cpucore=8&cpuspeed=2000&memory=34359738368&localstorage=107374182400",
  ]);
  plan.hypervisor = "KVM";
  plan.hosts = [{ url: "192.168.1.11", username: "", password: "" }];
  expect(hostUrls(plan)).toEqual(["http://192.168.1.11"]);
  expect(storageUrl({ name: "p", protocol: "nfs", server: "nas", path: "export/p" })).toBe(
    "nfs://nas/export/p",
  );
});

test("a zone is enabled after its storage is there, and its providers before its pod", () => {
  const plan = newPlan();
  propose(plan, NOTHING);
  plan.simulated.count = 1;
  const names = tasksOf(plan).map((task) => task.name);
  expect(names.filter((name) => !name.startsWith("physical"))).toEqual([
    "zone",
    "pod",
    "public",
    "cluster",
    "host 1",
    "primary",
    "secondary",
    "enabled",
    "systemVms",
  ]);
  expect(names.indexOf("physical 0 VirtualRouter")).toBeLessThan(names.indexOf("pod"));
});

test("traffic that nothing carries, or two networks at once, is told", () => {
  const plan = newPlan();
  propose(plan, NOTHING);
  plan.physical[0]!.traffic = ["Guest", "Public"];
  expect(checks.physical(plan)[""]).toContain("Management");
  plan.physical[0]!.traffic = ["Guest", "Management", "Public"];
  plan.physical.push({ ...plan.physical[0]!, name: "second", traffic: ["Public"] });
  expect(checks.physical(plan)[""]).toContain("Public");
});
