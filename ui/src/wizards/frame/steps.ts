// The steps of a wizard: which there are, where one is, and what still keeps one from going on.

import { computed, ref, type ComputedRef, type Ref } from "vue";

/** What is wrong with a step's fields: the field's name, and what to tell of it. Empty where nothing is. */
export type Errors = Record<string, string>;

export interface Step {
  name: string;
  title: string;
  /** What keeps one from going on. */
  check: () => Errors;
  /** Whether the step is asked at all; by default it is. */
  when?: () => boolean;
  /** Whether what it will propose is still on its way; by default it is not. */
  busy?: () => boolean;
}

export interface Steps {
  /** The steps that are asked. */
  all: ComputedRef<Step[]>;
  current: Ref<string>;
  index: ComputedRef<number>;
  isLast: ComputedRef<boolean>;
  /** What the current step will propose is still on its way: one goes on when it is there. */
  busy: ComputedRef<boolean>;
  /** What is wrong with the current step, once one has tried to go on, or what the API said of a field. */
  errors: Ref<Errors>;
  next: () => boolean;
  back: () => void;
  /** Go to a step: back freely, forward as far as the steps between are right. */
  goTo: (name: string) => void;
  /** Check every step, and go to the first that is wrong. Whether all are right. */
  checkAll: () => boolean;
}

export function useSteps(declared: Step[]): Steps {
  const all = computed(() => declared.filter((step) => step.when?.() ?? true));
  const current = ref(declared[0]!.name);
  const errors = ref<Errors>({});
  const index = computed(() =>
    Math.max(
      0,
      all.value.findIndex((step) => step.name === current.value),
    ),
  );
  const isLast = computed(() => index.value === all.value.length - 1);
  const busy = computed(() => all.value[index.value]?.busy?.() ?? false);

  function show(position: number): void {
    errors.value = {};
    current.value = all.value[position]!.name;
  }

  function wrong(position: number): boolean {
    const found = all.value[position]!.check();
    if (Object.keys(found).length === 0) {
      return false;
    }
    show(position);
    errors.value = found;
    return true;
  }

  function next(): boolean {
    if (busy.value) {
      return true;
    }
    if (wrong(index.value)) {
      return false;
    }
    if (!isLast.value) {
      show(index.value + 1);
    }
    return true;
  }

  function back(): void {
    show(Math.max(0, index.value - 1));
  }

  function goTo(name: string): void {
    const target = all.value.findIndex((step) => step.name === name);
    for (let position = index.value; position < target; position++) {
      if (wrong(position)) {
        return;
      }
    }
    if (target >= 0) {
      show(target);
    }
  }

  function checkAll(): boolean {
    return !all.value.some((_, position) => wrong(position));
  }

  return { all, current, index, isLast, busy, errors, next, back, goTo, checkAll };
}
