// The addresses of the traces: all of them, and ?jobid=ID or ?id=ID for one.

import type { RouteRecordRaw } from "vue-router";

export default [
  {
    path: "/trace",
    component: () => import("./TracePage.vue"),
    meta: { needs: "listTraces", title: "shell.pages.trace" },
  },
  { path: "/trace/:jobid", redirect: (to) => ({ path: "/trace", query: { jobid: to.params.jobid } }) },
] satisfies RouteRecordRaw[];
