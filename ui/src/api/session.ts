// Who is signed in. It outlives a reload, and is the same in every tab of the browser.

import { defineStore } from "pinia";
import { computed, ref, watch } from "vue";
import { call, list, useSessionKey, whenSessionIsOver } from "./client";

export interface Session {
  sessionkey: string;
  userid: string;
  username: string;
  account: string;
  domainid: string;
  /** The account's type as a digit: 0 user, 1 root admin, 2 domain admin, 4 resource admin, 5 project. */
  type: string;
  /** "true" where more than the password is asked for; and once that was given. */
  is2faenabled?: string;
  is2faverified?: string;
  /** The second factor that is asked for; none where it is to be set up first. */
  providerfor2fa?: string;
  /** What authenticator apps are to call this cloud; none where it offers no second factors. */
  issuerfor2fa?: string;
}

const KEPT = "cloudsim.session";
const PROJECT = "cloudsim.project";

function kept(): Session | null {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "null") as Session | null;
  } catch {
    return null;
  }
}

export const useSession = defineStore("session", () => {
  const current = ref<Session | null>(kept());
  const over = ref(false);
  /** Who has given the right password, and is to give a second factor. */
  const pending = ref<Session | null>(null);
  const capabilities = ref<Record<string, unknown>>({});
  /** The project whose things are shown, by id; empty: one's own. */
  const projectId = ref(sessionStorage.getItem(PROJECT) ?? "");
  const isRootAdmin = computed(() => current.value?.type === "1");
  const isAdmin = computed(() => ["1", "2", "4"].includes(current.value?.type ?? ""));

  useSessionKey(current.value?.sessionkey ?? "");
  whenSessionIsOver(() => {
    over.value = current.value !== null;
  });
  watch(projectId, (id) => sessionStorage.setItem(PROJECT, id));
  // another tab has signed in or out
  window.addEventListener("storage", (event) => {
    if (event.key === KEPT) {
      current.value = kept();
      over.value = false;
      useSessionKey(current.value?.sessionkey ?? "");
    }
  });

  function keep(session: Session | null): void {
    current.value = session;
    over.value = false;
    useSessionKey(session?.sessionkey ?? "");
    if (session === null) {
      localStorage.removeItem(KEPT);
    } else {
      localStorage.setItem(KEPT, JSON.stringify(session));
    }
  }

  function begin(session: Session): void {
    if (session.is2faenabled === "true" && session.is2faverified !== "true") {
      pending.value = session;
      useSessionKey(session.sessionkey, false);
    } else {
      keep(session);
    }
  }

  /** The second factor was given. */
  function verified(): void {
    if (pending.value !== null) {
      keep({ ...pending.value, is2faverified: "true" });
      pending.value = null;
    }
  }

  /** Sign in; who is `pending` then is not yet. Raises ApiError with what the server says. */
  async function signIn(username: string, password: string, domain: string): Promise<void> {
    begin(await call<Session>("login", { username, password, domain: domain || "/" }));
  }

  /** The same user goes on after the session has ended. Raises ApiError with what the server says. */
  async function signInAgain(password: string): Promise<void> {
    const { username = "", domainid = "" } = current.value ?? {};
    begin(await call<Session>("login", { username, password, domainId: domainid }));
  }

  async function signOut(): Promise<void> {
    await call("logout").catch(() => undefined);
    pending.value = null;
    keep(null);
    projectId.value = "";
  }

  /** Ask what this cloud is set up to do; once a session, before the first page. */
  async function learn(): Promise<void> {
    const page = await call<{ capability?: Record<string, unknown> }>("listCapabilities");
    capabilities.value = page.capability ?? {};
  }

  /** The account's projects. */
  async function projects(): Promise<{ id: string; name: string }[]> {
    return (await list<{ id: string; name: string }>("listProjects", "project", { pagesize: 500, page: 1 }))
      .rows;
  }

  return {
    current,
    over,
    pending,
    capabilities,
    projectId,
    isRootAdmin,
    isAdmin,
    signIn,
    signInAgain,
    verified,
    signOut,
    learn,
    projects,
  };
});
