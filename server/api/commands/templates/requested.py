"""What the commands that bring a template or an ISO into the cloud, or change one, are told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from cloudsim.management.storage.template_request import REGISTERED_TYPES, TemplateRequest
from cloudsim.model import GuestOs
from server.api.command import Call
from server.api.listing import SortKey
from server.api.parameters import Param, Parameter, parameter

CHECKSUM = Param("of the file: MD5, SHA-1, .. in hex, or {SHA-256} and hex")
_FIELDS = {
    "displaytext": "display_text",
    "ostypeid": "guest_os",
    "ispublic": "public",
    "isfeatured": "featured",
    "isextractable": "extractable",
    "isdynamicallyscalable": "dynamically_scalable",
    "passwordenabled": "password_enabled",
    "sshkeyenabled": "ssh_key_enabled",
    "requireshvm": "requires_hvm",
    "directdownload": "direct_download",
    "deployasis": "deploy_as_is",
    "forceupdateostype": "force_guest_os",
    "templatetag": "tag",
    "templatetype": "type",
    "sortkey": "sort_key",
}
"""Fields of the request whose parameters have other names."""
_OF_BOTH = (
    parameter("name", Annotated[str, Param("")]),
    parameter("displaytext", Annotated[str | None, Param(length=4096)], None),
    parameter("ostypeid", GuestOs | None, None),
    parameter("checksum", Annotated[str | None, CHECKSUM], None),
    parameter("ispublic", bool, False),
    parameter("isfeatured", bool, False),
    parameter("isextractable", bool, False),
)
_SCALABLE = parameter("isdynamicallyscalable", bool, False)
_PASSWORD = parameter("passwordenabled", bool, False)
_ARCH = parameter("arch", str | None, None)
_DIRECT = parameter("directdownload", bool, False)
_BOOTABLE = parameter("bootable", bool, True)
TAG = Param("the tag of the hosts that its instances are started on; for root administrators")
TYPE = Param("USER, or for root administrators SYSTEM: of system VMs", values=tuple(REGISTERED_TYPES))
_FORCE_OS = Param("with ostypeid: although there are instances of it, which get that OS type, too", since="4.21.0")
_OF_TEMPLATES = (
    *_OF_BOTH,
    parameter("format", Annotated[str, Param("QCOW2, RAW, VHD, VMDK, ..")]),
    parameter("hypervisor", str),
    parameter("bits", int | None, None),
    _ARCH,
    _SCALABLE,
    _PASSWORD,
    parameter("sshkeyenabled", bool, False),
    parameter("requireshvm", bool, True),
    parameter("deployasis", bool, False),
    parameter("templatetag", Annotated[str | None, TAG], None),
    parameter("templatetype", Annotated[str | None, TYPE], None),
    parameter("details", Mapping[str, str] | None, None),
)


class _Requested:
    """Makes the request of its parameters; what is not given is as the request has it."""

    def __init__(self, *parameters: Parameter) -> None:
        self.parameters = parameters

    def value(self, call: Call, values: Mapping[str, Any]) -> TemplateRequest:
        asked = ((parameter.name, values.get(parameter.name)) for parameter in self.parameters)
        given = {_FIELDS.get(name, name): value for name, value in asked if value is not None}
        if "details" in given:
            given["details"] = dict(given["details"])
        return TemplateRequest(**given)


class _Changed:
    """Makes the changes of its parameters, as `Templates.update` takes them; None where nothing is to change."""

    def __init__(self, *parameters: Parameter) -> None:
        self.parameters = parameters

    def value(self, call: Call, values: Mapping[str, Any]) -> dict[str, Any]:
        given = {_FIELDS.get(each.name, each.name): values.get(each.name) for each in self.parameters}
        given["cleanup_details"] = bool(given.pop("cleanupdetails"))
        given["force_guest_os"] = bool(given["force_guest_os"])
        given["details"] = dict(given["details"]) if given["details"] else None
        return given


_CHANGES = (
    parameter("name", str | None, None),
    parameter("displaytext", Annotated[str | None, Param(length=4096)], None),
    parameter("ostypeid", GuestOs | None, None),
    parameter("forceupdateostype", Annotated[bool, _FORCE_OS], False),
    parameter("arch", str | None, None),
    parameter("bootable", bool | None, None),
    parameter("passwordenabled", bool | None, None),
    parameter("sshkeyenabled", bool | None, None),
    parameter("requireshvm", bool | None, None),
    parameter("isdynamicallyscalable", bool | None, None),
    parameter("details", Mapping[str, str] | None, None),
    parameter("cleanupdetails", bool, False),
    parameter("sortkey", SortKey, None),
)
ChangedIso = Annotated[dict[str, Any], _Changed(*_CHANGES)]
ChangedTemplate = Annotated[
    dict[str, Any],
    _Changed(
        *_CHANGES,
        parameter("format", str | None, None),
        parameter("templatetag", Annotated[str | None, TAG], None),
        parameter("templatetype", Annotated[str | None, TYPE], None),
    ),
]
RegisteredTemplate = Annotated[TemplateRequest, _Requested(*_OF_TEMPLATES, _DIRECT)]
SentTemplate = Annotated[TemplateRequest, _Requested(*_OF_TEMPLATES)]
RegisteredIso = Annotated[TemplateRequest, _Requested(*_OF_BOTH, _BOOTABLE, _ARCH, _SCALABLE, _PASSWORD, _DIRECT)]
SentIso = Annotated[TemplateRequest, _Requested(*_OF_BOTH, _BOOTABLE)]
