// The tab with the comments on a thing.

import type { Tab } from "../../declaration";

/** Comments, where the thing is of the kind that the API knows by this name. */
export function comments(entitytype: string): Tab {
  return {
    name: "comments",
    resource: "annotation",
    parameters: (row) => ({ entitytype, entityid: row.id }),
    needs: "listAnnotations",
  };
}
