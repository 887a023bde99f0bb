// One value of a row in a table. A table has thousands of them, so this is a function without state or components inside.

import { h, type FunctionalComponent, type VNode } from "vue";
import type { Row } from "@/api/client";
import { t } from "@/messages";
import type { Field } from "../declaration";
import { linkOf } from "../links";
import { kindOf, textOf, valueOf } from "./kinds";
import { moodOf, stateWord } from "./states";

const ENTRIES = 3;
/** From so many characters on a text stands in several lines. */
const LONG = 48;
const NUMBERS = new Set(["bytes", "kibibytes", "mebibytes", "gibibytes", "megahertz", "number", "share"]);

/** `to`: where it leads, instead of to what it names. */
const Cell: FunctionalComponent<{ row: Row; field: Field; type?: string; to?: string }> = ({
  row,
  field,
  type,
  to,
}) => {
  const kind = kindOf(field, type);
  const value = valueOf(row, field);
  const text = textOf(value, kind);
  if (text === "") {
    return to ? h("a", { href: `#${to}` }, "–") : h("span", { class: "nothing", "aria-hidden": "true" }, "–");
  }
  // a plain link: the router hears of changes of the address anyway
  const link = to ?? linkOf(row, field);
  if (link) {
    return h("a", { href: `#${link}`, class: to ? "name" : undefined }, text);
  }
  switch (kind) {
    case "state":
      return h("span", { class: ["state", moodOf(text)] }, stateWord(text));
    case "boolean":
      return h("span", text === "true" ? t("engine.yes") : t("engine.no"));
    case "date":
      return h("time", { datetime: String(value), class: "numbers" }, text);
    case "secret":
      return h("span", "••••");
    case "tags":
    case "list":
      return plain(some(value, text));
    default:
      return NUMBERS.has(kind) ? h("span", { class: "numbers" }, text) : plain(text);
  }
};

function plain(text: string): VNode {
  return h("span", { class: text.length > LONG ? "long" : undefined }, text);
}

function some(value: unknown, text: string): string {
  return Array.isArray(value) && value.length > ENTRIES
    ? `${textOf(value.slice(0, ENTRIES), "list")} +${value.length - ENTRIES}`
    : text;
}

Cell.props = ["row", "field", "type", "to"];
export default Cell;
