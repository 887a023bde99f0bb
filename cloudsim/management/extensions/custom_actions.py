"""Custom actions: what extensions do with instances when somebody asks for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.extensions import OPERATIONS, ProgramFailed
from cloudsim.management.extensions.action_parameters import declared, values
from cloudsim.management.extensions.extensions import Extensions, ExtensionUnavailable
from cloudsim.management.extensions.payloads import Payloads
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.roles import ROLE_TYPES, Roles
from cloudsim.model import CustomAction, Extension, VirtualMachine

ResourceType = Literal["VirtualMachine"]
RESOURCE_TYPES: tuple[ResourceType, ...] = ("VirtualMachine",)
LONGEST = 3600
"""Seconds that a custom action may take."""


class ActionResult(NamedTuple):
    """What became of a run: a message for who asked, and what the program said."""

    action: CustomAction
    success: bool
    message: str
    details: str


class CustomActions:
    """The custom actions of all extensions."""

    def __init__(self, foundation: Foundation, extensions: Extensions, payloads: Payloads, roles: Roles) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(CustomAction)
        self._vms = foundation.table(VirtualMachine)
        self._extensions = extensions
        self._payloads = payloads
        self._roles = roles
        self._randomness = foundation.randomness.branch("custom actions")

    def add(
        self,
        extension: Extension,
        *,
        name: str,
        description: str = "",
        resource_type: str | None = None,
        role_types: Sequence[str] = (),
        parameters: Sequence[Mapping[str, str]] = (),
        success_message: str = "",
        error_message: str = "",
        timeout: int | None = None,
        enabled: bool = False,
        details: Mapping[str, str] | None = None,
    ) -> CustomAction:
        """Something that the extension's program does: it is called with the action's name. Raises InvalidParameterValue."""
        if not name.strip() or name.startswith("-"):
            raise InvalidParameterValue(f"name: {name!r} is no name of a custom action")
        if name.lower() in OPERATIONS:
            raise InvalidParameterValue(f"name: {name} is what the program is asked anyway, and no custom action")
        if self._table.find(("extension_id", "name"), (extension.id, name)) is not None:
            raise InvalidParameterValue(f"name: extension {extension.name} has a custom action {name} already")
        action = CustomAction(
            id=self._randomness.uuid(),
            name=name,
            extension_id=extension.id,
            description=description,
            resource_type=None if resource_type is None else resource_type_named(resource_type),
            role_types=_role_types(role_types),
            parameters=declared(parameters),
            success_message=success_message,
            error_message=error_message,
            timeout=5 if timeout is None else _timeout(timeout),
            enabled=enabled,
            created=self._foundation.now(),
            details=dict(details or {}),
        )
        with self._store.transaction():
            return self._table.insert(action)

    def update(
        self,
        action: CustomAction,
        *,
        description: str | None = None,
        resource_type: str | None = None,
        role_types: Sequence[str] | None = None,
        parameters: Sequence[Mapping[str, str]] | None = None,
        cleanup_parameters: bool = False,
        success_message: str | None = None,
        error_message: str | None = None,
        timeout: int | None = None,
        enabled: bool | None = None,
        details: Mapping[str, str] | None = None,
        cleanup_details: bool = False,
    ) -> CustomAction:
        """Change what is given; parameters and details are in the place of those before."""
        if parameters and cleanup_parameters:
            raise InvalidParameterValue("parameters and cleanupparameters exclude each other")
        if details and cleanup_details:
            raise InvalidParameterValue("details and cleanupdetails exclude each other")
        changes: dict[str, Any] = {
            "description": description,
            "resource_type": None if resource_type is None else resource_type_named(resource_type),
            "role_types": None if role_types is None else _role_types(role_types),
            "success_message": success_message,
            "error_message": error_message,
            "timeout": None if timeout is None else _timeout(timeout),
            "enabled": enabled,
        }
        changes = {field: value for field, value in changes.items() if value is not None}
        if parameters or cleanup_parameters:
            changes["parameters"] = declared(parameters or ())
        if details or cleanup_details:
            changes["details"] = dict(details or {})
        with self._store.transaction():
            return self._table.update(action.id, **changes)

    def delete(self, action: CustomAction) -> None:
        with self._store.transaction():
            self._table.delete(action.id)

    # running

    def may_see(self, caller: Caller, action: CustomAction) -> bool:
        """Whether the caller may run it, and so is shown that it is there. A root admin is shown all."""
        if caller.is_root_admin:
            return True
        return action.enabled and self._roles.type_of(caller.account) in action.role_types

    def resource(self, caller: Caller, type_name: str | None, resource_id: str) -> VirtualMachine:
        """The resource of that type and id, which must be the caller's to operate. Raises InvalidParameterValue."""
        if type_name is None:
            raise InvalidParameterValue(f"resourcetype must be given, one of {', '.join(RESOURCE_TYPES)}")
        resource_type_named(type_name)
        vm = self._vms.get(resource_id)
        if vm is None or vm.type != "User":
            raise InvalidParameterValue(f"resourceid: there is no VirtualMachine with id {resource_id}")
        visibility.check(self._store, caller, vm)
        return vm

    def extension_for(self, vm: VirtualMachine) -> Extension | None:
        """The extension whose actions can be run for the instance."""
        return self._payloads.extension_of(vm)

    def check_run(
        self, caller: Caller, action: CustomAction, type_name: str | None, resource_id: str, given: Mapping[str, str]
    ) -> tuple[VirtualMachine, dict[str, str | int | float | bool]]:
        """The resource that the action is to be run for, and the parameters. Raises what stands against it."""
        if not self.may_see(caller, action):
            raise PermissionDenied(f"The role of {caller.account.name} may not run custom action {action.name}")
        if type_name is not None and action.resource_type not in (None, resource_type_named(type_name)):
            raise InvalidParameterValue(f"resourcetype: custom action {action.name} is for {action.resource_type}")
        vm = self.resource(caller, action.resource_type or type_name, resource_id)
        if not action.enabled:
            raise InvalidParameterValue(f"customactionid: custom action {action.name} is disabled")
        extension = self._payloads.extension_of(vm)
        if extension is None or extension.id != action.extension_id:
            mine = self._foundation.table(Extension)[action.extension_id].name
            raise InvalidParameterValue(
                f"resourceid: {vm.name} is not in a cluster that extension {mine} is registered with"
            )
        if extension.state != "Enabled":
            raise ExtensionUnavailable(f"Extension {extension.name} is disabled")
        if not self._extensions.is_ready(extension):
            raise ExtensionUnavailable(f"The program of extension {extension.name} is not ready")
        return vm, values(action.parameters, given)

    async def run(
        self, caller: Caller, action: CustomAction, vm_id: str, parameters: Mapping[str, str | int | float | bool]
    ) -> ActionResult:
        """Have the extension's program do it with the instance. A program that fails is a result, too."""
        vm = self._vms[vm_id]
        extension = self._foundation.table(Extension)[action.extension_id]
        payload = self._payloads.of(vm, extension, caller=caller)
        payload["parameters"] = dict(parameters)
        if action.details:
            payload["externaldetails"]["action"] = dict(action.details)
        try:
            answer = await self._extensions.call(extension, action.name, payload, action.timeout)
        except ProgramFailed as error:
            told = action.error_message or "Failed to run {{actionName}} for {{resourceName}}"
            return ActionResult(action, False, _fill(told, action, extension, vm), str(error))
        told = action.success_message or "Successfully completed {{actionName}} for {{resourceName}}"
        return ActionResult(action, True, _fill(told, action, extension, vm), _printed(answer))


def resource_type_named(text: str) -> ResourceType:
    """The resource type of that name, in any case. InvalidParameterValue for another."""
    for name in RESOURCE_TYPES:
        if name.lower() == text.strip().lower():
            return name
    raise InvalidParameterValue(
        f"resourcetype: {text!r} has no custom actions; these have: {', '.join(RESOURCE_TYPES)}"
    )


def _role_types(names: Sequence[str]) -> tuple[str, ...]:
    spelled = {each.lower(): each for each in ROLE_TYPES}
    for name in names:
        if name.replace(" ", "").lower() not in spelled:
            raise InvalidParameterValue(f"allowedroletypes: {name!r} is none of {', '.join(ROLE_TYPES)}")
    return tuple(dict.fromkeys(spelled[name.replace(" ", "").lower()] for name in names))


def _timeout(seconds: int) -> int:
    if not 1 <= seconds <= LONGEST:
        raise InvalidParameterValue(f"timeout: expected seconds from 1 to {LONGEST}, got {seconds}")
    return seconds


def _fill(text: str, action: CustomAction, extension: Extension, vm: VirtualMachine) -> str:
    """The message with what its placeholders stand for."""
    for name, value in (
        ("actionName", action.name),
        ("extensionName", extension.name),
        ("resourceName", vm.display_name or vm.name),
    ):
        text = text.replace("{{" + name + "}}", value)
    return text


def _printed(answer: Mapping[str, Any]) -> str:
    """What the program wants shown: its message, where `printmessage` is true."""
    if str(answer.get("printmessage", "")).lower() != "true":
        return ""
    said = answer.get("message", "")
    return said if isinstance(said, str) else json.dumps(said)
