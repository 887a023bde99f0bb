// The choice of a hypervisor, as the cloud has them.

import type { FormField } from "../../declaration";

export const HYPERVISORS = { command: "listHypervisors", key: "hypervisor", value: "name" };

/** For what only hosts have that an extension sees to. */
export const onExternal: FormField["when"] = (values) => values.hypervisor === "External";
