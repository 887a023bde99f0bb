// What goes on while somebody is signed in: the change feed, and the jobs that were begun before a reload.

import { watch } from "vue";
import { useRouter } from "vue-router";
import { useApis } from "@/api/apis";
import { feed } from "@/api/changes";
import { useJobs, type JobAnswer } from "@/api/jobs";
import { useSession } from "@/api/session";
import { words } from "@/resources/labels";
import { resourceListedBy } from "@/resources/links";

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
        void router.push("/sign-in");
      } else if (now !== userid) {
        userid = now;
        const described = (job: JobAnswer) => ({ title: words(job.cmd), link: linkOfJob(job) });
        jobs.restore(described).catch(() => undefined); // they are told of again when the next reload succeeds
      }
    },
    { immediate: true },
  );
}
