// The address of the datacenter's picture. ?host=ID flies to that host.
import type { RouteRecordRaw } from "vue-router";

export default [
  {
    path: "/topology",
    component: () => import("./TopologyPage.vue"),
    meta: { needs: "listTopology", title: "shell.pages.topology" },
  },
] satisfies RouteRecordRaw[];
