"""Results that were made elsewhere: folders that `cloudsim run --out` and `cloudsim compare --out` have written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from server.simulation.experiments.record import FILE

MOST = 1000
"""How many are looked for."""
_DEPTH = 2


class Found(NamedTuple):
    """A folder of results. `name` is its path below where it was looked for; `created` Unix seconds."""

    id: str
    name: str
    kind: Literal["run", "comparison"]
    folder: Path
    created: float


def found_in(roots: Sequence[Path]) -> list[Found]:
    """All results at or below these folders, a few levels deep, the newest first."""
    found: list[Found] = []
    for root in roots:
        for folder in _folders(root, _DEPTH):
            kind = _kind(folder)
            if kind is not None:
                name = folder.name if folder == root else str(folder.relative_to(root))
                file = folder / ("summary.json" if kind == "run" else "runs.parquet")
                number = str(uuid5(NAMESPACE_URL, folder.resolve().as_uri()))
                found.append(Found(number, name, kind, folder, file.stat().st_mtime))
            if len(found) >= MOST:
                break
    return sorted(found, key=lambda each: -each.created)


def _folders(root: Path, depth: int) -> Iterator[Path]:
    """The folder and those below it, but no experiment's of a server and nothing inside of results."""
    try:
        if not root.is_dir() or (root / FILE).exists():
            return
        yield root
        if depth and _kind(root) is None:
            for each in sorted(root.iterdir()):
                if each.is_dir() and not each.is_symlink():
                    yield from _folders(each, depth - 1)
    except OSError:  # one that may not be read, or has gone meanwhile
        return


def _kind(folder: Path) -> Literal["run", "comparison"] | None:
    if (folder / "summary.json").is_file() and (folder / "samples.parquet").is_file():
        return "run"
    if (folder / "spec.yaml").is_file() and (folder / "runs.parquet").is_file():
        return "comparison"
    return None
