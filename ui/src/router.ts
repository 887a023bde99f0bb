// The pages and their addresses. Pages that need a command that the caller may not use are not there for him.

import { createRouter, createWebHashHistory, type RouteRecordRaw } from "vue-router";
import { useApis } from "./api/apis";
import { useSession } from "./api/session";

declare module "vue-router" {
  interface RouteMeta {
    /** A command without which the page is of no use. */
    needs?: string;
    /** Without a session. */
    open?: boolean;
    /** Key of the page's name in the messages. */
    title?: string;
  }
}

const routes: RouteRecordRaw[] = [
  {
    path: "/sign-in",
    component: () => import("./shell/SignIn.vue"),
    meta: { open: true, title: "shell.signIn" },
  },
  { path: "/", redirect: "/dashboard" },
  {
    path: "/:missing(.*)*",
    component: () => import("./shell/NotFound.vue"),
    meta: { title: "shell.notFound" },
  },
];

// every page tells its own addresses: pages/*/routes.ts, and those of resources and wizards
const parts = import.meta.glob<{ default: RouteRecordRaw[] }>(
  ["./pages/*/routes.ts", "./resources/routes.ts", "./wizards/routes.ts"],
  {
    eager: true,
  },
);
for (const part of Object.values(parts)) {
  routes.push(...part.default);
}

export const router = createRouter({ history: createWebHashHistory(), routes });

router.beforeEach(async (to) => {
  const session = useSession();
  const apis = useApis();
  if (to.meta.open) {
    // who is signed in already, such as after the page was loaded anew on its way out of here, is not asked again
    const next = typeof to.query.next === "string" ? to.query.next : "/";
    return session.current === null || session.over ? true : next;
  }
  if (session.current === null) {
    return { path: "/sign-in", query: to.path === "/dashboard" ? {} : { next: to.fullPath } };
  }
  if (!apis.known) {
    try {
      await Promise.all([apis.load(), session.learn()]);
    } catch {
      return session.over ? { path: "/sign-in", query: { next: to.fullPath } } : true;
    }
  }
  return true;
});
