"""Which hosts are for instances that an extension sees to, and which for all others."""

from __future__ import annotations

from collections.abc import Iterator

from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.hypervisor_types import EXTERNAL
from cloudsim.model import Cluster, ExtensionResource, Host, Template, VirtualMachine


class ExternalPlaces:
    """External hosts are in clusters that are registered with an extension; there are few of these, or none."""

    def __init__(self, foundation: Foundation) -> None:
        self._registered = foundation.table(ExtensionResource)
        self._clusters = foundation.table(Cluster)
        self._hosts = foundation.table(Host)
        self._templates = foundation.table(Template)

    def bound(
        self, vm: VirtualMachine, only: set[str] | None, avoid: set[str]
    ) -> tuple[set[str] | None, set[str]]:
        """The only hosts and those to leave out, with what follows from who sees to the instance."""
        if vm.hypervisor != EXTERNAL:
            outside = {host_id for known in self._registered for host_id in self._hosts_in(known)}
            return only, avoid | outside if outside else avoid
        template = self._templates.get(vm.template_id)
        extension_id = None if template is None else template.extension_id
        mine = {
            host_id
            for known in self._registered.where("extension_id", extension_id)
            for host_id in self._hosts_in(known)
        }
        return mine if only is None else mine & only, avoid

    def _hosts_in(self, known: ExtensionResource) -> Iterator[str]:
        if self._clusters[known.resource_id].hypervisor == EXTERNAL:
            yield from self._hosts.ids("cluster_id", known.resource_id)
