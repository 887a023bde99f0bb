"""Whether a request comes from whom it says: API key and signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

from cloudsim.errors import AuthenticationFailed
from cloudsim.model import User
from cloudsim.store import Store
from server.api.parameters import parse_date
from server.api.request import Request

REFUSED = "unable to verify user credentials and/or request signature"
LONGEST = 15 * 60.0
"""Seconds that an enforced expiry may lie ahead."""


def canonical(sent: Mapping[str, str], safe: str = "*") -> str:
    """What is signed: parameters but the signature, sorted by name, values URL-encoded, all in lower case.

    `safe` are the characters that the client leaves bare besides letters, digits and `-_.`.
    """
    names = sorted(name for name in sent if name.lower() != "signature")
    return "&".join(f"{name}={_encode(sent[name], safe)}" for name in names).lower()


def _encode(value: str, safe: str) -> str:
    encoded = quote(value, safe=safe)
    return encoded if "~" in safe else encoded.replace("~", "%7E")


def sign(text: str, secret: str) -> str:
    """HMAC-SHA1 of the canonical text, in base64."""
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


_VARIANTS = ("*", "*~", "~", "", "*[]", "*~[]", "~[]", "*~[]/", "/")
"""Java's encoding first; then those of clients that leave `~`, `[ ]` or `/` bare, or encode `*`."""


def signature_matches(sent: Mapping[str, str], signature: str, secret: str) -> bool:
    """Whether the signature is one that a client could have made of these parameters with that secret."""
    given = signature.strip().replace(" ", "+")
    tried: set[str] = set()
    folded = {name.lower(): value for name, value in sent.items()}
    for parameters in (sent, folded):
        for safe in _VARIANTS:
            text = canonical(parameters, safe)
            if text not in tried:
                tried.add(text)
                if hmac.compare_digest(sign(text, secret).encode(), given.encode()):
                    return True
    return False


def user_of_signature(store: Store, request: Request, now: float, *, expiry_required: bool = False) -> User:
    """The user whose key and signature the request carries. Raises AuthenticationFailed for every doubt."""
    fields = request.fields
    key, signature = fields.get("apikey"), fields.get("signature")
    if not key or not signature:
        raise AuthenticationFailed(REFUSED)
    _check_expiry(fields, now, expiry_required)
    user = store.table(User).find("api_key", key)
    if user is None or not user.secret_key:
        raise AuthenticationFailed(REFUSED)
    if not signature_matches(request.sent, signature, user.secret_key):
        raise AuthenticationFailed(REFUSED)
    return user


def _check_expiry(fields: Mapping[str, str], now: float, required: bool) -> None:
    """Signature version 3 carries the time until which it holds; past, missing or unreadable is refused."""
    if fields.get("signatureversion") != "3" and not required:
        return
    try:
        expires = parse_date(fields.get("expires", ""))
    except ValueError:
        raise AuthenticationFailed(REFUSED) from None
    if expires < now or (required and expires > now + LONGEST):
        raise AuthenticationFailed(REFUSED)
