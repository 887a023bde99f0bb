"""What can go wrong in a cloud, in CloudStack's own kinds.

`errorcode` is the HTTP status that the public API answers with, `cserrorcode` CloudStack's finer
number for the exception kind. Management code raises these; the API door turns them into answers.
"""

from __future__ import annotations

from typing import ClassVar


class CloudError(Exception):
    """A failure with a text meant for the caller. The base kind is an internal error (530)."""

    errorcode: ClassVar[int] = 530
    cserrorcode: ClassVar[int] = 4250

    def __init__(self, text: str, *, uuids: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.uuids = uuids


class MalformedParameter(CloudError):
    """A parameter that cannot be read at all, such as a broken map index."""

    errorcode = 430
    cserrorcode = 9999


class InvalidParameterValue(CloudError):
    """A parameter whose value is missing, out of range, or names nothing that exists."""

    errorcode = 431
    cserrorcode = 4350


class UnsupportedCommand(CloudError):
    """A command, or a use of one, that this cloud does not have."""

    errorcode = 432
    cserrorcode = 9999


class AuthenticationFailed(CloudError):
    """Unknown key, bad signature, dead session, or a command the caller's role does not allow."""

    errorcode = 401
    cserrorcode = 4290


class SecondFactorRequired(CloudError):
    """The caller's session needs the user's second factor, or has been given a wrong one."""

    errorcode = 511
    cserrorcode = 9999


class RequestLimitExceeded(CloudError):
    """The caller's account has called as often as it may for the moment."""

    errorcode = 429
    cserrorcode = 9999


class PermissionDenied(CloudError):
    """The caller is known but may not do this to that object."""

    errorcode = 531
    cserrorcode = 4365


class ServerStopping(CloudError):
    """The management server is shutting down and takes no new work."""

    errorcode = 503
    cserrorcode = 9999


class ServerBusy(CloudError):
    """The management server has as much of this kind of work as it takes on; later it may have less."""

    errorcode = 503
    cserrorcode = 9999


class InsufficientCapacity(CloudError):
    """No host, pool or address range can hold what was asked for."""

    errorcode = 533
    cserrorcode = 4325


class InsufficientAddressCapacity(InsufficientCapacity):
    """A network's address range has no free address left."""

    cserrorcode = 4320


class ResourceUnavailable(CloudError):
    """The object exists but cannot serve now: its host is down, its agent does not answer."""

    errorcode = 534
    cserrorcode = 4380


class ResourceAllocationFailed(CloudError):
    """A resource limit of the account, project or domain would be exceeded."""

    errorcode = 535
    cserrorcode = 4370


class ResourceInUse(CloudError):
    """The object cannot be deleted or changed while something uses it."""

    errorcode = 536
    cserrorcode = 4375


class RuleConflict(CloudError):
    """A network rule overlaps an existing one."""

    errorcode = 537
    cserrorcode = 4360


class ConcurrentOperation(CloudError):
    """Another operation changed the object first."""

    errorcode = 530
    cserrorcode = 4300


class StorageFailed(CloudError):
    """A host could not do something with a disk; the text is the host's."""
