// Who is signed in: in every tab, until the server says that it is over.

import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call } from "@/api/client";
import { useSession } from "@/api/session";

const SESSION = {
  sessionkey: "k-1",
  userid: "u",
  username: "ann",
  account: "ann",
  domainid: "d-7",
  type: "0",
};

describe("session", () => {
  let sent: URLSearchParams[];
  let said: { status: number; body: Record<string, unknown> };

  beforeEach(() => {
    localStorage.clear();
    sessionStorage.clear();
    sent = [];
    vi.stubGlobal("fetch", (_: unknown, init: { body: URLSearchParams }) => {
      sent.push(init.body);
      return Promise.resolve(new Response(JSON.stringify({ answer: said.body }), { status: said.status }));
    });
    setActivePinia(createPinia());
  });

  afterEach(() => vi.unstubAllGlobals());

  it("signs in, sends the session's key with every call, and is kept for a reload", async () => {
    const session = useSession();
    said = { status: 200, body: SESSION };
    await session.signIn("ann", "secret", "lab");
    expect(Object.fromEntries(sent[0]!)).toMatchObject({ command: "login", username: "ann", domain: "lab" });
    await call("listZones");
    expect(sent[1]!.get("sessionkey")).toBe("k-1");
    setActivePinia(createPinia());
    expect(useSession().current?.username).toBe("ann");
  });

  it("keeps who it was when the server says that it is over, and goes on when the password is given", async () => {
    const session = useSession();
    said = { status: 200, body: SESSION };
    await session.signIn("ann", "secret", "");
    said = { status: 401, body: { errortext: "unable to verify user credentials" } };
    await expect(call("listZones")).rejects.toThrow("unable to verify");
    expect(session.over).toBe(true);
    expect(session.current?.username).toBe("ann");
    said = { status: 200, body: { ...SESSION, sessionkey: "k-2" } };
    await session.signInAgain("secret");
    const again = Object.fromEntries(sent.at(-1)!);
    expect(again).toMatchObject({ command: "login", username: "ann", domainId: "d-7", password: "secret" });
    expect(session.over).toBe(false);
    await call("listZones");
    expect(sent.at(-1)!.get("sessionkey")).toBe("k-2");
  });

  it("sends nothing but what signing in takes from the end of a session until there is the next", async () => {
    const session = useSession();
    said = { status: 200, body: SESSION };
    await session.signIn("ann", "secret", "");
    said = { status: 401, body: { errortext: "unable to verify user credentials" } };
    await expect(call("listZones")).rejects.toThrow("unable to verify");
    const before = sent.length;
    await expect(call("listZones")).rejects.toMatchObject({ status: 401 });
    said = {
      status: 200,
      body: { ...SESSION, sessionkey: "k-2", is2faenabled: "true", is2faverified: "false" },
    };
    await session.signInAgain("secret");
    await expect(call("listZones")).rejects.toMatchObject({ status: 401 });
    await call("validateUserTwoFactorAuthenticationCode", { codefor2fa: "123456" });
    session.verified();
    await call("listZones");
    expect(sent.slice(before).map((each) => [each.get("command"), each.get("sessionkey")])).toEqual([
      ["login", "k-1"],
      ["validateUserTwoFactorAuthenticationCode", "k-2"],
      ["listZones", "k-2"],
    ]);
  });

  it("follows another tab that signs out", async () => {
    const session = useSession();
    said = { status: 200, body: SESSION };
    await session.signIn("ann", "secret", "");
    localStorage.removeItem("cloudsim.session");
    window.dispatchEvent(new StorageEvent("storage", { key: "cloudsim.session" }));
    expect(session.current).toBeNull();
  });
});
