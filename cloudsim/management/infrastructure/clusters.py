"""Clusters: made, changed and removed by the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cloudsim.errors import CloudError, InvalidParameterValue, UnsupportedCommand
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.hypervisor_types import hypervisor_named
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import Cluster, Host, Pod, StoragePool, Zone
from cloudsim.model.infrastructure import Allocation

CLUSTER_TYPES = ("CloudManaged", "ExternalManaged")
ARCHITECTURES = ("x86_64", "aarch64")


class Clusters:
    """The clusters of all pods."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._clusters = foundation.table(Cluster)
        self._hosts = foundation.table(Host)
        self._randomness = foundation.randomness.branch("clusters")
        self.on_delete: list[Callable[[Cluster], None]] = []
        """Called in the transaction that a cluster is removed in."""

    def create(
        self,
        zone: Zone,
        pod: Pod,
        *,
        name: str,
        hypervisor: str,
        cluster_type: str = "CloudManaged",
        arch: str | None = None,
        allocation_state: Allocation = "Enabled",
        details: Mapping[str, str] | None = None,
    ) -> Cluster:
        """Add a cluster to a pod of that zone."""
        if pod.zone_id != zone.id:
            raise InvalidParameterValue(f"Can't find pod {pod.name} in zone {zone.name}")
        hypervisor = hypervisor_named(hypervisor)
        cluster_type = _word(cluster_type, CLUSTER_TYPES, "clustertype")
        arch = _word(arch or "x86_64", ARCHITECTURES, "arch")
        self._check_name(pod.id, name)
        with self._store.transaction():
            return self._clusters.insert(
                Cluster(
                    id=self._randomness.uuid(),
                    name=name,
                    zone_id=zone.id,
                    pod_id=pod.id,
                    hypervisor=hypervisor,
                    cluster_type=cluster_type,
                    allocation_state=allocation_state,
                    arch=arch,
                    created=self._foundation.now(),
                    details=dict(details or {}),
                )
            )

    def update(
        self,
        cluster: Cluster,
        *,
        name: str | None = None,
        hypervisor: str | None = None,
        cluster_type: str | None = None,
        arch: str | None = None,
        allocation_state: Allocation | None = None,
        managed_state: str | None = None,
        details: Mapping[str, str] | None = None,
    ) -> Cluster:
        """Change what is given. Hypervisor and architecture are fixed once the cluster has hosts."""
        changes: dict[str, Any] = {}
        if name is not None and name != cluster.name:
            self._check_name(cluster.pod_id, name)
            changes["name"] = name
        if hypervisor is not None:
            changes["hypervisor"] = hypervisor_named(hypervisor)
        if arch is not None:
            changes["arch"] = _word(arch, ARCHITECTURES, "arch")
        if self._hosts.count("cluster_id", cluster.id):
            for field, value in changes.items():
                if field != "name" and value != getattr(cluster, field):
                    raise InvalidParameterValue(
                        f"The {field} of cluster {cluster.name} cannot change while it has hosts"
                    )
        if cluster_type is not None:
            changes["cluster_type"] = _word(cluster_type, CLUSTER_TYPES, "clustertype")
        if (
            managed_state is not None
            and _word(managed_state, ("Managed", "Unmanaged"), "managedstate") != "Managed"
        ):
            raise UnsupportedCommand(
                "Clusters cannot be unmanaged in this version; disable the cluster instead"
            )
        if allocation_state is not None:
            changes["allocation_state"] = allocation_state
        if details is not None:
            changes["details"] = {**cluster.details, **details}
        with self._store.transaction():
            return self._clusters.update(cluster.id, **changes)

    def delete(self, cluster: Cluster) -> None:
        """Remove an empty cluster."""
        if self._hosts.count("cluster_id", cluster.id):
            raise CloudError(f"Cluster {cluster.name} cannot be removed. Cluster still has hosts")
        if self._foundation.table(StoragePool).count("cluster_id", cluster.id):
            raise CloudError(f"Cluster {cluster.name} cannot be removed. Cluster still has storage pools")
        with self._store.transaction():
            remove_leftovers(self._foundation, cluster.id)
            for told in self.on_delete:
                told(cluster)
            self._clusters.delete(cluster.id)

    def _check_name(self, pod_id: str, name: str) -> None:
        if not name.strip():
            raise InvalidParameterValue("A cluster needs a name")
        if self._clusters.find(("pod_id", "name"), (pod_id, name)) is not None:
            raise InvalidParameterValue(f"A cluster with name {name} already exists in the pod")


def _word(text: str, words: tuple[str, ...], what: str) -> str:
    for word in words:
        if text.strip().lower() == word.lower():
            return word
    raise InvalidParameterValue(f"{what} must be one of {', '.join(words)}, not {text!r}")
