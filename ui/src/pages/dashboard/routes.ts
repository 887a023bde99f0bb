// The dashboard's address.

import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "/dashboard",
    component: () => import("./DashboardPage.vue"),
    meta: { title: "shell.pages.dashboard" },
  },
];

export default routes;
