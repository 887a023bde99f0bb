// What a job is called, and where what it works on has its page.

import { describe, expect, it } from "vitest";
import { linkOfJob, titleOfJob } from "@/shell/following";

describe("a job that another client began", () => {
  it("leads to the page of what it works on", () => {
    expect(linkOfJob({ jobinstancetype: "VirtualMachine", jobinstanceid: "v-1" })).toBe("/vm/v-1");
    expect(linkOfJob({ jobinstancetype: "Vpc", jobinstanceid: "x" })).toBe("/vpc/x");
    expect(linkOfJob({ jobinstancetype: "Volume", jobinstanceid: "x" })).toBe("/volume/x");
  });

  it("leads nowhere where nothing is shown by itself", () => {
    expect(linkOfJob({ jobinstancetype: "ResourceTag", jobinstanceid: "x" })).toBe("");
    expect(linkOfJob({ jobinstancetype: "VirtualMachine" })).toBe("");
    expect(linkOfJob({})).toBe("");
  });

  it("is called what the menus call its command, else by the command's words", () => {
    expect(titleOfJob("rebootVirtualMachine")).toBe("Reboot instance");
    expect(titleOfJob("aCommandOfNobody")).toBe("A command of nobody");
  });
});
