// The wizards' addresses.

import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "/deploy",
    component: () => import("./deploy/DeployPage.vue"),
    meta: { needs: "deployVirtualMachine", title: "wizards.deploy.title" },
  },
  {
    path: "/add-zone",
    component: () => import("./zone/AddZonePage.vue"),
    meta: { needs: "createZone", title: "wizards.zone.title" },
  },
  {
    path: "/create-network",
    component: () => import("./network/CreateNetworkPage.vue"),
    meta: { needs: "createNetwork", title: "wizards.network.title" },
  },
  {
    path: "/register-template",
    component: () => import("./image/RegisterImagePage.vue"),
    meta: { needs: "registerTemplate", title: "wizards.image.title" },
  },
];

export default routes;
