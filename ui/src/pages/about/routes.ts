// The address of the page about this cloud.

import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  { path: "/about", component: () => import("./AboutPage.vue"), meta: { title: "about.title" } },
];

export default routes;
