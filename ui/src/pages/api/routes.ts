// The address of the page of all commands: /api, and /api/listZones for one of them.

import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "/api/:command?",
    component: () => import("./ApiPage.vue"),
    props: (route) => ({ command: String(route.params.command ?? "") }),
    meta: { title: "api.title", needs: "listApis" },
  },
];

export default routes;
