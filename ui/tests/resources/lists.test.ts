// Lists: what stands in their address, their columns, the views that are kept, and how values read.

import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it } from "vitest";
import { useApis } from "@/api/apis";
import type { Resource } from "@/resources/declaration";
import { allColumns, shownColumns } from "@/resources/list/columns";
import { csv } from "@/resources/list/csv";
import { read, withView, write, type SavedView } from "@/resources/list/kept";
import { fromQuery, initialState, toQuery } from "@/resources/list/state";
import { words } from "@/resources/labels";
import { bytes, compare, dateText, kindOf, textOf } from "@/resources/values/kinds";
import { moodOf } from "@/resources/values/states";

beforeEach(() => {
  setActivePinia(createPinia());
  localStorage.clear();
});

describe("the address of a list", () => {
  it("is bare for a list as it is at first", () => {
    expect(toQuery(initialState())).toEqual({});
  });

  it("tells all that a list shows, and is read back as the same", () => {
    const state = {
      page: 3,
      pagesize: 100,
      keyword: "web",
      filters: { state: "Running", zoneid: "z" },
      sort: { field: "created", descending: true },
    };
    const query = toQuery(state);
    expect(query).toEqual({
      page: "3",
      pagesize: "100",
      search: "web",
      sort: "-created",
      state: "Running",
      zoneid: "z",
    });
    expect(fromQuery(query as Record<string, string>)).toEqual(state);
  });

  it("that says nonsense is read as if it said nothing", () => {
    expect(fromQuery({ page: "-1", pagesize: "7", search: "" })).toEqual(initialState());
  });
});

describe("the columns of a list", () => {
  const of: Resource = {
    name: "thing",
    section: "compute",
    icon: {},
    list: { command: "listThings", key: "thing" },
    columns: [{ name: "name" }, { name: "host", needs: "listHosts" }, { name: "size", hidden: true }],
    actions: [],
  };
  const answers = (name: string) => ({ name, description: name, type: "string" });

  beforeEach(() => {
    const response = ["name", "colour", "jobid"].map(answers);
    useApis().all = new Map([
      [
        "listThings",
        { name: "listThings", description: "", isasync: false, related: "", params: [], response },
      ],
    ]);
  });

  it("are those declared that the caller may see, then all that the command answers", () => {
    expect(allColumns(of).map((field) => field.name)).toEqual(["name", "size", "colour"]);
  });

  it("are at first those that are not hidden, then those chosen, in their order", () => {
    const all = allColumns(of);
    expect(shownColumns(all, null).map((field) => field.name)).toEqual(["name"]);
    expect(shownColumns(all, ["colour", "gone", "name"]).map((field) => field.name)).toEqual([
      "colour",
      "name",
    ]);
  });
});

describe("what is kept of a list", () => {
  const view = (name: string, keyword: string): SavedView => ({
    name,
    keyword,
    filters: {},
    columns: null,
    sort: null,
  });

  it("is read back as it was written, for each list apart", () => {
    write("vm", { columns: ["name"], pagesize: 50, views: [view("mine", "m")] });
    expect(read("vm")).toEqual({ columns: ["name"], pagesize: 50, views: [view("mine", "m")] });
    expect(read("volume")).toEqual({ columns: null, pagesize: null, views: [] });
  });

  it("is nothing where the browser holds something else", () => {
    localStorage.setItem("cloudsim.list..vm", "{broken");
    expect(read("vm")).toEqual({ columns: null, pagesize: null, views: [] });
  });

  it("has one view of a name, the newest, by name", () => {
    const views = withView(withView(withView([], view("b", "1")), view("a", "2")), view("b", "3"));
    expect(views.map((each) => [each.name, each.keyword])).toEqual([
      ["a", "2"],
      ["b", "3"],
    ]);
  });
});

describe("a value", () => {
  it("is what its name and the API's type say", () => {
    expect(kindOf({ name: "state" }, "string")).toBe("state");
    expect(kindOf({ name: "size" }, "long")).toBe("bytes");
    expect(kindOf({ name: "nic.0.ipaddress" }, "string")).toBe("text");
    expect(kindOf({ name: "memory", kind: "bytes" }, "integer")).toBe("bytes");
  });

  it("reads as a person would write it", () => {
    expect(bytes(1536)).toBe("1.5 KiB");
    expect(bytes(0)).toBe("0 B");
    expect(textOf(4096, "mebibytes")).toBe("4 GiB");
    expect(textOf(16_777_216, kindOf({ name: "memorykbs" }, "long"))).toBe("16 GiB");
    expect(textOf("16 GB", "kibibytes")).toBe("16 GB");
    expect(textOf(0.256, "share")).toBe("25.6%");
    expect(textOf("40.5%", "share")).toBe("40.5%");
    expect(textOf([{ name: "a" }, { key: "k", value: "v" }], "list")).toBe("a, k=v");
    expect(textOf(null, "text")).toBe("");
    expect(dateText("2026-11-22T15:00:00+0000")).toMatch(/^2026-11-2[23] \d\d:00:00$/);
    expect(dateText("whenever")).toBe("whenever");
  });

  it("is ordered as what it is, and last where there is none", () => {
    const sorted = (values: unknown[]) => [...values].sort((a, b) => compare(a, b, "text"));
    expect(sorted(["vm-10", undefined, "vm-9"])).toEqual(["vm-9", "vm-10", undefined]);
    expect(sorted([10, 9, 100])).toEqual([9, 10, 100]);
  });

  it("that is a state is good, bad, on its way or neither", () => {
    expect(["Running", "Starting", "Error", "Stopped"].map(moodOf)).toEqual([
      "success",
      "processing",
      "error",
      "default",
    ]);
  });
});

describe("names", () => {
  it("are words, whether the API writes them together or in capitals", () => {
    expect(words("serviceofferingname")).toBe("Service offering name");
    expect(words("startVirtualMachine")).toBe("Start virtual machine");
    expect(words("publicipid")).toBe("Public IP ID");
    expect(words("zzyzx")).toBe("Zzyzx");
  });
});

describe("an export", () => {
  it("quotes what needs it, and makes no formulas", () => {
    const rows = [{ id: "1", name: 'a "b", c', note: "=1+1", size: -5 }];
    const columns = [{ name: "name" }, { name: "note" }, { name: "size" }];
    expect(csv(rows, columns, (field) => field.name)).toBe('name,note,size\r\n"a ""b"", c",\'=1+1,-5\r\n');
  });
});
