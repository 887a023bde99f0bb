// What the API says of itself: the commands that the caller may use, with parameters and answers.

import { defineStore } from "pinia";
import { computed, shallowRef } from "vue";
import { list } from "./client";

export interface ApiParameter {
  name: string;
  description: string;
  /** boolean, date, float, integer, list, long, map, short, string, tzdate, uuid. */
  type: string;
  length?: number;
  required: boolean;
  /** Names of commands, comma-separated, that answer what the parameter names. */
  related?: string;
  /** The only values that it takes. */
  values?: string[];
}

export interface ApiField {
  name: string;
  description: string;
  type: string;
  response?: ApiField[];
}

export interface Api {
  name: string;
  description: string;
  isasync: boolean;
  related: string;
  params: ApiParameter[];
  response: ApiField[];
}

export const useApis = defineStore("apis", () => {
  const all = shallowRef(new Map<string, Api>());
  const known = computed(() => all.value.size > 0);

  async function load(): Promise<void> {
    const { rows } = await list<Api>("listApis", "api");
    all.value = new Map(rows.map((api) => [api.name, api]));
  }

  function forget(): void {
    all.value = new Map();
  }

  /** Whether the caller may use the command, and the server has it. */
  function can(command: string): boolean {
    return all.value.has(command);
  }

  function get(command: string): Api | undefined {
    return all.value.get(command);
  }

  return { all, known, load, forget, can, get };
});
