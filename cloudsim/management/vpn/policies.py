"""What two IPsec peers agree on, as CloudStack writes it: encryption-hash[;group], and several of them by commas."""

from __future__ import annotations

import re

from cloudsim.errors import InvalidParameterValue

ENCRYPTION = ("3des", "aes128", "aes192", "aes256")
HASH = ("md5", "sha1", "sha256", "sha384", "sha512")
GROUPS = (
    "modp1024",
    "modp1536",
    "modp2048",
    "modp3072",
    "modp4096",
    "modp6144",
    "modp8192",
    "modp1024s160",
    "modp2048s224",
    "modp2048s256",
    "ecp256",
    "ecp384",
    "ecp521",
)
"""Diffie-Hellman groups (RFC 2409, 3526, 5114, 5903) as strongSwan calls them."""
IKE_VERSIONS = ("ike", "ikev1", "ikev2")
LONGEST_LIFETIME = 86_400
_PROPOSAL = re.compile(r"([a-z0-9]+)-([a-z0-9]+)(?:;([a-z0-9]+))?\Z")


def check_policy(kind: str, text: str, *, group_required: bool) -> str:
    """The policy without blanks. Raises InvalidParameterValue; `kind` is IKE or ESP."""
    policy = text.replace(" ", "").lower()
    for proposal in policy.split(","):
        found = _PROPOSAL.match(proposal)
        if found is None or found[1] not in ENCRYPTION or found[2] not in HASH:
            raise InvalidParameterValue(
                f"The customer gateway {kind} policy {text} is invalid! It is encryption-hash;group, with one of "
                f"{', '.join(ENCRYPTION)}, and one of {', '.join(HASH)}"
            )
        if found[3] is not None and found[3] not in GROUPS:
            raise InvalidParameterValue(
                f"The customer gateway {kind} policy {text} is invalid! A group is one of {', '.join(GROUPS)}"
            )
        if group_required and found[3] is None:
            raise InvalidParameterValue(
                f"The customer gateway {kind} policy {text} is invalid! Verify the required Diffie Hellman (DH) "
                "group is specified."
            )
    return policy


def check_lifetime(kind: str, seconds: int | None, default: int) -> int:
    """Seconds until keys are agreed on anew. Raises InvalidParameterValue."""
    if seconds is None:
        return default
    if not 0 < seconds <= LONGEST_LIFETIME:
        raise InvalidParameterValue(
            f"The {kind} lifetime {seconds} of vpn connection is invalid! It is from 1 to {LONGEST_LIFETIME} s"
        )
    return seconds


def check_ike_version(text: str | None) -> str:
    """The IKE version. Raises InvalidParameterValue."""
    version = (text or "ike").strip().lower()
    if version not in IKE_VERSIONS:
        raise InvalidParameterValue(f"The IKE version {text} is invalid; there are {', '.join(IKE_VERSIONS)}")
    return version
