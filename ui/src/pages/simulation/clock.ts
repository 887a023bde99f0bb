// The simulation's clock, asked for while somebody looks, and going on between two answers.

import { defineStore } from "pinia";
import { computed, onScopeDispose, ref, shallowRef } from "vue";
import { moment } from "@/resources/values/kinds";
import { setPace, simulation, type Simulation } from "./calls";

const EVERY = 1500;
const TICK = 100;

/** The paces that are offered. */
export const PACES = ["pause", "real", "10x", "100x", "max"] as const;

/** Simulated seconds in a real one, as `pace` says; of max none, since nobody knows. */
export function rateOf(pace: string): number {
  if (pace === "pause" || pace === "max") {
    return 0;
  }
  return pace === "real" ? 1 : Number.parseFloat(pace);
}

export const useClock = defineStore("simulation clock", () => {
  const told = shallowRef<Simulation>();
  const error = ref("");
  const now = ref(0);
  let at = 0;
  let watchers = 0;
  let settings = 0;
  let polling: ReturnType<typeof setInterval> | undefined;
  let ticking: ReturnType<typeof setInterval> | undefined;

  /** Milliseconds since 1970 in the simulation. */
  const time = computed(() => {
    if (told.value === undefined) {
      return 0;
    }
    const passed = Math.max(0, now.value - at);
    return moment(told.value.clock) + passed * rateOf(told.value.currentpace);
  });
  const paused = computed(() => told.value?.state === "Paused");
  /** Which of the offered paces is in force. */
  const pace = computed(() => (paused.value ? "pause" : (told.value?.pace ?? "")));

  function take(answer: Simulation): void {
    told.value = answer;
    at = now.value = performance.now();
    error.value = "";
  }

  async function refresh(): Promise<void> {
    const before = settings;
    try {
      const answer = await simulation();
      if (before === settings) {
        take(answer); // else it may tell of the pace before
      }
    } catch (reason) {
      error.value = (reason as Error).message;
    }
  }

  /** Set the pace. Raises ApiError. */
  async function set(wanted: string): Promise<void> {
    settings += 1;
    const answer = await setPace(wanted);
    settings += 1;
    take(answer);
  }

  /** Keep it going until the component is gone. */
  function watch(): void {
    watchers += 1;
    if (watchers === 1) {
      void refresh();
      polling = setInterval(() => document.hidden || void refresh(), EVERY);
      ticking = setInterval(() => (now.value = performance.now()), TICK);
    }
    onScopeDispose(() => {
      watchers -= 1;
      if (watchers === 0) {
        clearInterval(polling);
        clearInterval(ticking);
      }
    });
  }

  return { told, error, time, paused, pace, refresh, set, watch };
});
