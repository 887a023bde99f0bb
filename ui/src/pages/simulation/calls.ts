// What the API answers of a simulation.

import { call, list, type Parameters } from "@/api/client";

export interface Simulation {
  name: string;
  state: "Running" | "Paused";
  clock: string;
  wallclock: string;
  /** Simulated seconds since the server began to serve. */
  elapsed: number;
  pace: string;
  currentpace: string;
  eventspersecond: number;
  hosts: number;
  latency: string;
  seed: string;
}

export interface FaultOption {
  name: string;
  default?: number;
  minimum?: number;
  above?: number;
  maximum?: number;
}

export interface FaultType {
  name: string;
  description: string;
  targettype: "host" | "link" | "pool";
  defaulttarget: string;
  options: FaultOption[];
}

export interface FaultTarget {
  name: string;
  type: string;
  hostid?: string;
  hostname?: string;
}

export interface Fault {
  id: string;
  type: string;
  target: string;
  state: "Scheduled" | "Active" | "Waiting" | "Over" | "Healed";
  created: string;
  began?: string;
  ended?: string;
  duration?: number;
  every?: number;
  strikes: number;
  active: string[];
  struck: string[];
}

/** Columns of a time series; the first is time_s. */
export type Columns = Record<string, (number | null)[]>;

export interface Workload {
  id: string;
  name: string;
  state: "Running" | "Draining" | "Ended";
  stopped: boolean;
  created: string;
  ended?: string;
  account: string;
  trace: string;
  seed: number;
  limit: number;
  requested: number;
  placed: number;
  rejected: number;
  failed: number;
  pending: number;
  instances: number;
  bycause: Record<string, number>;
  latencyp50?: number;
  latencyp95?: number;
  latencyp99?: number;
  series?: Columns;
}

export interface WorkloadRequest {
  number: number;
  outcome: "pending" | "placed" | "rejected" | "failed";
  cause?: string;
  requested: string;
  latency?: number;
  lifetime?: number;
  cpunumber: number;
  memory: number;
  hostname?: string;
  virtualmachineid?: string;
  virtualmachinename?: string;
}

export interface WorkloadTrace {
  name: string;
  description: string;
  format: string;
}

const ALL = { page: 1, pagesize: 500 };

export async function simulation(): Promise<Simulation> {
  return (await list<Simulation>("listSimulations", "simulation")).rows[0]!;
}

export async function setPace(pace: string): Promise<Simulation> {
  return (await call<{ simulation: Simulation }>("updateSimulation", { pace })).simulation;
}

export async function faultTypes(): Promise<FaultType[]> {
  return (await list<FaultType>("listFaultTypes", "faulttype")).rows;
}

export async function faultTargets(type: string, keyword: string): Promise<FaultTarget[]> {
  const asked = { type, keyword: keyword || undefined, page: 1, pagesize: 50 };
  return (await list<FaultTarget>("listFaultTargets", "faulttarget", asked)).rows;
}

export async function faults(): Promise<Fault[]> {
  return (await list<Fault>("listFaults", "fault", { page: 1, pagesize: 100 })).rows;
}

export async function injectFault(parameters: Parameters): Promise<Fault> {
  return (await call<{ fault: Fault }>("injectFault", parameters)).fault;
}

export async function healFault(id: string): Promise<void> {
  await call("healFault", { id });
}

export async function workloads(parameters: Parameters = {}): Promise<Workload[]> {
  return (await list<Workload>("listWorkloads", "workload", { ...ALL, ...parameters })).rows;
}

export async function workloadRequests(id: string, outcome: string): Promise<WorkloadRequest[]> {
  const asked = { id, outcome: outcome || undefined, page: 1, pagesize: 12 };
  return (await list<WorkloadRequest>("listWorkloadRequests", "workloadrequest", asked)).rows;
}

export async function workloadTraces(): Promise<WorkloadTrace[]> {
  return (await list<WorkloadTrace>("listWorkloadTraces", "workloadtrace", ALL)).rows;
}

export async function startWorkload(parameters: Parameters): Promise<Workload> {
  return (await call<{ workload: Workload }>("startWorkload", parameters)).workload;
}

export async function stopWorkload(id: string, destroy: boolean): Promise<void> {
  await call("stopWorkload", { id, destroy });
}
