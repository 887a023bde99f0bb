// A form as it is made of what listApis says of a command, and what is sent when it is filled in.

import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it } from "vitest";
import { useApis, type Api, type ApiParameter } from "@/api/apis";
import type { Action } from "@/resources/declaration";
import {
  controlsOf,
  initialValues,
  parametersOf,
  problemsOf,
  type Control,
  type Values,
} from "@/resources/forms/model";

const always = (): boolean => true;

function parameter(name: string, type: string, more: Partial<ApiParameter> = {}): ApiParameter {
  return { name, type, description: name, required: false, length: 255, ...more };
}

function command(name: string, ...params: ApiParameter[]): Api {
  return { name, description: name, isasync: false, related: "", params, response: [] };
}

function know(...apis: Api[]): void {
  useApis().all = new Map(apis.map((api) => [api.name, api]));
}

const kinds = (controls: Control[]): Record<string, string> =>
  Object.fromEntries(controls.map((each) => [each.name, each.kind]));

function send(controls: Control[], before: Values, change: Values) {
  return parametersOf(controls, { ...before, ...change }, before, always);
}

beforeEach(() => setActivePinia(createPinia()));

describe("the controls of a command", () => {
  it("suit the types of its parameters", () => {
    know(command("listZones", parameter("id", "uuid")), command("listNetworks"));
    const api = command(
      "deployVirtualMachine",
      parameter("startvm", "boolean"),
      parameter("size", "long"),
      parameter("zoneid", "uuid", { related: "createZone,listZones" }),
      parameter("networkids", "list", { related: "listNetworks" }),
      parameter("cidrlist", "list"),
      parameter("details", "map"),
      parameter("iptonetworklist", "map"),
      parameter("boottype", "string", { values: ["BIOS", "UEFI"] }),
      parameter("password", "string"),
      parameter("startdate", "date"),
      parameter("name", "string"),
    );
    expect(kinds(controlsOf(api))).toEqual({
      startvm: "switch",
      size: "number",
      zoneid: "entity",
      networkids: "entities",
      cidrlist: "texts",
      details: "map",
      iptonetworklist: "records",
      boottype: "select",
      password: "secret",
      startdate: "date",
      name: "text",
    });
  });

  it("are typed where the caller may list nothing to choose from", () => {
    const api = command("startVirtualMachine", parameter("hostid", "uuid", { related: "listHosts" }));
    expect(kinds(controlsOf(api))).toEqual({ hostid: "text" });
  });

  it("come in the order of the declaration, then what is required, then all others behind More", () => {
    const api = command(
      "createThing",
      parameter("colour", "string"),
      parameter("size", "integer", { required: true }),
      parameter("name", "string"),
      parameter("secretly", "boolean"),
    );
    const action: Action = { command: "createThing", on: "list", form: ["name"], without: ["secretly"] };
    const controls = controlsOf(api, action);
    expect(controls.map((each) => [each.name, each.first])).toEqual([
      ["name", true],
      ["size", true],
      ["colour", false],
    ]);
  });

  it("leave out the row, what is fixed, and what the page gives", () => {
    const api = command(
      "createNic",
      parameter("virtualmachineid", "uuid"),
      parameter("networkid", "uuid"),
      parameter("enabled", "boolean"),
      parameter("name", "string"),
    );
    const action: Action = {
      command: "createNic",
      on: "row",
      target: "virtualmachineid",
      fixed: () => ({ enabled: true }),
    };
    expect(controlsOf(api, action, { id: "1" }, { networkid: "2" }).map((each) => each.name)).toEqual([
      "name",
    ]);
  });

  it("say the API's help only where it says more than the name", () => {
    const api = command("a", parameter("x", "string"), parameter("y", "string", { description: "how far" }));
    expect(controlsOf(api).map((each) => each.help)).toEqual(["", "how far"]);
  });
});

describe("what is sent", () => {
  const api = command(
    "updateThing",
    parameter("id", "uuid", { required: true }),
    parameter("name", "string"),
    parameter("group", "string"),
    parameter("public", "boolean"),
    parameter("details", "map"),
  );
  const action: Action = { command: "updateThing", on: "row" };
  const row = { id: "1", name: "old", group: "g", public: true, details: { a: "1" } };

  it("is only what has been changed of what a row said", () => {
    const controls = controlsOf(api, action, row);
    const before = initialValues(controls, row, "updateThing");
    expect(before).toEqual({ name: "old", group: "g", public: true, details: [{ key: "a", value: "1" }] });
    expect(send(controls, before, {})).toEqual({});
    expect(send(controls, before, { name: " new ", public: false })).toEqual({ name: "new", public: false });
  });

  it("is an empty text where a text was emptied", () => {
    const controls = controlsOf(api, action, row);
    const before = initialValues(controls, row, "updateThing");
    expect(send(controls, before, { group: "" })).toEqual({ group: "" });
  });

  it("is whole maps, without entries that have no key", () => {
    const controls = controlsOf(api, action, row);
    const before = initialValues(controls, row, "updateThing");
    const details = [
      { key: "a", value: "1" },
      { key: "", value: "2" },
    ];
    expect(send(controls, before, { details })).toEqual({ details: [{ key: "a", value: "1" }] });
  });

  it("is no switch that nobody touched, and false for one that was turned off again", () => {
    const creates = command("createThing", parameter("public", "boolean"));
    const controls = controlsOf(creates);
    const before = initialValues(controls, null, "createThing");
    expect(send(controls, before, {})).toEqual({});
    expect(send(controls, before, { public: false })).toEqual({ public: false });
  });

  it("is what a declaration proposes, and base64 where it says so", () => {
    const creates = command("createThing", parameter("size", "integer"), parameter("userdata", "string"));
    const controls = controlsOf(creates, {
      command: "createThing",
      on: "list",
      form: [
        { name: "size", initial: () => 7 },
        { name: "userdata", base64: true },
      ],
    });
    const before = initialValues(controls, null, "createThing");
    expect(send(controls, before, { userdata: "grüß" })).toEqual({ size: 7, userdata: "Z3LDvMOf" });
  });

  it("is nothing that the other values make senseless", () => {
    const creates = command("createRule", parameter("protocol", "string"), parameter("port", "integer"));
    const controls = controlsOf(creates, {
      command: "createRule",
      on: "list",
      form: ["protocol", { name: "port", when: (values) => values.protocol === "tcp" }],
    });
    const values: Values = { protocol: "icmp", port: 80 };
    const asked = (each: Control): boolean => each.when?.(values as Record<string, string>, null) ?? true;
    expect(parametersOf(controls, values, {}, asked)).toEqual({ protocol: "icmp" });
  });
});

describe("what is wrong", () => {
  const api = command(
    "createThing",
    parameter("name", "string", { required: true, length: 5 }),
    parameter("size", "integer"),
    parameter("tags", "map"),
  );
  const problems = (values: Values): Record<string, string> =>
    Object.fromEntries(problemsOf(controlsOf(api), values, always));

  it("is what is required and missing, spaces included", () => {
    expect(problems({})).toEqual({ name: "required" });
    expect(problems({ name: "  " })).toEqual({ name: "required" });
  });

  it("is a text that is too long, a fraction where there is none, an entry without a key", () => {
    const values = { name: "sixsix", size: 1.5, tags: [{ key: " ", value: "x" }] };
    expect(problems(values)).toEqual({ name: "long", size: "whole", tags: "key" });
  });

  it("is nothing in a form that is filled in well", () => {
    expect(problems({ name: "five5", size: 2, tags: [{ key: "a", value: "" }] })).toEqual({});
  });
});
