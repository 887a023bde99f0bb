// Payloads in parts: nothing is lost, and each part is what it is.

import { describe, expect, it } from "vitest";
import { highlight, pretty } from "@/pages/trace/highlight";

const JSON_TEXT = pretty(
  '{"vm":{"name":"i-2-7-VM","cpus":2,"on":true,"password":"********","x":"a \\"b\\" <c>"}}',
  "json",
);
const XML_TEXT = pretty(
  "<domain type='kvm'><name>vm</name><graphics passwd='********'/><!-- <x> --></domain>",
  "xml",
);

describe.each([
  ["json", JSON_TEXT],
  ["xml", XML_TEXT],
  ["text", "plain <b>text</b>"],
  ["json", '{"cut off": "in the mid'],
])("a payload of %s", (format, text) => {
  it("is whole in its parts", () => {
    expect(
      highlight(text, format)
        .map((part) => part.text)
        .join(""),
    ).toBe(text);
  });
});

function looks(text: string, format: string, look: string): string[] {
  return highlight(text, format)
    .filter((part) => part.look === look)
    .map((part) => part.text);
}

it("tells names, texts, numbers, words and secrets of JSON apart", () => {
  expect(looks(JSON_TEXT, "json", "name")).toEqual(['"vm"', '"name"', '"cpus"', '"on"', '"password"', '"x"']);
  expect(looks(JSON_TEXT, "json", "text")).toEqual(['"i-2-7-VM"', '"a \\"b\\" <c>"']);
  expect(looks(JSON_TEXT, "json", "number")).toEqual(["2"]);
  expect(looks(JSON_TEXT, "json", "word")).toEqual(["true"]);
  expect(looks(JSON_TEXT, "json", "secret")).toEqual(['"********"']);
});

it("tells elements, attributes and secrets of XML apart", () => {
  expect(looks(XML_TEXT, "xml", "mark")).toContain("<domain");
  expect(looks(XML_TEXT, "xml", "name")).toEqual(["type", "passwd"]);
  expect(looks(XML_TEXT, "xml", "secret")).toEqual(["'********'"]);
});

it("indents XML that is in one line by its depth", () => {
  expect(pretty("<a><b x='1'><c/></b></a>", "xml")).toBe("<a>\n  <b x='1'>\n    <c/>\n  </b>\n</a>");
});

it("leaves a JSON text that was cut off as it came", () => {
  expect(pretty('{"a": [1, 2', "json")).toBe('{"a": [1, 2');
});
