"""What an operator or a user does with instances in the middle of a run, as data.

    operations:
      - {operation: migrate, request: 3, at: 40, host: "*host-2"}
      - {operation: start, request: 1, at: 90}

`request` is the how-many-th of the workload, from 1; `at` is in seconds from the beginning of the study.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class _Operation(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="operation", tag=str.lower, forbid_unknown_fields=True
):
    request: Annotated[int, Meta(ge=1)]
    at: Annotated[float, Meta(ge=0)]


class Migrate(_Operation, frozen=True, kw_only=True):
    """Move the instance to the host of that name (`*` and `?` as in file names), or where the planner says."""

    host: str | None = None


class Start(_Operation, frozen=True, kw_only=True):
    """Start the stopped instance."""


class Stop(_Operation, frozen=True, kw_only=True):
    """Stop the instance; `forced` pulls the plug."""

    forced: bool = False


class Reboot(_Operation, frozen=True, kw_only=True):
    """Restart the guest."""


Operation = Migrate | Start | Stop | Reboot


class OperationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an operation: `error` None when it succeeded. Times in seconds from the beginning of the study."""

    operation: str
    request: int
    began: float
    ended: float
    error: str | None = None
