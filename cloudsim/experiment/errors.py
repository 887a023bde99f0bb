"""What can be wrong with an experiment before it starts."""

from __future__ import annotations


class ExperimentError(ValueError):
    """A scenario or trace that cannot be run; the text says where it is wrong and what was expected."""


class ScenarioError(ExperimentError):
    """A scenario that is not right: `file:line: key: what was expected`."""


class TraceError(ExperimentError):
    """A trace that is not right: `file:line: column: what was expected`. Rows count from 1."""
