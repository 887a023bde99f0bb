// What a resource is to the app: which commands list it, what is shown of it, and what can be done to it.
//
// One declaration makes the list, the detail page, the forms and the actions. Parameters' types, which are required and
// what they refer to come from listApis, so a declaration only says what a person would not guess.

import type { Component } from "vue";
import type { Row, Value } from "@/api/client";

export type Section =
  "compute" | "storage" | "network" | "images" | "infrastructure" | "offerings" | "identity" | "operations";

/** How a value is shown; without one it is guessed from the API's type and the field's name. */
export type Kind =
  | "text"
  | "state"
  | "bytes" // a number of bytes
  | "kibibytes"
  | "mebibytes"
  | "gibibytes"
  | "megahertz"
  | "share" // 0.25 or "25%"
  | "number"
  | "boolean"
  | "date"
  | "tags"
  | "map" // an object of texts
  | "list"
  | "code" // long text in a fixed font
  | "secret" // hidden until one asks for it
  | "base64"; // text that is answered in base64, shown as text

/** Values that another command lists: what it answers, and the member that is the value. */
export interface Choices {
  command: string;
  key: string;
  value: string;
  /** The member that is shown; by default the value. */
  label?: string;
  parameters?: Record<string, Value>;
}

export interface Field {
  /** The member of the row, or a way to one: nic.0.ipaddress. */
  name: string;
  kind?: Kind;
  /** The resource that it names, and the member with its id: {resource: "host", id: "hostid"}. */
  link?: { resource: string; id: string };
  /** A value that is no member. */
  value?: (row: Row) => unknown;
  /** Only for those who may call this command. */
  needs?: string;
  /** Not shown in the list until chosen. */
  hidden?: boolean;
  /** The list command can sort by it or not; rows of one page are sorted in the browser. */
  sortable?: boolean;
  width?: number;
}

export interface Filter {
  /** The parameter of the list command. */
  name: string;
  /** Its values; otherwise what listApis relates the parameter to is searched. */
  values?: string[];
  choices?: Choices;
  /** The resource among which to choose; otherwise by what listApis relates it to. */
  resource?: string;
}

/** How a form treats a parameter, where listApis does not say enough. */
export interface FormField {
  name: string;
  /** What it is at first. */
  initial?: (row: Row | null) => Value;
  values?: string[];
  choices?: Choices;
  /** The resource among which to choose; otherwise by what listApis relates it to. */
  resource?: string;
  /** Which of them: parameters of the list command. */
  filter?: (values: Record<string, Value>, row: Row | null) => Record<string, Value>;
  /** The member that is sent, instead of id. */
  valueField?: string;
  required?: boolean;
  /** A name that there is not yet: typed, and not chosen from what there is. */
  typed?: boolean;
  multiline?: boolean;
  secret?: boolean;
  /** A text that is sent in base64. */
  base64?: boolean;
  /** Of a map that is a list of records: the names of their members. */
  columns?: string[];
  /** Only where the other values say so. */
  when?: (values: Record<string, Value>, row: Row | null) => boolean;
}

export interface Action {
  /** The command of the API. */
  command: string;
  /** For messages: resources.actions.NAME; by default the command's. */
  name?: string;
  icon?: Component;
  /** On what: one row (and several at once, where `bulk`), or the list (such as a creation). */
  on: "row" | "list";
  bulk?: boolean;
  danger?: boolean;
  /** Whether it makes sense for the row. */
  when?: (row: Row) => boolean;
  /** The parameter that names the row; by default id. Its value: by default row.id. */
  target?: string;
  targetValue?: (row: Row) => Value;
  /** The parameters that the form asks for at first; all others are behind "More". Absent: required ones. */
  form?: (string | FormField)[];
  /** Parameters that are never asked for. */
  without?: string[];
  /** What is sent without asking. Of a member's row, `parent` is the row that it is a member of. */
  fixed?: (row: Row | null, parent?: Row | null) => Record<string, Value>;
  /** Members of the answer to show when it is done, such as a key that is told only once. */
  shows?: string[];
  /** A text to confirm by, besides the question: message key. */
  warning?: string;
  /** A page instead of a form: a path of the router. */
  page?: (row: Row | null) => string;
  /** What to do instead of a form. */
  run?: (row: Row) => Promise<void> | void;
}

export interface Tab {
  /** For messages: resources.tabs.NAME. */
  name: string;
  /** A list of another resource, with these parameters. */
  resource?: string;
  parameters?: (row: Row) => Record<string, Value>;
  /** Rows that are members of this one, such as nic. */
  member?: string;
  fields?: Field[];
  /** Actions on the members' rows. */
  actions?: Action[];
  /** Made by hand; gets `row`, and emits `changed`. */
  component?: () => Promise<unknown>;
  when?: (row: Row) => boolean;
  needs?: string;
}

export interface Resource {
  /** Also the path of its pages. */
  name: string;
  section: Section;
  icon: Component;
  list: {
    command: string;
    /** The member of the answer with the rows; also the type of its changes in the change feed. */
    key: string;
    parameters?: () => Record<string, Value>;
    /** A command without whose right the list is of no use. */
    needs?: string;
    /** Without pages and search: all rows come at once. */
    whole?: boolean;
    /** The parameter that searches; by default keyword. */
    search?: string;
    /** The parameter that asks for one; by default id. */
    one?: string;
    /** Parameters that it cannot do without: rows are shown only in a tab of what these name, and have no page. */
    within?: string[];
    /** Each answered object holds the rows in this member. */
    members?: string;
  };
  /** The change feed's type, where it is not the key. */
  changes?: string;
  /** What it is called, by default name. */
  title?: (row: Row) => string;
  /** The member that names a row, where it is not id. */
  id?: string;
  columns: Field[];
  filters?: Filter[];
  /** The members that the detail page shows first, in this order; all others follow. */
  details?: (string | Field)[];
  tabs?: Tab[];
  actions: Action[];
  /** Not in the menu: it is reached from others. */
  nested?: boolean;
  /** It has tags, and the type by which createTags knows it. */
  tagged?: string;
  /** It has comments, and the type by which addAnnotation knows it. */
  commented?: string;
  /** Rows of the scope of the project that is chosen in the header. */
  owned?: boolean;
}
