"""What must not be written down of what is said: passwords, user data, keys, tokens, signatures.

A value is masked for the name it has, in structures of any depth, in pairs of a name and a value (such as an entry of
a map parameter or a setting), in the query of a URL, and in attributes of XML.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

MASKED = "********"

SECRET_PARTS = (
    "apikey",
    "credential",
    "keyhash",
    "passphrase",
    "passwd",
    "password",
    "presharedkey",
    "privatekey",
    "psk",
    "secret",
    "sessionid",
    "sessionkey",
    "signature",
    "token",
    "userdatadetails",
)
"""A name that has one of these in it, in any case and without `_`, `-` and `.`, is that of a secret."""

SECRET_NAMES = frozenset({"userdata", "sig", "userdatabase64", "userdatavalues", "codefor2fa", "twofactorkey"})
"""As a whole name, likewise."""

HARMLESS = frozenset({"apikeyaccess", "passwordenabled", "sshkeyenabled", "usepasswordserver", "vmpasswordlength"})
"""What has such a part in its name but tells no secret."""

_PLAIN = str.maketrans("", "", "_-. ")
_QUERY = re.compile(r"([?&;]([^=&#;\s\"'<>]+)=)([^&#\s\"'<>]+)")
_USER = re.compile(r"(://[^/:@\s]*):[^/@\s]*@")
_ATTRIBUTE = re.compile(r"\b([\w:-]*)=(\"[^\"]*\"|'[^']*')")
_ELEMENT = re.compile(r"<([\w:-]+)([^<>]*)>([^<>]+)</")


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Whether what is called so must not be written down."""
    plain = name.lower().translate(_PLAIN)
    if plain in HARMLESS:
        return False
    return plain in SECRET_NAMES or any(part in plain for part in SECRET_PARTS)


def masked(data: Any) -> Any:
    """The data (of dicts, lists and plain values) without what must not be written down; an empty secret stays."""
    if isinstance(data, str):
        return masked_text(data)
    if isinstance(data, dict):
        found: dict[Any, Any] = {}
        for name, value in data.items():
            if value is None or value is True or value is False or isinstance(value, int | float):
                found[name] = value
            elif value and isinstance(name, str) and is_secret(name):
                found[name] = MASKED
            else:
                found[name] = masked(value)
        named = data.get("key", data.get("name"))
        if data.get("value") and isinstance(named, str) and is_secret(named):
            found["value"] = MASKED
        return found
    if isinstance(data, list | tuple):
        return [masked(each) for each in data]
    return data


def masked_text(text: str) -> str:
    """The text without the secrets of URLs in it."""
    if "://" not in text and "?" not in text:
        return text
    return _USER.sub(rf"\1:{MASKED}@", _QUERY.sub(_parameter, text))


def _parameter(match: re.Match[str]) -> str:
    return match[1] + MASKED if is_secret(match[2]) else match[0]


def masked_xml(text: str) -> str:
    """The XML without the values of attributes and elements that are secrets."""
    text = _ATTRIBUTE.sub(lambda m: f"{m[1]}={m[2][0]}{MASKED}{m[2][0]}" if is_secret(m[1]) else m[0], text)
    return _ELEMENT.sub(lambda m: f"<{m[1]}{m[2]}>{MASKED}</" if is_secret(m[1]) else m[0], text)


__all__ = [
    "HARMLESS",
    "MASKED",
    "SECRET_NAMES",
    "SECRET_PARTS",
    "is_secret",
    "masked",
    "masked_text",
    "masked_xml",
]
