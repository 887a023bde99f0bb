// What a deployment sends, and what it refuses to send.
import { expect, test } from "vitest";
import {
  checks,
  namesOf,
  newDeployment,
  openSizes,
  parametersOf,
  rootSizeOf,
  stepOf,
} from "@/wizards/deploy/model";

const GIB = 2 ** 30;

function deployment() {
  const made = newDeployment();
  made.zone = { id: "z" };
  made.image = { id: "t", hypervisor: "KVM", size: 3 * GIB };
  made.offering = { id: "o", cpunumber: 2, cpuspeed: 1000, memory: 512 };
  return made;
}

test("what was not chosen is not sent", () => {
  const sent = Object.entries(parametersOf(deployment(), "web")).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  expect(Object.fromEntries(sent)).toEqual({
    zoneid: "z",
    templateid: "t",
    hypervisor: "KVM",
    serviceofferingid: "o",
    name: "web",
  });
});

test("sizes that an offering leaves open are asked within its limits and sent as details", () => {
  const made = deployment();
  made.offering = {
    id: "o",
    cpuspeed: 1000,
    serviceofferingdetails: { mincpunumber: "2", maxcpunumber: "8" },
  };
  expect(openSizes(made.offering).map((each) => [each.name, each.least, each.most])).toEqual([
    ["cpus", 2, 8],
    ["memory", 1, undefined],
  ]);
  Object.assign(made, { cpus: 9, memory: 2048 });
  expect(Object.keys(checks.size(made))).toEqual(["cpus"]);
  made.cpus = 4;
  expect(checks.size(made)).toEqual({});
  expect(parametersOf(made, "").details).toEqual([{ cpuNumber: "4", memory: "2048" }]);
});

test("an address of one's own turns the networks into a list with addresses, the default one first", () => {
  const made = deployment();
  made.networks = [
    { row: { id: "a" }, ip: "", mac: "" },
    { row: { id: "b" }, ip: "10.1.1.9", mac: "" },
  ];
  const { networkids, iptonetworklist } = parametersOf(made, "");
  expect(networkids).toBeUndefined();
  expect(iptonetworklist).toEqual([{ networkid: "a" }, { networkid: "b", ip: "10.1.1.9" }]);
});

test("an ISO needs a disk, whose size is that of the root disk", () => {
  const made = deployment();
  Object.assign(made, { imageKind: "iso", image: { id: "i" } });
  expect(Object.keys(checks.disks(made, 1, 100))).toEqual(["disk"]);
  Object.assign(made, { disk: { id: "d", iscustomized: true, disksize: 0 }, diskSize: 40 });
  expect(checks.disks(made, 1, 100)).toEqual({});
  expect(rootSizeOf(made)).toBe(40);
  expect(parametersOf(made, "")).toMatchObject({ diskofferingid: "d", size: 40, rootdisksize: undefined });
});

test("several get names with numbers, and a name that no host can have is refused", () => {
  const made = deployment();
  Object.assign(made, { name: "web", count: 3 });
  expect(namesOf(made)).toEqual(["web-1", "web-2", "web-3"]);
  expect(checks.name(made)).toEqual({});
  made.name = "-web";
  expect(Object.keys(checks.name(made))).toEqual(["name"]);
});

test("user data is sent as base64 of its UTF-8", () => {
  const made = deployment();
  made.userData = "#cloud-config\nhostname: grün";
  const sent = String(parametersOf(made, "").userdata);
  expect(Buffer.from(sent, "base64").toString("utf8")).toBe(made.userData);
});

test("an error of the API leads back to the step that it concerns", () => {
  expect(stepOf("rootdisksize 1 bytes is smaller than template t")).toBe("disks");
  expect(stepOf("Unable to find network 5 in zone z")).toBe("networks");
  expect(stepOf("The vm with hostName web already exists for the account")).toBe("name");
});
