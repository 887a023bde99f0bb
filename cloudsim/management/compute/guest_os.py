"""Guest operating systems and their categories: what a template may be said to hold."""

from __future__ import annotations

from typing import Any

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.compute.guest_os_list import GUEST_OS
from cloudsim.management.foundation import Foundation
from cloudsim.model import GuestOs, GuestOsCategory, Template, VirtualMachine

BUILTIN_GUEST_OS = "CentOS 5.6 (64-bit)"


class GuestOsTypes:
    """The OS types of one cloud, the well-known ones and those that operators add."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._types = foundation.table(GuestOs)
        self._categories = foundation.table(GuestOsCategory)
        self._randomness = foundation.randomness.branch("guest os")

    def seed(self) -> None:
        """Put the well-known ones."""
        with self._store.transaction():
            for name, descriptions in GUEST_OS.items():
                category = self._categories.insert(GuestOsCategory(id=self._randomness.uuid(), name=name))
                for description in descriptions:
                    self._types.insert(
                        GuestOs(id=self._randomness.uuid(), description=description, category_id=category.id)
                    )

    def named(self, description: str) -> GuestOs:
        """The type with that description. Raises InvalidParameterValue."""
        found = self._types.find("description", description)
        if found is None:
            raise InvalidParameterValue(f"There is no OS type {description}")
        return found

    def add(
        self, category: GuestOsCategory, description: str, *, name: str | None = None, display: bool = True
    ) -> GuestOs:
        """Add a type of the operator's own. `display`: whether users see it in lists."""
        self._check_description(description)
        with self._store.transaction():
            return self._types.insert(
                GuestOs(
                    id=self._randomness.uuid(),
                    description=description,
                    category_id=category.id,
                    name=name or None,
                    is_user_defined=True,
                    display=display,
                )
            )

    def update(
        self,
        guest_os: GuestOs,
        *,
        description: str | None = None,
        category: GuestOsCategory | None = None,
        display: bool | None = None,
    ) -> GuestOs:
        """Change a type; what it is called only where it is an operator's own."""
        changes: dict[str, Any] = {}
        if description is not None and description != guest_os.description:
            if not guest_os.is_user_defined:
                raise InvalidParameterValue("Unable to modify a system defined guest OS")
            self._check_description(description)
            changes["description"] = description
        if category is not None:
            changes["category_id"] = category.id
        if display is not None:
            changes["display"] = display
        with self._store.transaction():
            return self._types.update(guest_os.id, **changes)

    def remove(self, guest_os: GuestOs) -> None:
        """Remove an operator's own type that no template or instance has."""
        if not guest_os.is_user_defined:
            raise InvalidParameterValue("Unable to remove a system defined guest OS")
        users: tuple[tuple[type[Any], str], ...] = ((Template, "template"), (VirtualMachine, "instance"))
        for row_type, what in users:
            for row in self._foundation.table(row_type):
                if row.guest_os_id == guest_os.id:
                    raise ResourceInUse(f"{what.capitalize()} {row.name} has OS type {guest_os.description}")
        with self._store.transaction():
            self._types.delete(guest_os.id)

    def add_category(self, name: str, featured: bool = False) -> GuestOsCategory:
        self._check_category(name)
        with self._store.transaction():
            return self._categories.insert(
                GuestOsCategory(id=self._randomness.uuid(), name=name, featured=featured)
            )

    def update_category(
        self,
        category: GuestOsCategory,
        *,
        name: str | None = None,
        featured: bool | None = None,
        sort_key: int | None = None,
    ) -> GuestOsCategory:
        changes: dict[str, Any] = {}
        if name is not None and name != category.name:
            self._check_category(name)
            changes["name"] = name
        if featured is not None:
            changes["featured"] = featured
        if sort_key is not None:
            changes["sort_key"] = sort_key
        with self._store.transaction():
            return self._categories.update(category.id, **changes)

    def delete_category(self, category: GuestOsCategory) -> None:
        """Remove a category that no type is in."""
        if self._types.count("category_id", category.id):
            raise ResourceInUse(f"OS category {category.name} cannot be deleted: OS types are in it")
        with self._store.transaction():
            self._categories.delete(category.id)

    def _check_description(self, description: str) -> None:
        if not description.strip():
            raise InvalidParameterValue("An OS type needs a display name")
        if self._types.find("description", description) is not None:
            raise InvalidParameterValue(
                f"The specified Guest OS name : {description} already exists. Please specify a unique name"
            )

    def _check_category(self, name: str) -> None:
        if not name.strip() or self._categories.find("name", name) is not None:
            raise InvalidParameterValue(f"OS category name {name!r} is empty or used already")
