// Time as the browser knows it: how long something has taken, counted while somebody needs it.

import { onScopeDispose, ref, watch, type Ref } from "vue";

/** Milliseconds, as a person reads them: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min. */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return minutes < 60 ? `${minutes} min ${rest} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The time, each second while `needed()`. */
export function useNow(needed: () => boolean): Ref<number> {
  const now = ref(Date.now());
  let timer: ReturnType<typeof setInterval> | undefined;
  watch(
    needed,
    (counts) => {
      clearInterval(timer);
      now.value = Date.now();
      timer = counts ? setInterval(() => (now.value = Date.now()), 1000) : undefined;
    },
    { immediate: true },
  );
  onScopeDispose(() => clearInterval(timer));
  return now;
}
