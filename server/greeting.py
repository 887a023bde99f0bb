"""What `cloudsim serve` says when it is ready."""

from __future__ import annotations

from collections.abc import Iterator

from cloudsim import __version__
from cloudsim.model import Host, Zone
from server.credentials import DEFAULT_PASSWORD, Given
from server.data_folder import DataFolder
from server.running import RunningCloud


def greeting(
    cloud: RunningCloud, folder: DataFolder, url: str, given: Given, trusted: str | None
) -> Iterator[str]:
    """Lines: where it is, who logs in, what to try."""
    hosts = cloud.store.table(Host)
    up = f"{hosts.count('state', 'Up')} of {len(hosts)} hosts up, " if not cloud.is_new else f"{len(hosts)} hosts, "
    yield f"cloudsim {__version__}: {up}{_count(len(cloud.store.table(Zone)), 'zone')}, {cloud.world.hypervisor}"
    yield f"  Browser and API  {url}  (the API at /client/api)"
    if trusted is not None:
        yield f"  Without keys     {trusted}/client/api  (this machine only: whoever calls it is root)"
    yield f"  Admin            {_admin(cloud, folder, given)}"
    for word, text in cloud.site.greeting():
        yield f"  {word:<16} {text}"
    yield f"  Try              CLOUDSTACK_CONFIG={folder.handover.ini} cs listZones"
    yield "  Stop             Ctrl-C or SIGTERM; the cloud is kept and goes on with the next start"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _admin(cloud: RunningCloud, folder: DataFolder, given: Given) -> str:
    where = f"keys and password in {folder.handover.json}"
    if not cloud.is_new:
        ignored = " (CLOUDSIM_ADMIN_... counts at the first start only)" if given else ""
        return where + ignored
    if given.password is not None:
        return f"admin, with the password of CLOUDSIM_ADMIN_PASSWORD; {where}"
    if folder.handover.password == DEFAULT_PASSWORD:
        return f"admin / {DEFAULT_PASSWORD}, as only this machine gets here; {where}"
    return f"admin, with a random password; {where}"
