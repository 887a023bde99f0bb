"""Programs of the operator's that the cloud calls: extensions, what they are registered with, and their custom actions."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from cloudsim.store import Keys, Row

ParameterType = Literal["STRING", "NUMBER", "BOOLEAN", "DATE"]
ValidationFormat = Literal["NONE", "UUID", "EMAIL", "PASSWORD", "URL", "DECIMAL"]


class Extension(Row, frozen=True, kw_only=True):
    """An executable below the extensions folder, at `path` relative to it, and what it is told at every call (`details`).

    `prepares`: it is asked before an instance is started whether it wants some of the instance to be otherwise.
    """

    keys: ClassVar[Keys] = Keys(unique=("name",))

    name: str
    path: str
    description: str = ""
    type: Literal["Orchestrator"] = "Orchestrator"
    state: Literal["Enabled", "Disabled"] = "Enabled"
    prepares: bool = False
    created: float = 0.0
    details: dict[str, str] = {}


class ExtensionResource(Row, frozen=True, kw_only=True):
    """A cluster that an extension is registered with, and what the extension is told of it."""

    keys: ClassVar[Keys] = Keys(indexes=("extension_id",), unique=("resource_id",))

    extension_id: str
    resource_id: str
    resource_type: Literal["Cluster"] = "Cluster"
    created: float = 0.0
    details: dict[str, str] = {}


class ActionParameter(msgspec.Struct, frozen=True):
    """What may or must be said when a custom action is run. `options`: the only values, where there are any."""

    name: str
    type: ParameterType = "STRING"
    format: ValidationFormat = "NONE"
    required: bool = False
    options: tuple[str, ...] = ()


class CustomAction(Row, frozen=True, kw_only=True):
    """Something that an extension does with a resource when it is asked to. `timeout` in seconds.

    Role types in `role_types` may run it beside root admins. The messages are told to who runs it.
    """

    keys: ClassVar[Keys] = Keys(indexes=("extension_id",), unique=(("extension_id", "name"),))

    name: str
    extension_id: str
    description: str = ""
    resource_type: Literal["VirtualMachine"] | None = None
    role_types: tuple[str, ...] = ()
    parameters: tuple[ActionParameter, ...] = ()
    success_message: str = ""
    error_message: str = ""
    timeout: int = 5
    enabled: bool = False
    created: float = 0.0
    details: dict[str, str] = {}


class ExternalInstance(Row, frozen=True, kw_only=True):
    """An instance that an extension has created on the host of that id, or (`made` false) has been asked to.

    It is there until the extension has deleted the instance.
    """

    keys: ClassVar[Keys] = Keys(indexes=("extension_id",), unique=("vm_id",))

    vm_id: str
    extension_id: str
    host_id: str
    made: bool = False
    created: float = 0.0
