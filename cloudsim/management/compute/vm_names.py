"""What instances are called: host names that owners choose, and the names by which hosts know them."""

from __future__ import annotations

import re

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.model import VirtualMachine

INSTANCE_NAME = re.compile(r"i-2-(\d+)-")
HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)\Z")


class VmNames:
    """The names that the instances of one cloud have, and may get."""

    def __init__(self, foundation: Foundation) -> None:
        self._settings = foundation.settings
        self._vms = foundation.table(VirtualMachine)
        self._number = 0
        for vm in self._vms:
            numbered = INSTANCE_NAME.match(vm.instance_name)  # which an imported one's need not be
            if numbered is not None:
                self._number = max(self._number, int(numbered[1]))

    def check_host_name(self, name: str, owner_id: str, zone_id: str) -> None:
        """Raise InvalidParameterValue unless the owner may have an instance of that host name in the zone."""
        if not HOST_NAME.match(name) or name.isdigit():
            raise InvalidParameterValue(
                "Invalid name. Vm name can contain ASCII letters 'a' through 'z', the digits '0' through '9', "
                "and the hyphen ('-'), must be between 1 and 63 characters long, and can't start or end with '-' "
                "and can't be only digits"
            )
        for other in self._vms.where("name", name):
            if other.account_id == owner_id and other.zone_id == zone_id:
                raise InvalidParameterValue(f"The vm with hostName {name} already exists for the account")

    def next_instance_name(self) -> str:
        """The next one that no instance has."""
        while True:
            self._number += 1
            name = f"i-2-{self._number}-{self._settings.get('instance.name')}"
            if self._vms.find("instance_name", name) is None:
                return name
