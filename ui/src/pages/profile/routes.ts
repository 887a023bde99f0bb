// The address of one's own page.

import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  { path: "/profile", component: () => import("./ProfilePage.vue"), meta: { title: "profile.title" } },
];

export default routes;
