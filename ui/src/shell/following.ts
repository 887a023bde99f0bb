// What goes on while somebody is signed in: the change feed, and the jobs that were begun before a reload.

import { watch } from "vue";
import { useRouter } from "vue-router";
import { useApis } from "@/api/apis";
import { feed } from "@/api/changes";
import { useJobs, type Job, type JobAnswer } from "@/api/jobs";
import { useSession } from "@/api/session";
import { resource, resources } from "@/resources";
import { actionLabel, words } from "@/resources/labels";
import { resourceListedBy, titleOf } from "@/resources/links";

const MOST_NAMED = 20;

/** Names of things in jobs whose list commands are not called after them. */
const LISTED_BY: Record<string, string> = {
  Vpc: "listVPCs",
  PublicIp: "listPublicIpAddresses",
  VmSnapshot: "listVMSnapshot",
  SshKeyPair: "listSSHKeyPairs",
  SystemVm: "listSystemVms",
};

/** The page of what a job works on, if it has one. */
export function linkOfJob(job: Pick<JobAnswer, "jobinstancetype" | "jobinstanceid">): string {
  const { jobinstancetype: type, jobinstanceid: id } = job;
  const listed = type ? resourceListedBy(LISTED_BY[type] ?? `list${type}s`) : undefined;
  return listed && id ? `/${listed.name}/${encodeURIComponent(id)}` : "";
}

/** What a job does, in the words of the menus where they offer its command. */
export function titleOfJob(command: string): string {
  for (const { actions } of resources) {
    const action = actions.find((each) => each.command === command);
    if (action) {
      return actionLabel(action);
    }
  }
  return words(command);
}

/** Put in what those jobs work on is called, where they do not say it. */
async function nameSubjects(jobs: Job[]): Promise<void> {
  const nameless = jobs.filter((each) => each.subject === "" && each.link !== "").slice(0, MOST_NAMED);
  if (nameless.length === 0) {
    return;
  }
  const { fetchOne } = await import("@/resources/list/rows");
  for (const job of nameless) {
    const [, name = "", id = ""] = job.link.split("/");
    const of = resource(name);
    const row = of && (await fetchOne(of, decodeURIComponent(id)).catch(() => undefined));
    job.subject = of && row ? titleOf(of, row) : "";
  }
}

/** To be called once, by what is around every page. */
export function followWhileSignedIn(): void {
  const session = useSession();
  const jobs = useJobs();
  const apis = useApis();
  const router = useRouter();
  let userid = "";

  watch(
    () => (session.over ? "" : (session.current?.sessionkey ?? "")),
    (key) => (key ? feed.start() : feed.stop()),
    { immediate: true },
  );
  watch(
    () => session.current?.userid ?? "",
    (now) => {
      if (now === "") {
        jobs.forget();
        apis.forget();
        // who was never signed in is led by the router's guard, which keeps where he wanted to go
        if (userid !== "") {
          userid = "";
          void router.push("/sign-in");
        }
      } else if (now !== userid) {
        userid = now;
        const described = (job: JobAnswer) => ({ title: titleOfJob(job.cmd), link: linkOfJob(job) });
        jobs
          .restore(described)
          .then(() => nameSubjects(jobs.running))
          .catch(() => undefined); // they are told of again when the next reload succeeds
      }
    },
    { immediate: true },
  );
}
