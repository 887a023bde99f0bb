// Asynchronous jobs that this browser began: followed until they end, and told of in the header.

import { defineStore } from "pinia";
import { ref } from "vue";
import { ApiError, call, type Parameters } from "./client";

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

interface JobAnswer {
  jobstatus: number;
  jobresult?: Record<string, unknown>;
}

export const useJobs = defineStore("jobs", () => {
  /** The newest first. */
  const jobs = ref<Job[]>([]);

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

  async function follow(id: string): Promise<Record<string, unknown>> {
    let pause = 150;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 1.5, 3000);
      let answer: JobAnswer;
      try {
        answer = await call<JobAnswer>("queryAsyncJobResult", { jobid: id });
      } catch (error) {
        if (error instanceof ApiError && (error.status === 0 || error.status >= 500)) {
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

  function end(id: string, state: Job["state"], error: string): void {
    const job = jobs.value.find((each) => each.id === id);
    if (job !== undefined) {
      Object.assign(job, { state, error, ended: Date.now() });
    }
  }

  return { jobs, run, follow };
});
