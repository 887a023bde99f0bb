// Answers of listTopology are taken in: all of it, or what has changed.

import { describe, expect, it } from "vitest";
import { fillOf, statusOf } from "@/pages/topology/datacenter";
import { layOut } from "@/pages/topology/layout";
import { Looks } from "@/pages/topology/looks";
import { LOOKS, SHADES } from "@/pages/topology/palette";
import { answerOf, datacenterOf, hostRow } from "./datacenters";

const changes = (host: ReturnType<typeof hostRow>[]) => ({ version: "1.2", complete: false, host, link: [] });

describe("a datacenter that is followed", () => {
  it("has new figures in the rows that everybody holds", () => {
    const datacenter = datacenterOf(1, 1, [2]);
    const scene = layOut(datacenter);
    const id = "z1p1r0h1";
    const taken = datacenter.take(changes([hostRow(id, { cpuused: 900, instances: 9 })]));
    expect(taken).toMatchObject({ laidOutAnew: false, failed: [] });
    expect(scene.hosts[scene.numbers.get(id)!]).toMatchObject({ cpuused: 900, instances: 9 });
    expect(datacenter).toMatchObject({ version: "1.2", mostInstances: 9 });
  });

  it("keeps what a change does not tell, such as the link's bandwidth, and forgets tags that are gone", () => {
    const datacenter = datacenterOf(1, 1, [1]);
    datacenter.take(changes([{ ...hostRow("z1p1r0h1"), hosttags: "fast" }]));
    const plain = hostRow("z1p1r0h1");
    delete plain.bandwidth;
    datacenter.take(changes([plain]));
    expect(datacenter.hosts.get("z1p1r0h1")).toMatchObject({ bandwidth: 10_000 });
    expect(datacenter.hosts.get("z1p1r0h1")!.hosttags).toBeUndefined();
  });

  it.each([{ state: "Down" }, { state: "Alert" }, { state: "Disconnected" }])(
    "tells once that a host is $state",
    (now) => {
      const datacenter = datacenterOf(1, 1, [2]);
      const failing = changes([hostRow("z1p1r0h2", now)]);
      expect(datacenter.take(failing).failed.map((host) => host.id)).toEqual(["z1p1r0h2"]);
      expect(datacenter.take(failing).failed).toEqual([]);
    },
  );

  it("tells of a failure also when all of it comes anew, but not at the first sight", () => {
    const datacenter = datacenterOf(1, 1, [1]);
    const all = answerOf(1, 1, [1]);
    all.zone![0]!.pod[0]!.cluster[0]!.host[0]!.state = "Down";
    expect(datacenter.take(all).failed).toHaveLength(1);
    expect(datacenterOf(0, 0, []).take(all).failed).toHaveLength(0);
  });

  it("has the links of the last answer only", () => {
    const datacenter = datacenterOf(1, 1, [1]);
    const link = { lower: "z1p1r0h1", upper: "z1p1r0", bandwidth: 10, up: 1, down: 0, cut: false };
    datacenter.take({ ...changes([]), link: [link] });
    expect([...datacenter.links.keys()]).toEqual(["z1p1r0h1"]);
    datacenter.take(changes([]));
    expect(datacenter.links.size).toBe(0);
  });
});

describe("a host", () => {
  it.each([
    [{}, "ok"],
    [{ resourcestate: "Disabled" }, "disabled"],
    [{ resourcestate: "Maintenance" }, "maintenance"],
    [{ resourcestate: "PrepareForMaintenance" }, "maintenance"],
    [{ state: "Connecting" }, "coming"],
    [{ state: "Down", resourcestate: "Maintenance" }, "failed"],
    [{ resourcestate: "ErrorInMaintenance" }, "failed"],
  ])("with %j is %s", (more, status) => {
    expect(statusOf(hostRow("h", more))).toBe(status);
  });

  it("is filled by CPU, memory or instances", () => {
    const host = hostRow("h");
    expect(fillOf(host, "cpu", 8)).toBe(0.25);
    expect(fillOf(host, "memory", 8)).toBe(0.5);
    expect(fillOf(host, "instances", 8)).toBe(0.25);
    expect(fillOf(hostRow("h", { cpu: 0, memory: 0 }), "cpu", 0)).toBe(0);
  });
});

describe("the hosts by look", () => {
  it("has every host once, under its look", () => {
    const datacenter = datacenterOf(1, 2, [5, 9]);
    datacenter.take(
      changes([hostRow("z1p1r0h1", { state: "Down" }), hostRow("z1p1r0h2", { cpuused: 1000 })]),
    );
    const looks = new Looks();
    looks.update(layOut(datacenter), datacenter, "cpu");
    expect([...looks.order].sort((a, b) => a - b)).toEqual(Array.from({ length: 28 }, (_, index) => index));
    expect(looks.start[LOOKS]).toBe(28);
    for (let look = 0; look < LOOKS; look++) {
      for (let at = looks.start[look]!; at < looks.start[look + 1]!; at++) {
        expect(looks.look[looks.order[at]!]).toBe(look);
      }
    }
    expect(looks.look[0]).toBeGreaterThanOrEqual(SHADES);
    expect(looks.look[1]).toBe(SHADES - 1);
  });
});
