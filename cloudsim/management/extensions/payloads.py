"""What the programs of extensions are told: of an instance, and of all that was configured for them on its way.

Details of hosts, templates, offerings and instances that are for a program begin with `external.` in the cloud's own rows,
and only root admins see them; the program gets them without that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cloudsim.management.extensions.extensions import Extensions
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.roles import Roles
from cloudsim.management.operations.details import EXTERNAL
from cloudsim.model import (
    Cluster,
    Extension,
    ExtensionResource,
    Host,
    Role,
    ServiceOffering,
    Template,
    VirtualMachine,
    Zone,
)
from cloudsim.protocol.specs import NicSpec, VmSpec


def kept(details: Mapping[str, str] | None) -> dict[str, str]:
    """Details for a program as they are kept in a row with other details."""
    return {f"{EXTERNAL}{key.removeprefix(EXTERNAL)}": value for key, value in (details or {}).items()}


def told(details: Mapping[str, str] | None) -> dict[str, str]:
    """Those of a row's details that are for a program."""
    return {
        key.removeprefix(EXTERNAL): value for key, value in (details or {}).items() if key.startswith(EXTERNAL)
    }


def replaced(details: Mapping[str, str], external: Mapping[str, str]) -> dict[str, str]:
    """A row's details with others for a program in the place of those that there were."""
    return {key: value for key, value in details.items() if not key.startswith(EXTERNAL)} | kept(external)


class Payloads:
    """Makes payloads. `spec` describes an instance as hosts need to know it."""

    def __init__(
        self,
        foundation: Foundation,
        extensions: Extensions,
        roles: Roles,
        spec: Callable[[VirtualMachine], VmSpec],
    ) -> None:
        self._foundation = foundation
        self._extensions = extensions
        self._roles = roles
        self._spec = spec
        self._hosts = foundation.table(Host)

    def extension_of(self, vm: VirtualMachine) -> Extension | None:
        """The extension that sees to the instance: its template's, or that of the cluster where it is or was."""
        template = self._foundation.table(Template).get(vm.template_id)
        if template is not None and template.extension_id is not None:
            return self._foundation.table(Extension).get(template.extension_id)
        host = self._hosts.get(vm.host_id) or self._hosts.get(vm.last_host_id)
        return None if host is None else self._extensions.of_cluster(host.cluster_id)

    def of(
        self,
        vm: VirtualMachine,
        extension: Extension,
        *,
        host: Host | None = None,
        caller: Caller | None = None,
        password: str | None = None,
    ) -> dict[str, Any]:
        """Of an instance, on `host` or where it is or was; `password` is for its guest to set."""
        host = host or self._hosts.get(vm.host_id) or self._hosts.get(vm.last_host_id)
        payload = self.of_host(host, extension)
        template = self._foundation.table(Template).get(vm.template_id)
        offering = self._foundation.table(ServiceOffering).get(vm.service_offering_id)
        payload["externaldetails"]["virtualmachine"] = {  # what the operator says counts more than what its owner does
            **told(vm.details),
            **told(None if offering is None else offering.details),
            **told(None if template is None else template.details),
        }
        payload["virtualmachineid"] = vm.id
        payload["virtualmachinename"] = vm.instance_name
        payload["cloudstack.vm.details"] = self._machine(vm, template, password)
        if caller is not None:
            payload["caller"] = self._caller(caller)
        return payload

    def of_host(self, host: Host | None, extension: Extension) -> dict[str, Any]:
        """Of a host, with what was configured of the extension and its registration."""
        cluster_id = None if host is None else host.cluster_id
        known = self._foundation.table(ExtensionResource).find("resource_id", cluster_id)
        details: dict[str, Any] = {
            "extension": dict(extension.details),
            "resourcemap": {} if known is None else dict(known.details),
            "host": {} if host is None else {"url": host.url, **told(host.details)},
        }
        payload: dict[str, Any] = {"externaldetails": details}
        if host is not None:
            cluster = self._foundation.table(Cluster).get(host.cluster_id)
            zone = self._foundation.table(Zone).get(host.zone_id)
            payload |= {
                "hostid": host.id,
                "hostname": host.name,
                "clustername": "" if cluster is None else cluster.name,
                "zonename": "" if zone is None else zone.name,
            }
        return payload

    def _machine(self, vm: VirtualMachine, template: Template | None, password: str | None) -> dict[str, Any]:
        spec = self._spec(vm)
        return {
            "id": vm.id,
            "name": spec.name,
            "hostname": spec.hostname,
            "displayname": vm.display_name,
            "cpus": spec.cpus,
            "cpuspeed": spec.cpu_mhz,
            "memory": spec.memory_mib,
            "os": spec.guest_os,
            "template": "" if template is None else template.name,
            "userdata": spec.user_data,
            "sshpublickeys": list(spec.public_keys),
            "password": password,
            "nics": [_nic(nic) for nic in spec.nics],
            "details": {key: value for key, value in vm.details.items() if not key.startswith(EXTERNAL)},
        }

    def _caller(self, caller: Caller) -> dict[str, Any]:
        role = self._foundation.table(Role).get(caller.account.role_id)
        return {
            "id": caller.account.id,
            "name": caller.account.name,
            "roleid": "" if role is None else role.id,
            "rolename": "" if role is None else role.name,
            "roletype": self._roles.type_of(caller.account),
        }


def _nic(nic: NicSpec) -> dict[str, Any]:
    return {
        "uuid": nic.id,
        "deviceid": nic.device,
        "mac": nic.mac,
        "ip": nic.ip,
        "netmask": nic.netmask,
        "gateway": nic.gateway,
        "networkid": nic.network_id,
        "broadcasturi": None if nic.vlan is None else f"{nic.isolation.lower()}://{nic.vlan}",
        "dns": list(nic.dns),
        "default": nic.default,
    }
