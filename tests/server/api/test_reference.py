"""docs/api.md is what the declarations say."""

from pathlib import Path

from server.api.reference import reference

WRITTEN = Path(__file__).parents[3] / "docs" / "api.md"


def test_the_written_reference_is_that_of_the_commands() -> None:
    assert WRITTEN.read_text() == reference(), "run: python -m server.api.reference > docs/api.md"
