// What the API answers of experiments.

import { call, list } from "@/api/client";
import type { Columns } from "../simulation/calls";

export type State = "Queued" | "Running" | "Finished" | "Failed" | "Cancelled" | "Interrupted";

export interface Run {
  number: number;
  policy: string;
  seed: number;
  state: State;
  error?: string;
  phase?: string;
  progress: number;
  simulated?: number;
  horizon?: number;
  requested?: number;
  placed?: number;
  rejected?: number;
  failed?: number;
  instances?: number;
  series?: Columns;
}

export interface Experiment {
  id: string;
  name: string;
  type: "experiment" | "run" | "comparison";
  state: State;
  created: string;
  requests?: number;
  progress: number;
  policies?: string[];
  seeds?: number[];
  run?: Run[];
}

export interface HostFill {
  names: string[];
  times_s: number[];
  /** By time, by host: shares. */
  cpu: number[][];
  memory: number[][];
  instances: number[][];
}

export interface ResultFile {
  name: string;
  size: number;
}

/** What a finished run has found; of a comparison, a policy in one of its cases. */
export interface Result {
  number: number;
  policy: string;
  seed?: number;
  case?: string;
  seeds: number;
  figures: Record<string, number | null>;
  bycause: Record<string, number>;
  series?: Columns;
  hosts?: HostFill;
  latencies?: { below_s: number[]; count: number[] };
  file: ResultFile[];
}

export interface ExperimentResult {
  id: string;
  name: string;
  type: Experiment["type"];
  state: State;
  scenario: string;
  result: Result[];
}

export interface Scenario {
  name: string;
  description: string;
  policy: string;
  seed: number;
  format: string;
  text: string;
}

export interface Policy {
  name: string;
  description: string;
  details: string;
  options: { name: string; default: string; takes: string }[];
}

const ALL = { page: 1, pagesize: 500 };

export async function experiments(): Promise<Experiment[]> {
  return (await list<Experiment>("listExperiments", "experiment", ALL)).rows;
}

export async function experiment(id: string, samples: boolean): Promise<Experiment | undefined> {
  return (await list<Experiment>("listExperiments", "experiment", { id, samples })).rows[0];
}

export async function results(id: string, runs: number[]): Promise<ExperimentResult> {
  const answer = await call<{ experimentresult: ExperimentResult }>("getExperimentResult", {
    id,
    runs: runs.map(String),
  });
  return answer.experimentresult;
}

export async function createExperiment(
  scenario: string,
  policies: string[],
  seeds: string[],
  name: string,
): Promise<Experiment> {
  const answer = await call<{ experiment: Experiment }>("createExperiment", {
    scenario,
    policies: policies.map((each) => each.replaceAll(",", ";")),
    seeds,
    name: name || undefined,
  });
  return answer.experiment;
}

export async function deleteExperiment(id: string): Promise<void> {
  await call("deleteExperiment", { id });
}

export async function scenarios(): Promise<Scenario[]> {
  return (await list<Scenario>("listScenarios", "scenario", ALL)).rows;
}

export async function policies(): Promise<Policy[]> {
  return (await list<Policy>("listPlacementPolicies", "placementpolicy", ALL)).rows;
}

/** Fetch a file of a result and have the browser save it. */
export async function download(id: string, run: number, file: string): Promise<void> {
  const answer = await call<{ experimentfile: { content: string } }>("getExperimentFile", { id, run, file });
  const bytes = Uint8Array.from(atob(answer.experimentfile.content), (each) => each.charCodeAt(0));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.download = file;
  link.click();
  URL.revokeObjectURL(link.href);
}
