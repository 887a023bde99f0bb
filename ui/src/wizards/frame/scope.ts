// Whose things are listed and made: one's own, or those of the project that is chosen in the header.

import { useSession } from "@/api/session";

/** The parameter that goes with every call about owned things. */
export function ofProject(): { projectid?: string } {
  const { projectId } = useSession();
  return projectId ? { projectid: projectId } : {};
}
