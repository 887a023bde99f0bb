// The addresses of experiments.

import type { RouteRecordRaw } from "vue-router";

const meta = { title: "shell.pages.experiments", needs: "listExperiments" };
const routes: RouteRecordRaw[] = [
  { path: "/experiments", component: () => import("./ExperimentsPage.vue"), meta },
  {
    path: "/experiments/new",
    component: () => import("./NewExperimentPage.vue"),
    meta: { title: "experiments.new", needs: "createExperiment" },
  },
  { path: "/experiments/:id", component: () => import("./ExperimentPage.vue"), meta, props: true },
];

export default routes;
