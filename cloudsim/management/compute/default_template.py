"""The template of instances that were made of none: imported ones, and those of a volume or snapshot without one."""

from __future__ import annotations

from cloudsim.management.foundation import Foundation
from cloudsim.model import Account, GuestOs, Template

DEFAULT_TEMPLATE = "kvm-default-vm-import-dummy-template"
"""Its name in CloudStack."""
OTHER_OS = "Other (64-bit)"


class DefaultTemplates:
    """One template for each hypervisor; nothing can be deployed of it."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._templates = foundation.table(Template)
        self._randomness = foundation.randomness.branch("default templates")

    def of(self, hypervisor: str) -> Template:
        """The hypervisor's, made if there is none. Needs an open transaction."""
        for template in self._templates.where("name", DEFAULT_TEMPLATE):
            if template.hypervisor == hypervisor and template.type == "SYSTEM":
                return template
        guest_os = self._foundation.table(GuestOs).find("description", OTHER_OS)
        owner = next(a for a in self._foundation.table(Account) if a.name == "system")
        return self._templates.insert(
            Template(
                id=self._randomness.uuid(),
                name=DEFAULT_TEMPLATE,
                display_text="VM Import Default Template",
                account_id=owner.id,
                domain_id=owner.domain_id,
                format="QCOW2",
                hypervisor=hypervisor,
                guest_os_id=guest_os.id if guest_os is not None else "",
                type="SYSTEM",
                state="Inactive",
                created=self._foundation.now(),
            )
        )
