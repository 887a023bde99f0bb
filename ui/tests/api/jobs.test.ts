// Jobs: followed to their end, kept over a reload, taken up where another began them.

import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "@/api/client";
import { useJobs } from "@/api/jobs";
import { useSession } from "@/api/session";

const SESSION = { sessionkey: "k", userid: "u-1", username: "ann", account: "ann", domainid: "d", type: "0" };

interface Said {
  status?: number;
  body: Record<string, unknown>;
}

describe("jobs", () => {
  /** What the server answers, by command; a function is asked each time. */
  let answers: Record<string, Said | (() => Said)>;
  let asked: string[];

  function begin(): ReturnType<typeof useJobs> {
    setActivePinia(createPinia());
    return useJobs();
  }

  beforeEach(() => {
    vi.useFakeTimers();
    sessionStorage.clear();
    localStorage.setItem("cloudsim.session", JSON.stringify(SESSION));
    asked = [];
    answers = {};
    vi.stubGlobal("fetch", (_: unknown, init: { body: URLSearchParams }) => {
      const command = init.body.get("command")!;
      asked.push(command);
      const found = answers[command];
      const said = typeof found === "function" ? found() : found;
      if (!said) {
        throw new TypeError("not reached");
      }
      return Promise.resolve(
        new Response(JSON.stringify({ answer: said.body }), { status: said.status ?? 200 }),
      );
    });
  });

  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
    localStorage.clear();
  });

  it("answers the result of a job that has succeeded", async () => {
    const jobs = begin();
    const states = [0, 0, 1];
    answers.startVirtualMachine = { body: { jobid: "j-1" } };
    answers.queryAsyncJobResult = () => ({
      body: { jobid: "j-1", jobstatus: states.shift(), jobresult: { virtualmachine: { id: "v" } } },
    });
    const result = jobs.run(
      "startVirtualMachine",
      { id: "v" },
      { title: "Start", subject: "web", link: "/vm/v" },
    );
    await vi.advanceTimersByTimeAsync(10);
    expect(jobs.running.map((job) => [job.title, job.subject, job.link])).toEqual([
      ["Start", "web", "/vm/v"],
    ]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await result).toEqual({ virtualmachine: { id: "v" } });
    expect(jobs.jobs[0]!.state).toBe("done");
  });

  it("raises the error of a job that has failed, and keeps its text", async () => {
    const jobs = begin();
    const heard: string[] = [];
    jobs.whenEnded((job) => heard.push(job.state));
    answers.startVirtualMachine = { body: { jobid: "j-1" } };
    answers.queryAsyncJobResult = {
      body: { jobid: "j-1", jobstatus: 2, jobresult: { errorcode: 533, errortext: "no host has room" } },
    };
    const result = jobs
      .run("startVirtualMachine", { id: "v" }, { title: "Start" })
      .catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1_000);
    const error = await result;
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).status).toBe(533);
    expect(jobs.jobs[0]).toMatchObject({ state: "failed", error: "no host has room" });
    expect(heard).toEqual(["failed"]);
  });

  it("waits while the server is not reached, and while the session is over", async () => {
    const jobs = begin();
    answers.startVirtualMachine = { body: { jobid: "j-1" } };
    const turns: (Said | undefined)[] = [undefined, { status: 401, body: {} }];
    answers.queryAsyncJobResult = () => {
      const turn = turns.length > 0 ? turns.shift() : { body: { jobid: "j-1", jobstatus: 1, jobresult: {} } };
      if (!turn) {
        throw new TypeError("not reached");
      }
      return turn;
    };
    const result = jobs.run("startVirtualMachine", {}, { title: "Start" });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(jobs.running).toHaveLength(1);
    answers.login = { body: { ...SESSION, sessionkey: "k-2" } };
    await useSession().signInAgain("secret");
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await result).toEqual({});
  });

  it("takes up after a reload what it had begun, and what runs for the user though another began it", async () => {
    const before = begin();
    answers.startVirtualMachine = { body: { jobid: "j-1" } };
    answers.queryAsyncJobResult = { body: { jobid: "j-1", jobstatus: 0 } };
    void before.run("startVirtualMachine", {}, { title: "Start", subject: "web" }).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(200);
    const after = begin();
    answers.listAsyncJobs = {
      body: {
        count: 3,
        asyncjobs: [
          { jobid: "j-1", cmd: "startVirtualMachine", userid: "u-1", jobstatus: 0 },
          { jobid: "j-2", cmd: "createVolume", userid: "u-1", jobstatus: 0 },
          { jobid: "j-3", cmd: "createVolume", userid: "somebody else", jobstatus: 0 },
        ],
      },
    };
    await after.restore((job) => ({ title: `words of ${job.cmd}`, link: "/volume/x" }));
    expect(new Map(after.running.map((job) => [job.id, [job.title, job.subject]]))).toEqual(
      new Map([
        ["j-1", ["Start", "web"]],
        ["j-2", ["words of createVolume", ""]],
      ]),
    );
    answers.queryAsyncJobResult = { body: { jobid: "", jobstatus: 1, jobresult: {} } };
    await vi.advanceTimersByTimeAsync(15_000);
    expect(after.running).toEqual([]);
    after.clear();
    expect(after.jobs).toEqual([]);
  });

  it("shows nobody the jobs of another user", async () => {
    sessionStorage.setItem(
      "cloudsim.jobs",
      JSON.stringify({ userid: "u-2", jobs: [{ id: "j", state: "done", began: 1 }] }),
    );
    const jobs = begin();
    answers.listAsyncJobs = { body: {} };
    await jobs.restore(() => ({ title: "", link: "" }));
    expect(jobs.jobs).toEqual([]);
  });
});
