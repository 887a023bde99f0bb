"""What software made a result: versions of packages, and digests of the source that decides where instances go."""

from __future__ import annotations

import hashlib
import inspect
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cloudsim
from cloudsim.placement.naming import policy_class, split

PRESENTING = ("plots", "page", "report", "figures", "tables", "latex", "writing", "analysis", "statistics", "warmup")
"""Modules of experiments that show what runs have found, and have no part in it."""

PACKAGES = ("numpy", "numba", "scipy", "msgspec", "pyarrow", "simpy", "joblib", "matplotlib")


def versions() -> dict[str, str]:
    """Versions by name; `source` is the digest of cloudsim's own Python files."""
    found = {"cloudsim": cloudsim.__version__, "source": source_digest(), "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


@cache
def source_digest() -> str:
    """The SHA-256 of cloudsim's Python files, so that a changed line makes another run; PRESENTING ones do not count."""
    folder = Path(str(cloudsim.__file__)).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        if path.stem in PRESENTING and "experiment" in path.parts:
            continue
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def policy_digest(policy: str) -> str:
    """The digest of the file that a policy from elsewhere is in; empty for one of cloudsim's own."""
    kind = policy_class(split(policy)[0])
    if kind.__module__.startswith("cloudsim."):
        return ""
    file = inspect.getsourcefile(kind)
    return "" if file is None else hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, or of the names and bytes of all files of a folder."""
    digest = hashlib.sha256()
    for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if each.is_file():
            digest.update(each.name.encode() + b"\0")
            with each.open("rb") as data:
                while part := data.read(1 << 20):
                    digest.update(part)
    return digest.hexdigest()
