// The pages of every declared resource: /vm and /vm/ID. Pages made by hand have addresses of their own.

import type { RouteRecordRaw } from "vue-router";
import { resources } from "./index";

const routes: RouteRecordRaw[] = resources
  .filter((each) => !each.list.within)
  .map((each) => ({
    path: `/${each.name}`,
    component: () => import("./ResourcePages.vue"),
    meta: { needs: each.list.command, title: `resources.plural.${each.name}` },
    children: [
      { path: "", component: () => import("./ListPage.vue"), props: { resource: each.name } },
      {
        path: ":id",
        component: () => import("./DetailPage.vue"),
        props: (route) => ({ resource: each.name, id: String(route.params.id) }),
      },
    ],
  }));

export default routes;
