"""Comments that people leave on things: on their own, and admins on everything."""

from __future__ import annotations

from collections.abc import Sequence

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import Caller
from cloudsim.management.operations.this_server import SERVER_ID, SERVER_NAME
from cloudsim.model import (
    Annotation,
    Cluster,
    DiskOffering,
    Domain,
    Host,
    ImageStore,
    InstanceGroup,
    Network,
    NetworkOffering,
    Pod,
    PublicIp,
    ServiceOffering,
    Snapshot,
    SshKeyPair,
    StoragePool,
    Template,
    User,
    UserData,
    VirtualMachine,
    VmSnapshot,
    Volume,
    Vpc,
    VpnCustomerGateway,
    Zone,
)
from cloudsim.store import Row

_USERS: dict[str, type[Row]] = {
    "VM": VirtualMachine,
    "VOLUME": Volume,
    "SNAPSHOT": Snapshot,
    "VM_SNAPSHOT": VmSnapshot,
    "INSTANCE_GROUP": InstanceGroup,
    "SSH_KEYPAIR": SshKeyPair,
    "USER_DATA": UserData,
    "NETWORK": Network,
    "VPC": Vpc,
    "PUBLIC_IP_ADDRESS": PublicIp,
    "VPN_CUSTOMER_GATEWAY": VpnCustomerGateway,
    "TEMPLATE": Template,
    "ISO": Template,
}
_ADMINS: dict[str, type[Row]] = {
    "SERVICE_OFFERING": ServiceOffering,
    "DISK_OFFERING": DiskOffering,
    "NETWORK_OFFERING": NetworkOffering,
    "ZONE": Zone,
    "POD": Pod,
    "CLUSTER": Cluster,
    "HOST": Host,
    "DOMAIN": Domain,
    "PRIMARY_STORAGE": StoragePool,
    "SECONDARY_STORAGE": ImageStore,
    "VR": VirtualMachine,
    "SYSTEM_VM": VirtualMachine,
}
ENTITY_TYPES: dict[str, type[Row]] = {**_USERS, **_ADMINS}
"""CloudStack's name of what can carry comments -> its rows. The second half is admins' only."""
SERVER = "MANAGEMENT_SERVER"
"""What carries comments and is no row; they too are admins' only."""


class Annotations:
    """Adds, shows, hides and removes comments."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(Annotation)
        self._randomness = foundation.randomness.branch("annotations")

    def entity(self, caller: Caller, entity_type: str | None, entity_id: str | None) -> tuple[str, str]:
        """The kind and id of what the comments are on. Raises unless it exists and the caller may comment on it."""
        name = (entity_type or "").upper()
        if name == SERVER:
            if not caller.is_root_admin:
                raise PermissionDenied(f"{caller.account.name} cannot comment on a {name}")
            if entity_id != SERVER_ID:
                raise InvalidParameterValue(f"Parameter entityid: there is no {name} with id {entity_id}")
            return name, SERVER_ID
        if name not in ENTITY_TYPES:
            kinds = ", ".join((*ENTITY_TYPES, SERVER))
            raise InvalidParameterValue(f"Parameter entitytype is {entity_type!r}: comments are left on {kinds}")
        row = self._foundation.table(ENTITY_TYPES[name]).get(entity_id)
        if row is None or (name in ("VM", "VR", "SYSTEM_VM") and (name == "VM") != (getattr(row, "type", "") == "User")):
            raise InvalidParameterValue(f"Parameter entityid: there is no {name} with id {entity_id}")
        if name in _ADMINS and not caller.is_root_admin:
            raise PermissionDenied(f"{caller.account.name} cannot comment on a {name}")
        visibility.check(self._store, caller, row, operate=name not in ("TEMPLATE", "ISO", "NETWORK"))
        return name, row.id

    def add(
        self, caller: Caller, entity_type: str | None, entity_id: str | None, text: str | None, admins_only: bool
    ) -> Annotation:
        """Leave a comment."""
        name, on = self.entity(caller, entity_type, entity_id)
        if not text or not text.strip():
            raise InvalidParameterValue("Parameter annotation: a comment cannot be empty")
        if admins_only and not caller.is_root_admin:
            raise PermissionDenied("Only root admins leave comments for admins only")
        if caller.user_id is None:
            raise PermissionDenied("A comment needs a user who leaves it")
        with self._store.transaction():
            return self._table.insert(
                Annotation(
                    id=self._randomness.uuid(),
                    entity_type=name,
                    entity_id=on,
                    text=text,
                    user_id=caller.user_id,
                    admins_only=admins_only,
                    created=self._foundation.now(),
                )
            )

    def readable(self, caller: Caller, rows: Sequence[Annotation]) -> list[Annotation]:
        """Those of the comments that the caller may read."""
        if caller.is_root_admin:
            return list(rows)
        return [row for row in rows if not row.admins_only and self._on_ones_own(caller, row)]

    def _on_ones_own(self, caller: Caller, row: Annotation) -> bool:
        if row.entity_type not in _USERS:
            return False
        entity = self._foundation.table(ENTITY_TYPES[row.entity_type]).get(row.entity_id)
        return entity is not None and visibility.may(self._store, caller, entity, operate=False)

    def name_of(self, row: Annotation) -> str | None:
        """What the thing that it is on is called."""
        if row.entity_type == SERVER:
            return SERVER_NAME
        entity = self._foundation.table(ENTITY_TYPES[row.entity_type]).get(row.entity_id)
        name = getattr(entity, "name", None) or getattr(entity, "ip", None)
        return None if name is None else str(name)

    def check_change(self, caller: Caller, row: Annotation) -> None:
        """Raise PermissionDenied unless the caller wrote the comment, or is an admin over who did."""
        author = self._foundation.table(User).get(row.user_id)
        mine = row.user_id == caller.user_id or (
            caller.is_admin and author is not None and visibility.may(self._store, caller, author, operate=True)
        )
        if not mine and not caller.is_root_admin:
            raise PermissionDenied(f"Comment {row.id} is somebody else's")

    def show(self, caller: Caller, row: Annotation, admins_only: bool) -> Annotation:
        """Have only admins see the comment, or everyone who sees what it is on."""
        if not caller.is_root_admin:
            raise PermissionDenied("Only root admins decide who sees a comment")
        with self._store.transaction():
            return self._table.update(row.id, admins_only=admins_only)

    def remove(self, row: Annotation) -> None:
        with self._store.transaction():
            self._table.delete(row.id)
