"""Where templates, ISOs and volumes can be fetched from."""

from __future__ import annotations

from urllib.parse import urlsplit

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.identity.caller import Caller

SCHEMES = ("http", "https", "ftp", "nfs", "file", "metalink")
OF_THE_HOSTS = frozenset({"nfs", "file"})
"""Schemes that name files which hosts can read, also those that are nobody's template."""


def check_source(caller: Caller, url: str) -> None:
    """Raise InvalidParameterValue or PermissionDenied for a URL that the caller cannot have fetched."""
    scheme = check_url(url)
    if scheme in OF_THE_HOSTS and not caller.is_root_admin:
        raise PermissionDenied(f"Only root admins can register from {scheme}:// URLs, which hosts read")


def check_url(url: str) -> str:
    """The URL's scheme. Raises InvalidParameterValue for what a host cannot download."""
    try:
        parts = urlsplit(url.strip())
        scheme = parts.scheme.lower()
        known = scheme in SCHEMES and (parts.netloc or scheme == "file")
    except ValueError:
        known = False
    if not known:
        raise InvalidParameterValue(
            f"Invalid URL: {url[:200]}. Its scheme must be one of {', '.join(SCHEMES)}"
        )
    return scheme
