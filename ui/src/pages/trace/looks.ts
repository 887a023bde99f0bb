// Which of the theme's colours an entry has, and how entries and participants are called.

import type { GlobalToken } from "ant-design-vue/es/theme/interface";
import { t } from "@/messages";
import type { Entry, Kind } from "./traces";

/** The colour of an entry's line; errors are red whatever they are. */
export function colourOf(entry: Entry, token: GlobalToken): string {
  if (entry.error) return token.colorError;
  const colours: Record<Kind, string> = {
    call: token.colorPrimary,
    reply: token.colorPrimary,
    job: token["purple-7"],
    state: token.colorTextTertiary,
    event: token.colorTextTertiary,
    placement: token["gold-7"],
    written: token["magenta-7"],
    command: token["cyan-7"],
    work: token["cyan-7"],
    answer: token["cyan-7"],
    step: token["green-7"],
  };
  return colours[entry.kind];
}

/** A participant's name in two parts: what it is, and of which host. */
export function laneName(name: string): { kind: string; host: string } {
  const [kind = "", ...host] = name.split(" ");
  return { kind: t(`trace.lanes.${kind}`), host: host.join(" ") };
}

/** A participant's name in one line. */
export function laneText(name: string): string {
  const { kind, host } = laneName(name);
  return host ? `${kind} ${host}` : kind;
}

/** Who speaks to whom. */
export function wayText(entry: Entry): string {
  return entry.source === entry.target
    ? t("trace.itself", { name: laneText(entry.source) })
    : t("trace.fromTo", { source: laneText(entry.source), target: laneText(entry.target) });
}

/** What an entry teaches. */
export function lessonOf(entry: Entry): string {
  let key: string = entry.kind;
  if (key === "job")
    key = entry.name === "queued" ? "queued" : entry.source === "jobs" ? "jobBegan" : "jobEnded";
  if (key === "placement") key = entry.source === "placement" ? "planned" : "planning";
  if (key === "event") key = "event";
  return t(`trace.lessons.${key}`);
}
