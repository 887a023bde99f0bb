// The calls that make a zone, in the order that CloudStack wants them, and how each is taken back.

import { call, list, type Parameters, type Row } from "@/api/client";
import { t } from "@/messages";
import { make, unmake, type Made, type Task } from "../frame/plan";
import { hostUrls, isSimulated, storageUrl, type PhysicalNetworkPlan, type ZonePlan } from "./model";
import { providersOf } from "./proposals";
import { waitForSystemVms, removeSystemVms } from "./systemVms";

export function tasksOf(plan: ZonePlan): Task[] {
  return [
    zoneTask(plan),
    ...plan.physical.flatMap((network, index) => networkTasks(plan, network, index)),
    podTask(plan),
    ...(plan.withPublic ? [publicTask(plan)] : []),
    clusterTask(plan),
    ...hostTasks(plan),
    primaryTask(plan),
    secondaryTask(plan),
    ...(plan.enable ? enableTasks(plan) : []),
  ];
}

function title(name: string, named: Record<string, unknown> = {}): string {
  return t(`wizards.zone.tasks.${name}`, named);
}

/** Whatever was made, by its name instead of its id. */
const ANYTHING = new Proxy<Made>({}, { get: (_, name) => ({ id: String(name) }) });

/** A task that calls a command which makes something: told apart by what the command is sent. */
function making(
  command: string,
  parameters: (made: Made) => Parameters,
  more = "",
): Pick<Task, "run" | "told"> {
  return {
    told: JSON.stringify(parameters(ANYTHING)) + more,
    run: (made) => make(command, parameters(made)),
  };
}

function zoneTask(plan: ZonePlan): Task {
  return {
    name: "zone",
    title: title("zone", { name: plan.name }),
    step: "zone",
    ...making("createZone", () => ({
      name: plan.name.trim(),
      networktype: plan.kind === "basic" ? "Basic" : "Advanced",
      securitygroupenabled: plan.kind === "advanced" ? undefined : true,
      dns1: plan.dns1,
      dns2: plan.dns2 || undefined,
      internaldns1: plan.internalDns1,
      internaldns2: plan.internalDns2 || undefined,
      domain: plan.domain || undefined,
      guestcidraddress: plan.kind === "advanced" ? plan.guestCidr : undefined,
      domainid: plan.domainId,
      localstorageenabled: plan.localStorage || undefined,
    })),
    undo: (row) => unmake("deleteZone", { id: row.id }),
  };
}

function networkTasks(plan: ZonePlan, network: PhysicalNetworkPlan, index: number): Task[] {
  const key = `physical ${index}`;
  const vlans = network.traffic.includes("Guest") && network.vlans ? network.vlans : undefined;
  const tasks: Task[] = [
    {
      name: key,
      title: title("physical", { name: network.name }),
      step: "physical",
      ...making(
        "createPhysicalNetwork",
        (made) => ({
          zoneid: made.zone!.id,
          name: network.name.trim(),
          isolationmethods: network.isolation,
        }),
        // what it carries is added to it once, and goes with it
        JSON.stringify([network.traffic, network.labels]),
      ),
      undo: (row) => unmake("deletePhysicalNetwork", { id: row.id }),
    },
    ...network.traffic.map((kind) => ({
      name: `${key} ${kind}`,
      title: title("traffic", { kind, name: network.name }),
      step: "physical",
      group: `${key} traffic`,
      run: (made: Record<string, Row>) =>
        make("addTrafficType", {
          physicalnetworkid: made[key]!.id,
          traffictype: kind,
          kvmnetworklabel: network.labels[kind] || undefined,
        }),
    })),
    {
      name: `${key} enabled`,
      title: title("physicalEnabled", { name: network.name }),
      step: "vlans",
      ...making("updatePhysicalNetwork", (made) => ({ id: made[key]!.id, state: "Enabled", vlan: vlans })),
    },
  ];
  if (network.traffic.includes("Guest")) {
    for (const name of providersOf(plan.kind)) {
      tasks.push({
        name: `${key} ${name}`,
        title: title("provider", { name, network: network.name }),
        step: "physical",
        group: `${key} providers`,
        run: (made) => enableProvider(made[key]!.id, name),
      });
    }
  }
  return tasks;
}

/** A provider that a system VM stands for is enabled once its element is. */
async function enableProvider(physicalNetworkId: string, name: string): Promise<Row> {
  const { rows } = await list("listNetworkServiceProviders", "networkserviceprovider", {
    physicalnetworkid: physicalNetworkId,
    name,
  });
  const provider = rows[0]!;
  const elements: Record<string, [string, string, string]> = {
    VirtualRouter: ["listVirtualRouterElements", "virtualrouterelement", "configureVirtualRouterElement"],
    VpcVirtualRouter: ["listVirtualRouterElements", "virtualrouterelement", "configureVirtualRouterElement"],
    InternalLbVm: [
      "listInternalLoadBalancerElements",
      "internalloadbalancerelement",
      "configureInternalLoadBalancerElement",
    ],
  };
  const kind = elements[name];
  if (kind !== undefined) {
    const [command, key, configure] = kind;
    for (const element of (await list(command, key, { nspid: provider.id })).rows) {
      await make(configure, { id: element.id, enabled: true });
    }
  }
  return make("updateNetworkServiceProvider", { id: provider.id, state: "Enabled" });
}

function podTask(plan: ZonePlan): Task {
  return {
    name: "pod",
    title: title("pod", { name: plan.pod.name }),
    step: "pod",
    ...making("createPod", (made) => ({
      zoneid: made.zone!.id,
      name: plan.pod.name.trim(),
      gateway: plan.pod.gateway.trim(),
      netmask: plan.pod.netmask.trim(),
      startip: plan.pod.startIp.trim(),
      endip: plan.pod.endIp.trim(),
    })),
    undo: (row) => unmake("deletePod", { id: row.id }),
  };
}

function publicTask(plan: ZonePlan): Task {
  const { publicRange: range } = plan;
  const carrier = plan.physical.findIndex((each) => each.traffic.includes("Public"));
  return {
    name: "public",
    title: title("public", { first: range.startIp, last: range.endIp }),
    step: "public",
    ...making("createVlanIpRange", (made) => ({
      zoneid: made.zone!.id,
      physicalnetworkid: made[`physical ${carrier}`]!.id,
      gateway: range.gateway.trim(),
      netmask: range.netmask.trim(),
      startip: range.startIp.trim(),
      endip: range.endIp.trim(),
      vlan: range.vlan.trim() || "untagged",
      forvirtualnetwork: true,
    })),
    undo: (row) => unmake("deleteVlanIpRange", { id: row.id }),
  };
}

function clusterTask(plan: ZonePlan): Task {
  return {
    name: "cluster",
    title: title("cluster", { name: plan.cluster.name }),
    step: "cluster",
    ...making("addCluster", (made) => ({
      zoneid: made.zone!.id,
      podid: made.pod!.id,
      clustername: plan.cluster.name.trim(),
      clustertype: "CloudManaged",
      hypervisor: plan.hypervisor,
      arch: plan.cluster.arch,
    })),
    undo: (row) => unmake("deleteCluster", { id: row.id }),
  };
}

function hostTasks(plan: ZonePlan): Task[] {
  return hostUrls(plan).map((url, index) => ({
    name: `host ${index + 1}`,
    title: title("host", { name: isSimulated(plan) ? index + 1 : url }),
    step: "hosts",
    group: "hosts",
    ...making("addHost", (made) => ({
      zoneid: made.zone!.id,
      podid: made.pod!.id,
      clusterid: made.cluster!.id,
      hypervisor: plan.hypervisor,
      url,
      username: isSimulated(plan) ? undefined : plan.hosts[index]!.username || undefined,
      password: isSimulated(plan) ? undefined : plan.hosts[index]!.password || undefined,
    })),
    undo: async (row) => {
      await unmake("prepareHostForMaintenance", { id: row.id });
      await unmake("deleteHost", { id: row.id });
    },
  }));
}

function primaryTask(plan: ZonePlan): Task {
  return {
    name: "primary",
    title: title("primary", { name: plan.primary.name }),
    step: "primary",
    ...making("createStoragePool", (made) => ({
      zoneid: made.zone!.id,
      podid: plan.primary.scope === "CLUSTER" ? made.pod!.id : undefined,
      clusterid: plan.primary.scope === "CLUSTER" ? made.cluster!.id : undefined,
      scope: plan.primary.scope,
      hypervisor: plan.primary.scope === "ZONE" ? plan.hypervisor : undefined,
      name: plan.primary.name.trim(),
      url: storageUrl(plan.primary),
    })),
    undo: async (row) => {
      await unmake("enableStorageMaintenance", { id: row.id });
      await unmake("deleteStoragePool", { id: row.id });
    },
  };
}

function secondaryTask(plan: ZonePlan): Task {
  return {
    name: "secondary",
    title: title("secondary", { name: plan.secondary.name }),
    step: "secondary",
    ...making("addImageStore", (made) => ({
      zoneid: made.zone!.id,
      provider: "NFS",
      name: plan.secondary.name.trim(),
      url: storageUrl(plan.secondary),
    })),
    undo: (row) => unmake("deleteImageStore", { id: row.id }),
  };
}

function enableTasks(plan: ZonePlan): Task[] {
  const enable: Task = {
    name: "enabled",
    title: title("enable"),
    step: "launch",
    run: (made) => make("updateZone", { id: made.zone!.id, allocationstate: "Enabled" }),
    undo: async (row) => {
      await call("updateZone", { id: row.id, allocationstate: "Disabled" });
      await removeSystemVms(row.id);
    },
  };
  return plan.withPublic
    ? [
        enable,
        {
          name: "systemVms",
          title: title("systemVms"),
          step: "launch",
          run: (made) => waitForSystemVms(made.zone!.id),
        },
      ]
    : [enable];
}
