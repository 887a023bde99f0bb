// Actions of the kinds that nearly every resource has.

import {
  DeleteOutlined,
  EditOutlined,
  PauseCircleOutlined,
  PlayCircleOutlined,
  PlusOutlined,
  ReloadOutlined,
} from "@ant-design/icons-vue";
import type { Row } from "@/api/client";
import type { Action } from "../../declaration";

type Form = Action["form"];
type Rest = Omit<Partial<Action>, "command" | "form">;

/** Make a new one: a button above the list. */
export function create(command: string, form?: Form, rest: Rest = {}): Action {
  return { command, form, icon: PlusOutlined, on: "list", ...rest };
}

/** Change a row; its present values are in the form. */
export function update(command: string, form?: Form, rest: Rest = {}): Action {
  return { command, form, icon: EditOutlined, on: "row", ...rest };
}

/** Remove a row, after a question. */
export function remove(command: string, rest: Rest & { form?: Form } = {}): Action {
  return { command, icon: DeleteOutlined, on: "row", danger: true, bulk: true, ...rest };
}

export function start(command: string, rest: Rest & { form?: Form } = {}): Action {
  return { command, icon: PlayCircleOutlined, on: "row", bulk: true, when: is("Stopped"), ...rest };
}

export function stop(command: string, rest: Rest & { form?: Form } = {}): Action {
  return { command, icon: PauseCircleOutlined, on: "row", bulk: true, when: is("Running"), ...rest };
}

export function reboot(command: string, rest: Rest & { form?: Form } = {}): Action {
  return { command, icon: ReloadOutlined, on: "row", bulk: true, when: is("Running"), ...rest };
}

/** Whether a row is in one of these states. */
export function is(...states: string[]): (row: Row) => boolean {
  return (row) => states.includes(String(row.state));
}

/** Whether a row is in none of these states. */
export function isNot(...states: string[]): (row: Row) => boolean {
  return (row) => !states.includes(String(row.state));
}
