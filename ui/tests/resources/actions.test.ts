// Which actions there are: what is declared, what the caller may do, and what else the API relates to a resource.

import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it } from "vitest";
import { useApis, type Api, type ApiParameter } from "@/api/apis";
import { bulkActions, listActions, rowActions, undeclaredActions } from "@/resources/actions/available";
import type { Resource } from "@/resources/declaration";
import { listCommandOf } from "@/resources/relations";

const things = "listThings,createThing";
const names = (name: string, required = true, related = things): ApiParameter => ({
  name,
  description: name,
  type: "uuid",
  required,
  related,
});
const api = (name: string, related: string, ...params: ApiParameter[]): Api => ({
  name,
  description: name,
  isasync: false,
  related,
  params,
  response: [],
});

const of: Resource = {
  name: "thing",
  section: "compute",
  icon: {},
  list: { command: "listThings", key: "thing" },
  columns: [{ name: "name" }],
  actions: [
    { command: "startThing", on: "row", bulk: true, when: (row) => row.state === "Stopped" },
    { command: "breakThing", on: "row" },
  ],
};

beforeEach(() => {
  setActivePinia(createPinia());
  useApis().all = new Map(
    [
      api("listThings", "createThing", names("id", false)),
      api("startThing", "", names("id")),
      api("createThing", "listThings"),
      api("paintThing", "", names("id")),
      api("deleteThing", "", names("id")),
      api("createPart", "", names("thingid")),
      api("listParts", "", names("thingid")),
      api("paintOther", "", names("id", true, "listOthers")),
    ].map((each) => [each.name, each]),
  );
});

describe("the actions of a resource", () => {
  it("are those declared that the caller may use and that suit the row", () => {
    const commands = (state: string) =>
      rowActions(of, { id: "1", state }).declared.map((each) => each.command);
    expect(commands("Stopped")).toContain("startThing");
    expect(commands("Running")).not.toContain("startThing");
    expect(commands("Stopped")).not.toContain("breakThing");
  });

  it("are for several rows at once those rows which they suit", () => {
    const rows = ["Stopped", "Running", "Stopped"].map((state, index) => ({ id: String(index), state }));
    const [start] = bulkActions(of, rows);
    expect(start.rows.map((row) => row.id)).toEqual(["0", "2"]);
  });

  it("are also all that the API relates to it and that no declaration offers", () => {
    const found = undeclaredActions(of).map((each) => [each.command, each.on, each.target, each.danger]);
    expect(found).toContainEqual(["createPart", "row", "thingid", false]);
    expect(found).toContainEqual(["paintThing", "row", "id", false]);
    expect(found).toContainEqual(["deleteThing", "row", "id", true]);
    expect(found.map(([command]) => command)).not.toContain("paintOther");
    expect(found.map(([command]) => command)).not.toContain("listParts");
    expect(listActions(of).others.map((each) => each.command)).toEqual(["createThing"]);
  });
});

describe("what a parameter names", () => {
  it("is looked for in the list whose name is in the parameter's, or for an id in the command's", () => {
    const both = names("templateid", false, "listIsos,listTemplates");
    useApis().all = new Map(["listIsos", "listTemplates"].map((name) => [name, api(name, "")]));
    expect(listCommandOf(both, "deployVirtualMachine")).toBe("listTemplates");
    expect(listCommandOf({ ...both, name: "isoid" }, "attach")).toBe("listIsos");
    expect(listCommandOf({ ...both, name: "id" }, "copyIso")).toBe("listIsos");
  });

  it("is nothing where the caller may list none of it", () => {
    expect(listCommandOf(names("hostid", false, "listHosts"), "startThing")).toBeUndefined();
  });
});
