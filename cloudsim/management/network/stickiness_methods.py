"""How a load balancer can keep a client with one instance, and what each way may be told; CloudStack's, for HAProxy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from cloudsim.errors import InvalidParameterValue

MethodName = Literal["LbCookie", "AppCookie", "SourceBased"]
_COOKIE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
"""A cookie's name is a token (RFC 6265)."""
_TIME = re.compile(r"\d+[smhd]?\Z", re.ASCII)
_SIZE = re.compile(r"\d+[kmg]?\Z", re.ASCII)
_NUMBER = re.compile(r"\d+\Z", re.ASCII)
_DOMAIN = re.compile(r"\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\Z")
_FLAG = re.compile(r"(true|false|)\Z", re.IGNORECASE)


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a method. `form`: what its value looks like, in words `expected`."""

    name: str
    description: str
    form: re.Pattern[str]
    expected: str
    flag: bool = False


def _cookie(description: str) -> Parameter:
    return Parameter("cookie-name", description, _COOKIE, "a cookie's name")


def _flag(name: str, description: str) -> Parameter:
    return Parameter(name, description, _FLAG, "true or false", flag=True)


class Method(msgspec.Struct, frozen=True):
    """A method with the parameters that it knows."""

    name: MethodName
    description: str
    parameters: tuple[Parameter, ...]


METHODS: tuple[Method, ...] = (
    Method(
        "LbCookie",
        "This is loadbalancer cookie based stickiness method.",
        (
            _cookie("Cookie name passed in http header by the LB to the client."),
            Parameter(
                "mode",
                "Valid values: insert, rewrite, prefix. Default value: insert. With insert the LB makes the cookie, else "
                "the server makes it and the LB changes it.",
                re.compile(r"(insert|rewrite|prefix)\Z"),
                "insert, rewrite or prefix",
            ),
            _flag("nocache", "Marks answers with the cookie as not to be cached; for insert mode."),
            _flag("indirect", "The server does not see the cookie; for insert mode."),
            _flag("postonly", "Only answers to POST requests set the cookie; for insert mode."),
            Parameter("domain", "The domain that the cookie is for.", _DOMAIN, "a domain name"),
        ),
    ),
    Method(
        "AppCookie",
        "This is App session based sticky method. It keeps to an existing application cookie, for http traffic only.",
        (
            _cookie("The cookie of the application, which the LB learns for each new session."),
            Parameter(
                "length", "How many characters of the cookie count. Default value: 52", _NUMBER, "a number"
            ),
            Parameter(
                "holdtime",
                "How long the cookie is remembered after its last use. Units are d, h, m and s. Default value: 3h",
                _TIME,
                "a time such as 30m, 20s, 50h or 4d",
            ),
            _flag("request-learn", "The cookie is learned from requests too, as after a restart of the LB."),
            _flag("prefix", "The cookie's name is a prefix, as with ASPSESSIONIDxxx."),
            Parameter(
                "mode",
                "Where the cookie is in the URL. Valid values: path-parameters, query-string. Default: path-parameters",
                re.compile(r"(path-parameters|query-string)\Z"),
                "path-parameters or query-string",
            ),
        ),
    ),
    Method(
        "SourceBased",
        "This is source based Stickiness method, it can be used for any type of protocol.",
        (
            Parameter(
                "tablesize",
                "How many source addresses are remembered, such as 200k, 300m or 400g. Default value: 200k",
                _SIZE,
                "a size such as 200k",
            ),
            Parameter(
                "expire",
                "How long a source address is remembered. Units are s, m, h and d. Default value: 3h",
                _TIME,
                "a time such as 30m, 20s, 50h or 4d",
            ),
        ),
    ),
)
assert tuple(method.name for method in METHODS) == get_args(MethodName)


def checked_method(name: str) -> Method:
    """The method of that name, in any case of letters. Raises InvalidParameterValue."""
    for method in METHODS:
        if method.name.lower() == name.strip().lower():
            return method
    raise InvalidParameterValue(
        f"Invalid stickiness method {name}: methodname is one of {', '.join(m.name for m in METHODS)}"
    )


def checked_parameters(method: Method, given: Mapping[str, str]) -> dict[str, str]:
    """The parameters, flags as true or false. Raises InvalidParameterValue for one that the method does not know."""
    known = {parameter.name: parameter for parameter in method.parameters}
    found = {}
    for name, value in given.items():
        parameter = known.get(name)
        if parameter is None:
            raise InvalidParameterValue(
                f"Invalid parameter {name} of stickiness method {method.name}: it takes {', '.join(known)}"
            )
        if not parameter.form.match(value):
            raise InvalidParameterValue(
                f"Invalid value {value!r} of {name} of stickiness method {method.name}: {parameter.expected} is expected"
            )
        found[name] = (value.lower() or "true") if parameter.flag else value
    return found


def capability() -> str:
    """The methods as clients read them from the Lb service's capability SupportedStickinessMethods: JSON."""
    return json.dumps(
        [
            {
                "methodname": method.name,
                "description": method.description,
                "paramlist": [
                    {
                        "paramname": parameter.name,
                        "required": False,
                        "isflag": parameter.flag,
                        "description": parameter.description,
                    }
                    for parameter in method.parameters
                ],
            }
            for method in METHODS
        ],
        separators=(",", ":"),
    )
