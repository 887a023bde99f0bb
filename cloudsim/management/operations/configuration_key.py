"""What a configuration key is, and what it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from cloudsim.errors import InvalidParameterValue

Kind = Literal["string", "integer", "number", "boolean"]


class ConfigurationKey(msgspec.Struct, frozen=True):
    """A setting that exists. `minimum` and `maximum` bound numbers, `choices` strings.

    `checked_by` raises InvalidParameterValue for a string that will not do.
    """

    name: str
    default: str
    kind: Kind
    description: str
    category: str = "Advanced"
    scopes: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    checked_by: Callable[[str], None] | None = None

    def check(self, value: str) -> None:
        """Raise InvalidParameterValue, saying what the key takes, unless it takes `value`."""
        if self.kind == "boolean":
            if value.lower() not in ("true", "false"):
                raise InvalidParameterValue(f"{self.name} takes true or false, not {value!r}")
        elif self.kind != "string":
            try:
                number = int(value) if self.kind == "integer" else float(value)
            except ValueError:
                raise InvalidParameterValue(
                    f"{self.name} takes a{'n' if self.kind == 'integer' else ''} {self.kind}, not {value!r}"
                ) from None
            if (
                number != number
                or (self.minimum is not None and number < self.minimum)
                or (self.maximum is not None and number > self.maximum)
            ):
                raise InvalidParameterValue(
                    f"{self.name} takes a value from {self.minimum} to {self.maximum}, not {value!r}"
                )
        elif self.choices and value not in self.choices:
            raise InvalidParameterValue(f"{self.name} takes one of {', '.join(self.choices)}, not {value!r}")
        elif self.checked_by is not None:
            try:
                self.checked_by(value)
            except InvalidParameterValue as error:
                raise InvalidParameterValue(f"{self.name}: {error.text}") from error
