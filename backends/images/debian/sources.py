"""Where Debian comes from: the mirrors that this machine's own apt uses."""

from __future__ import annotations

from dataclasses import dataclass

from backends.images.errors import ImageError
from backends.images.tools import run

_FIELDS = ("ORIGIN", "CODENAME", "RELEASE", "COMPONENT", "REPO_URI", "ARCHITECTURE")


@dataclass(frozen=True)
class Source:
    """One line of sources.list."""

    uri: str
    suite: str
    component: str

    def __str__(self) -> str:
        return f"deb {self.uri} {self.suite} {self.component}"


def sources(release: str) -> list[Source]:
    """This machine's mirrors, with what they have of a release of Debian (a code name, such as bookworm)."""
    template = "|".join(f"$({field})" for field in _FIELDS)
    return of_release(
        run("asking apt", ["apt-get", "indextargets", "--format", template, "Created-By: Packages"]), release
    )


def of_release(targets: str, release: str) -> list[Source]:
    """The same, from what `apt-get indextargets` prints: Debian's main, in its order, without doubles."""
    rows = [dict(zip(_FIELDS, line.split("|"), strict=True)) for line in targets.splitlines() if line]
    debian = [row for row in rows if row["ORIGIN"] == "Debian" and row["COMPONENT"] == "main"]
    own = min((row["CODENAME"] for row in debian), key=len, default="")  # bookworm, not bookworm-updates
    found = [
        Source(row["REPO_URI"], row["CODENAME"].replace(own, release, 1), row["COMPONENT"])
        for row in debian
        if row["ARCHITECTURE"] == "amd64" and row["CODENAME"].startswith(own)
    ]
    if not found:
        raise ImageError(
            "apt uses no mirror of Debian for amd64 here, or does not know yet what it has: "
            "sudo apt-get update"
        )
    return list(dict.fromkeys(found))
