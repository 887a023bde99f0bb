// Asynchronous jobs of the user: followed until they end, and told of in the header. They outlive a reload.

import { defineStore } from "pinia";
import { computed, ref, watch } from "vue";
import { feed } from "./changes";
import { ApiError, call, list, type Parameters } from "./client";
import { useSession } from "./session";

export interface Job {
  id: string;
  /** What is done, such as "Start instance". */
  title: string;
  /** On what, such as an instance's name. */
  subject: string;
  command: string;
  state: "running" | "done" | "failed";
  error: string;
  began: number;
  ended: number;
  /** Where the subject's page is, if it has one: a path of the router. */
  link: string;
}

/** A job as listAsyncJobs and queryAsyncJobResult answer it. */
export interface JobAnswer {
  jobid: string;
  jobstatus: number;
  jobresult?: Record<string, unknown>;
  cmd: string;
  userid?: string;
  jobinstancetype?: string;
  jobinstanceid?: string;
}

const KEPT = "cloudsim.jobs";
const MOST = 100;
const FIRST_PAUSE = 150;
const LAST_PAUSE = 3_000;
/** While the change feed tells when a job ends, asking is only for what it may have missed. */
const LIVE_PAUSE = 10_000;

function kept(userid: string): Job[] {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as {
      userid: string;
      jobs: Job[];
    } | null;
    return found?.userid === userid ? found.jobs : [];
  } catch {
    return [];
  }
}

export const useJobs = defineStore("jobs", () => {
  const session = useSession();
  /** The newest first. */
  const jobs = ref<Job[]>([]);
  const running = computed(() => jobs.value.filter((each) => each.state === "running"));
  /** What is called when a job has just been found to have ended. */
  const ending = new Set<(job: Job) => void>();
  const awaited = new Map<string, Set<() => void>>();

  feed.listen(["asyncjobs"], (changes) => {
    const ids = changes === null ? [...awaited.keys()] : changes.map((each) => each.id);
    for (const id of ids) {
      awaited.get(id)?.forEach((wake) => wake());
    }
  });
  watch(
    jobs,
    (now) => {
      const userid = session.current?.userid;
      if (userid) {
        sessionStorage.setItem(KEPT, JSON.stringify({ userid, jobs: now.slice(0, MOST) }));
      }
    },
    { deep: true },
  );

  /**
   * Call a command and, where it answers a job, wait until that has ended. Returns the answer or the job's result.
   * Raises ApiError with what the server says. `accepted` is called when the server has taken the job,
   * with what it answered: jobid, and for a creation the id of what is made; a link may be made of that.
   */
  async function run(
    command: string,
    parameters: Parameters,
    about: {
      title: string;
      subject?: string;
      link?: string | ((answer: Record<string, unknown>) => string);
      accepted?: (answer: Record<string, unknown>) => void;
    },
  ): Promise<Record<string, unknown>> {
    const answer = await call(command, parameters);
    if (typeof answer.jobid !== "string") {
      return answer;
    }
    jobs.value.unshift({
      id: answer.jobid,
      title: about.title,
      subject: about.subject ?? "",
      command,
      state: "running",
      error: "",
      began: Date.now(),
      ended: 0,
      link: typeof about.link === "function" ? about.link(answer) : (about.link ?? ""),
    });
    about.accepted?.(answer);
    return follow(answer.jobid);
  }

  /** Wait until a job has ended; its result. Raises ApiError with what the server says of a failure. */
  async function follow(id: string): Promise<Record<string, unknown>> {
    let pause = FIRST_PAUSE;
    for (;;) {
      await changed(id, pause);
      pause = Math.min(pause * 1.5, LAST_PAUSE);
      if (feed.state.value === "live" && pause > 4 * FIRST_PAUSE) {
        pause = LIVE_PAUSE;
      }
      let answer: JobAnswer;
      try {
        answer = await call<JobAnswer>("queryAsyncJobResult", { jobid: id });
      } catch (error) {
        if (session.current !== null && error instanceof ApiError && [0, 401, 503].includes(error.status)) {
          pause = LAST_PAUSE; // the server is away, or the session is over: it goes on when that is mended
          continue;
        }
        end(id, "failed", (error as Error).message);
        throw error;
      }
      const result = answer.jobresult ?? {};
      if (answer.jobstatus === 1) {
        end(id, "done", "");
        return result;
      }
      if (answer.jobstatus === 2) {
        const text = String(result.errortext ?? "");
        end(id, "failed", text);
        throw new ApiError(text, Number(result.errorcode ?? 530), "queryAsyncJobResult");
      }
    }
  }

  /** Wait until the change feed tells of the job, but no longer than that. */
  function changed(id: string, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wakes = awaited.get(id) ?? new Set();
      const wake = (): void => {
        clearTimeout(timer);
        wakes.delete(wake);
        if (wakes.size === 0) {
          awaited.delete(id);
        }
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      awaited.set(id, wakes.add(wake));
    });
  }

  function end(id: string, state: Job["state"], error: string): void {
    const job = jobs.value.find((each) => each.id === id);
    if (job !== undefined && job.state === "running") {
      Object.assign(job, { state, error, ended: Date.now() });
      ending.forEach((hear) => hear(job));
    }
  }

  /**
   * After a reload: take up what was kept, and the user's jobs that run on the server though this tab did not
   * begin them. `described` tells how to show one of those.
   */
  async function restore(described: (job: JobAnswer) => Pick<Job, "title" | "link">): Promise<void> {
    const userid = session.current?.userid ?? "";
    jobs.value = kept(userid);
    const { rows } = await list<JobAnswer>("listAsyncJobs", "asyncjobs", { page: 1, pagesize: MOST });
    for (const each of rows) {
      if (each.userid === userid && !jobs.value.some((job) => job.id === each.jobid)) {
        // when it began is told in the cloud's time, which need not be the browser's
        const blank = { subject: "", error: "", began: Date.now(), ended: 0, state: "running" as const };
        jobs.value.push({ ...blank, id: each.jobid, command: each.cmd, ...described(each) });
      }
    }
    jobs.value.sort((a, b) => b.began - a.began);
    for (const job of running.value) {
      if (!awaited.has(job.id)) {
        follow(job.id).catch(() => undefined); // its error is the job's
      }
    }
  }

  /** Have `hear` called whenever a job has ended; returns what ends it. */
  function whenEnded(hear: (job: Job) => void): () => void {
    ending.add(hear);
    return () => ending.delete(hear);
  }

  /** Forget the jobs that have ended. */
  function clear(): void {
    jobs.value = running.value;
  }

  /** Another user signs in: these are not his. */
  function forget(): void {
    jobs.value = [];
    sessionStorage.removeItem(KEPT);
  }

  return { jobs, running, run, follow, restore, whenEnded, clear, forget };
});
