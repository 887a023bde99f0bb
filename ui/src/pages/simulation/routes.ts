// The simulation console's address.

import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "/simulation",
    component: () => import("./SimulationPage.vue"),
    meta: { title: "shell.pages.simulation", needs: "updateSimulation" },
  },
];

export default routes;
