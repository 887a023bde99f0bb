"""What a lab is doing, in lines."""

from __future__ import annotations

from collections.abc import Iterator

from backends.lab.errors import LabError
from backends.lab.hosts import LabHost
from backends.lab.lab import Lab
from backends.lab.leftovers import leftovers
from server.lab.building import MANAGER
from server.lab.client import ApiClient, ApiError

_VIRSH = ("virsh", "--connect", "qemu:///system")
_LOOK_WITHIN = 5.0


def status(lab: Lab) -> Iterator[str]:
    """Lines, from the lab as a whole to each instance. What cannot be asked is said to be so; nothing is raised."""
    if not lab.is_up:
        yield f"lab {lab.name} is not up"
        yield from left(lab.name)
        return
    yield f"lab {lab.name} in {lab.folder}, management network {lab.network}"
    yield f"  manager  {_manager(lab)}"
    names = _cloud_names(lab)
    for host in lab.hosts:
        yield f"  {host.name:<8} {_host(host)}"
        for name, state in instances(host):
            yield f"           {name}  {state}{names.get(name, '')}"
        for name, pid in sorted(host.namespace_routers().items()):
            yield f"           {name}  a namespace, process {pid}"


def left(name: str) -> Iterator[str]:
    """What the machine still has of a lab that is not up."""
    for one in leftovers(name):
        yield f"  left over: {one}"


def instances(host: LabHost) -> Iterator[tuple[str, str]]:
    """Name and state of each instance, as libvirt has them; by the processes where libvirt does not answer."""
    try:
        names = host.exec([*_VIRSH, "list", "--all", "--name"], timeout=_LOOK_WITHIN).stdout.split()
        for name in names:
            yield name, host.exec([*_VIRSH, "domstate", name], timeout=_LOOK_WITHIN).stdout.strip()
    except LabError as error:
        for name in host.qemus():
            yield name, f"unknown ({error})"


def greeting(lab: Lab) -> Iterator[str]:
    """What one does with a lab that has just come up."""
    notes = lab.notes
    data = lab.folder
    ini = lab.cloud / "cloudstack.ini"
    cs = f"CLOUDSTACK_CONFIG={ini} cs"
    count = len(lab.hosts)
    yield f"Lab {lab.name} is up: {count} host{'s' if count > 1 else ''}, zone {notes.get('zone')}"
    yield f"  Browser and API  {notes.get('api')}  (the API at /client/api)"
    yield f"  Admin            keys and password in {lab.cloud / 'admin.json'}"
    yield f"  Storage          {lab.primary}, {lab.secondary}"
    yield f"  Logs             {lab.logs}"
    yield f"  Try              {cs} listHosts type=Routing"
    if notes.get("template"):
        yield f"                   {cs} deployVirtualMachine {_first_instance(lab)}"
    at = f"--data {data}"
    yield f"                   cloudsim lab status {at}"
    yield f"                   cloudsim lab kill-host 1 {at}; cloudsim lab power-on 1 {at}"
    yield f"  End              cloudsim lab down {at}"


def _first_instance(lab: Lab) -> str:
    try:
        api = ApiClient.of_cloud(lab.cloud)
        zone = api.list("listZones")[0]["id"]
        offering = api.list("listServiceOfferings", name="tiny")[0]["id"]
        template = api.list("listTemplates", templatefilter="all", name=lab.notes["template"])[0]["id"]
    except (ApiError, LookupError):
        return "zoneid=... serviceofferingid=... templateid=..."
    return f"zoneid={zone} serviceofferingid={offering} templateid={template} name=first"


def _manager(lab: Lab) -> str:
    pid = lab.pid_of(MANAGER)
    api = lab.notes.get("api")
    if api is None:
        return "none"
    if pid is None:
        return f"does not run; its log is {lab.logs / MANAGER}.log"
    return f"process {pid}, {api}"


def _host(host: LabHost) -> str:
    if not host.is_on:
        return f"{host.address}  off"
    words = [host.address, "on"]
    if host.is_frozen:
        words.append("frozen")
    try:
        words += [] if host.is_linked else ["cable cut"]
    except LabError as error:
        words.append(str(error))
    for service in ("libvirtd", "agent"):
        pid = host.service_pid(service)
        words.append(f"{service} {pid if pid is not None else 'does not run'}")
    return "  ".join(words)


def _cloud_names(lab: Lab) -> dict[str, str]:
    """What the cloud calls each instance and believes of it, by libvirt's name."""
    try:
        api = ApiClient.of_cloud(lab.cloud)
        found = api.list("listVirtualMachines", listall=True)
    except ApiError:
        return {}
    return {vm["instancename"]: f"  ({vm['name']}, {vm['state']})" for vm in found if "instancename" in vm}


def host_of(lab: Lab, instance: str) -> tuple[LabHost, str]:
    """The host that runs an instance, which may be called by libvirt's name or the cloud's. Raises LabError."""
    wanted = {instance}
    try:
        api = ApiClient.of_cloud(lab.cloud)
        for vm in api.list("listVirtualMachines", listall=True):
            if instance in (vm.get("name"), vm.get("displayname"), vm.get("id")):
                wanted.add(str(vm.get("instancename")))
    except ApiError:
        pass
    for host in lab.hosts:
        for name in host.qemus():
            if name in wanted:
                return host, name
    raise LabError(f"no host of lab {lab.name} runs an instance {instance}")
