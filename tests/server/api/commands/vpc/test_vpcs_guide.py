"""docs/vpcs.md shows what really happens."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

from tests.server.api.commands.vpc.vpc_api import VpcApi

GUIDE = Path(__file__).parents[5] / "docs" / "vpcs.md"


class Cloud:
    """Commands as methods, as the client `cs` has them."""

    def __init__(self, api: VpcApi) -> None:
        self._call = api.admin

    def __getattr__(self, command: str) -> Any:
        return lambda **parameters: self._call(command, **parameters)


def test_what_the_guide_shows_is_so(api: VpcApi) -> None:
    result = doctest.testfile(str(GUIDE), module_relative=False, globs={"cloud": Cloud(api)})
    assert result.attempted > 20 and result.failed == 0
