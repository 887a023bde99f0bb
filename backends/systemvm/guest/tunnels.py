"""Which site-to-site VPNs are up, as strongSwan says."""

from __future__ import annotations

import re
from pathlib import Path

from backends.systemvm.guest.commands import tried

_SITE = re.compile(r"list-sa event \{(\S+) \{")


def sites_up(root: Path) -> list[str]:
    """Ids of the sites with an established tunnel; none where strongSwan does not run."""
    found = []
    for line in asked(root, "--list-sas").splitlines():
        match = _SITE.match(line)
        if match and "state=ESTABLISHED" in line and "state=INSTALLED" in line:
            found.append(match[1])
    return list(dict.fromkeys(found))


def asked(root: Path, command: str) -> str:
    """What swanctl prints raw; "" where strongSwan does not run."""
    control = root / "charon.vici"
    if not control.exists():
        return ""
    code, output, _ = tried(["swanctl", command, "--raw", "--uri", f"unix://{control}"])
    return output if code == 0 else ""
