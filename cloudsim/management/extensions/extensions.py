"""Extensions: made, changed and removed by the operator, and registered with clusters.

What runs their programs is `programs`, which a server sets that may: in a simulated run nothing does, and extensions are
refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse, UnsupportedCommand
from cloudsim.extensions import ProgramFailed, Programs
from cloudsim.management.foundation import Foundation
from cloudsim.model import (
    Cluster,
    CustomAction,
    Extension,
    ExtensionResource,
    ExternalInstance,
    Host,
    Template,
)

TYPES: tuple[Literal["Orchestrator"], ...] = ("Orchestrator",)
State = Literal["Enabled", "Disabled"]
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


class ExtensionUnavailable(CloudError):
    """An extension that cannot be called: it is disabled, or its program is not there."""


class Extensions:
    """The extensions of one cloud."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(Extension)
        self._resources = foundation.table(ExtensionResource)
        self._actions = foundation.table(CustomAction)
        self._randomness = foundation.randomness.branch("extensions")
        self.programs: Programs | None = None

    def running(self) -> Programs:
        """What runs programs. Raises UnsupportedCommand where nothing does."""
        if self.programs is None:
            raise UnsupportedCommand(
                "This cloud runs no programs of extensions: only one that is served does (cloudsim serve)"
            )
        return self.programs

    def is_ready(self, extension: Extension) -> bool:
        """Whether the extension's program is there and may be run."""
        return self.programs is not None and self.programs.is_ready(extension.path)

    def location(self, extension: Extension) -> str:
        """Where its program is, or is to be, on the server's machine."""
        return extension.path if self.programs is None else self.programs.location(extension.path)

    # extensions

    def create(
        self,
        *,
        name: str,
        type: str,
        description: str = "",
        path: str | None = None,
        prepares: bool = False,
        state: State = "Enabled",
        details: Mapping[str, str] | None = None,
    ) -> Extension:
        """An extension; its program is an example, where there is none at `path` yet. Raises InvalidParameterValue."""
        programs = self.running()
        if not name.strip():
            raise InvalidParameterValue("name: an extension needs a name")
        if self._table.find("name", name) is not None:
            raise InvalidParameterValue(f"name: an extension with name {name} already exists")
        kind = next((each for each in TYPES if each.lower() == type.lower()), None)
        if kind is None:
            raise InvalidParameterValue(f"type: {type!r} is none of {', '.join(TYPES)}")
        where = _path(name, path)
        try:
            programs.make_example(where)
        except ProgramFailed as error:
            raise InvalidParameterValue(f"path: {error}") from error
        with self._store.transaction():
            return self._table.insert(
                Extension(
                    id=self._randomness.uuid(),
                    name=name,
                    description=description,
                    type=kind,
                    path=where,
                    state=state,
                    prepares=prepares,
                    created=self._foundation.now(),
                    details=dict(details or {}),
                )
            )

    def update(
        self,
        extension: Extension,
        *,
        description: str | None = None,
        prepares: bool | None = None,
        state: State | None = None,
        details: Mapping[str, str] | None = None,
        cleanup_details: bool = False,
    ) -> Extension:
        """Change what is given. `details` are in the place of those before; with `cleanup_details` there are none."""
        if details and cleanup_details:
            raise InvalidParameterValue("details and cleanupdetails exclude each other")
        changes: dict[str, Any] = {"description": description, "prepares": prepares, "state": state}
        changes = {field: value for field, value in changes.items() if value is not None}
        if details or cleanup_details:
            changes["details"] = dict(details or {})
        with self._store.transaction():
            return self._table.update(extension.id, **changes)

    def delete(self, extension: Extension, *, cleanup: bool = False) -> None:
        """Remove an extension that nothing uses, with its custom actions; with `cleanup` its program, too."""
        if self._resources.count("extension_id", extension.id):
            raise ResourceInUse(
                f"Extension {extension.name} cannot be deleted: it is registered with a cluster, unregister it first"
            )
        if self._foundation.table(ExternalInstance).count("extension_id", extension.id):
            raise ResourceInUse(f"Extension {extension.name} cannot be deleted: there are instances that it has created")
        if self._foundation.table(Template).count("extension_id", extension.id):
            raise ResourceInUse(f"Extension {extension.name} cannot be deleted: templates are linked to it")
        if cleanup and sum(each.path == extension.path for each in self._table) == 1:
            try:
                self.running().remove(extension.path)
            except ProgramFailed as error:
                raise CloudError(str(error)) from error
        with self._store.transaction():
            for action_id in list(self._actions.ids("extension_id", extension.id)):
                self._actions.delete(action_id)
            self._table.delete(extension.id)

    # registrations

    def register(
        self, extension: Extension, cluster: Cluster, details: Mapping[str, str] | None = None
    ) -> ExtensionResource:
        """Have the extension see to what is in the cluster. `details` are told to its program with every call."""
        known = self._resources.find("resource_id", cluster.id)
        if known is not None:
            other = self._table[known.extension_id]
            which = "this extension" if other.id == extension.id else f"extension {other.name}"
            raise InvalidParameterValue(f"Cluster {cluster.name} is registered with {which} already")
        with self._store.transaction():
            return self._resources.insert(
                ExtensionResource(
                    id=self._randomness.uuid(),
                    extension_id=extension.id,
                    resource_id=cluster.id,
                    created=self._foundation.now(),
                    details=dict(details or {}),
                )
            )

    def unregister(self, extension: Extension, cluster: Cluster) -> None:
        """Undo a registration. External hosts in the cluster need it: they have to go first."""
        known = self._resources.find("resource_id", cluster.id)
        if known is None or known.extension_id != extension.id:
            raise InvalidParameterValue(f"Extension {extension.name} is not registered with cluster {cluster.name}")
        if cluster.hypervisor == "External" and self._foundation.table(Host).count("cluster_id", cluster.id):
            raise ResourceInUse(f"Cluster {cluster.name} has hosts that extension {extension.name} sees to")
        with self._store.transaction():
            self._resources.delete(known.id)

    def check_registered(self, cluster: Cluster) -> ExtensionResource:
        """The cluster's registration. Raises InvalidParameterValue if there is none."""
        known = self._resources.find("resource_id", cluster.id)
        if known is None:
            raise InvalidParameterValue(f"externaldetails: no extension is registered with cluster {cluster.name}")
        return known

    def set_details(self, cluster: Cluster, details: Mapping[str, str]) -> None:
        """Have the program be told these of the cluster, in the place of those before."""
        known = self.check_registered(cluster)
        with self._store.transaction():
            self._resources.update(known.id, details=dict(details))

    def forget(self, cluster: Cluster) -> None:
        """Undo the registration of a cluster that is being removed. Needs an open transaction."""
        known = self._resources.find("resource_id", cluster.id)
        if known is not None:
            self._resources.delete(known.id)

    def registrations(self, extension: Extension) -> list[ExtensionResource]:
        return self._resources.where("extension_id", extension.id)

    def of_cluster(self, cluster_id: str | None) -> Extension | None:
        """The extension that the cluster is registered with."""
        known = self._resources.find("resource_id", cluster_id)
        return None if known is None else self._table[known.extension_id]

    # calling

    async def call(
        self, extension: Extension, operation: str, payload: Mapping[str, Any], timeout: float
    ) -> dict[str, Any]:
        """Have its program do it; returns the answer. `timeout` in real seconds. Raises ProgramFailed, saying whose it is."""
        if self.programs is None:
            raise ProgramFailed(f"extension {extension.name}: this cloud runs no programs")
        if extension.state != "Enabled":
            raise ProgramFailed(f"extension {extension.name} is disabled")
        try:
            return await self.programs.run(extension.path, operation, payload, timeout)
        except ProgramFailed as error:
            raise type(error)(f"extension {extension.name}: {error}") from error


def _path(name: str, path: str | None) -> str:
    """Where the program is: `path` below a folder of the extension's own. Raises InvalidParameterValue."""
    folder = _UNSAFE.sub("_", name.strip()).lstrip(".-") or "_"
    parts = (path or f"{folder}.py").split("/")
    if not all(_PART.fullmatch(part) for part in parts):
        raise InvalidParameterValue(
            f"path: {path!r} is not relative to the extensions folder, in names of letters, digits, '.', '_' and '-'"
        )
    if parts[0] != folder or len(parts) == 1:
        parts.insert(0, folder)
    return "/".join(parts)
