// The choice of a hypervisor, as the cloud has them.

export const HYPERVISORS = { command: "listHypervisors", key: "hypervisor", value: "name" };
