// Traces as the API tells them, and the calls that ask for them.

import { call, list, type Page } from "@/api/client";

export type Kind =
  | "call"
  | "reply"
  | "job"
  | "state"
  | "event"
  | "placement"
  | "written"
  | "command"
  | "work"
  | "step"
  | "answer";

export interface Entry {
  number: number;
  /** The number of the entry that it is a part or the end of. */
  parent?: number;
  source: string;
  target: string;
  kind: Kind;
  name: string;
  /** Seconds since the trace began. */
  start: number;
  duration: number;
  payload?: string;
  payloadformat?: "json" | "xml" | "text";
  /** Characters of the whole payload, where only its beginning is here. */
  payloadlength?: number;
  error?: string;
}

export interface Participant {
  name: string;
  kind: "user" | "api" | "jobs" | "management" | "database" | "placement" | "agent" | "hypervisor";
  host?: string;
  seconds: number;
  entries: number;
}

export interface Trace {
  id: string;
  jobid?: string;
  cmd: string;
  status: "running" | "succeeded" | "failed";
  error?: string;
  username?: string;
  account?: string;
  domainpath?: string;
  start: string;
  duration: number;
  hosts?: string[];
  commands?: number;
  entrycount: number;
  entriesleftout?: number;
  participant?: Participant[];
  entry?: Entry[];
}

export interface TraceFilter {
  keyword?: string;
  status?: Trace["status"];
  resourceid?: string;
  page: number;
  pagesize: number;
}

export function listTraces(filter: TraceFilter, signal?: AbortSignal): Promise<Page<Trace>> {
  return list<Trace>("listTraces", "trace", { ...filter, listall: true }, signal);
}

/** Which trace is meant: by its own id, or by that of a job of it. */
export interface TraceKey {
  id?: string;
  jobid?: string;
}

export async function getTrace(key: TraceKey, signal?: AbortSignal): Promise<Trace> {
  return (await call<{ trace: Trace }>("getTrace", { ...key }, signal)).trace;
}

export interface TraceFile {
  filename: string;
  content: string;
}

export async function exportTrace(id: string, format: "otlp" | "perfetto"): Promise<TraceFile> {
  return (await call<{ traceexport: TraceFile }>("exportTrace", { id, format })).traceexport;
}

/** Seconds as people say them: 350 µs, 12 ms, 22.2 s, 3 min 5 s. */
export function seconds(value: number): string {
  if (value < 0.0000005) return "0 s";
  if (value < 0.001) return `${Math.round(value * 1e6)} µs`;
  if (value < 1) return `${Number((value * 1000).toPrecision(3))} ms`;
  if (value < 60) return `${Number(value.toPrecision(3))} s`;
  if (value < 3600) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  return `${Math.floor(value / 3600)} h ${Math.round((value % 3600) / 60)} min`;
}

/** Whether an entry is what one participant does by itself. */
export function isOwn(entry: Entry): boolean {
  return entry.source === entry.target;
}
