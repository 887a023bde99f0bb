// Light or dark: what was chosen, else what the system says.

import { defineStore } from "pinia";
import { computed, ref, watchEffect } from "vue";

export type Appearance = "light" | "dark" | "system";

const KEPT = "cloudsim.appearance";

export const useAppearance = defineStore("appearance", () => {
  const chosen = ref<Appearance>((localStorage.getItem(KEPT) as Appearance | null) ?? "system");
  const media = window.matchMedia("(prefers-color-scheme: dark)");
  const systemIsDark = ref(media.matches);
  media.addEventListener("change", (event) => (systemIsDark.value = event.matches));
  const dark = computed(() => chosen.value === "dark" || (chosen.value === "system" && systemIsDark.value));

  function choose(appearance: Appearance): void {
    chosen.value = appearance;
    localStorage.setItem(KEPT, appearance);
  }

  watchEffect(() => {
    document.documentElement.style.colorScheme = dark.value ? "dark" : "light";
    document.documentElement.dataset.theme = dark.value ? "dark" : "light";
  });

  return { chosen, dark, choose };
});
