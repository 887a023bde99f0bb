"""Passwords of instances whose template takes one: made here, kept until the guest has been given it, then forgotten.

The only place that tells a password is the result of the job that set it.
"""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.model import Template, VirtualMachine
from cloudsim.randomness import Randomness

LOWER, UPPER, DIGITS = "abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"
"""Without the characters that are easily taken for one another: l and I and 1, o and O and 0."""


def generate(randomness: Randomness, length: int) -> str:
    """A random password with a lower case letter, an upper case letter and a digit in it. `length` is at least 3."""
    kinds = [LOWER, UPPER, DIGITS] + [LOWER + UPPER + DIGITS] * (length - 3)
    characters = [kind[_below(randomness, len(kind))] for kind in kinds]
    for last in range(len(characters) - 1, 0, -1):  # shuffled, so that no place has a known kind
        other = _below(randomness, last + 1)
        characters[last], characters[other] = characters[other], characters[last]
    return "".join(characters)


def _below(randomness: Randomness, limit: int) -> int:
    """A number from 0 to below `limit`, at most 256, each as likely as any other."""
    while True:
        byte = randomness.secret(1)[0]
        if byte < 256 - 256 % limit:
            return byte % limit


class VmPasswords:
    """Gives instances passwords."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._vms = foundation.table(VirtualMachine)
        self._templates = foundation.table(Template)
        self._randomness = foundation.randomness.branch("vm passwords")

    def for_template(self, template: Template | None, wanted: str | None = None) -> str | None:
        """A password for an instance of the template: `wanted`, or a new one; None where it takes none.

        Raises InvalidParameterValue for one that cannot be given to a guest.
        """
        if template is None or not template.password_enabled:
            if wanted:
                raise InvalidParameterValue("A password cannot be set: the template is not password enabled")
            return None
        if not wanted:
            return generate(self._randomness, self._foundation.settings.integer("vm.password.length"))
        if not wanted.isprintable() or wanted != wanted.strip():
            raise InvalidParameterValue("A password has no control characters, and no blanks at its ends")
        return wanted

    def check_reset(self, vm: VirtualMachine, wanted: str | None = None) -> str:
        """The password that the instance is to get. Raises what stands against giving it one."""
        password = self.for_template(self._templates.get(vm.template_id), wanted)
        if password is None:
            raise InvalidParameterValue(
                f"Fail to reset password for the virtual machine {vm.name}, the template is not password enabled"
            )
        if vm.state != "Stopped":
            raise InvalidParameterValue(
                f"Vm {vm.name} should be stopped to do password reset; it is in state {vm.state}"
            )
        return password

    async def reset(self, caller: Caller, vm_id: str, password: str) -> VirtualMachine:
        """Have the instance's guest set the password at its next start; records VM.RESETPASSWORD."""
        vm = self._vms[vm_id]
        self.check_reset(vm, password)
        with self._store.transaction():
            vm = self._vms.update(vm_id, password=password)
            self._foundation.events.record_of(
                vm, "VM.RESETPASSWORD", f"Successfully reset the password of Vm. Vm Id: {vm.id}", caller
            )
        return vm
