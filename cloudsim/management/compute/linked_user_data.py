"""What an instance gets of the user data that is linked to its template, and of its owner's own, by the link's policy.

ALLOWOVERRIDE: the owner's, or where there is none the template's. DENYOVERRIDE: the template's, and an owner who gives
some is refused. APPEND: both, the template's first, as the parts of one MIME message that cloud-init reads.
"""

from __future__ import annotations

import base64
import hashlib
from email import message_from_bytes
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.user_data import checked
from cloudsim.management.foundation import Foundation
from cloudsim.model import Template, UserData

_SUBTYPES = {
    "#cloud-config": "cloud-config",
    "#!": "x-shellscript",
    "#include": "x-include-url",
    "#cloud-boothook": "cloud-boothook",
    "#upstart-job": "upstart-job",
    "#part-handler": "part-handler",
    "## template: jinja": "jinja2",
}
"""What cloud-init calls user data that begins so."""
_MERGE = "list(append)+dict(no_replace,recurse_list)+str()"
"""How cloud-init is to join configurations: lists grow, and what the template sets stays."""


def with_linked(
    foundation: Foundation, template: Template | None, own: str | None, own_id: str | None = None
) -> tuple[str | None, str | None]:
    """The user data (base64) of an instance whose owner gives `own`, and the id of what is registered of it.

    Raises InvalidParameterValue if the template lets nobody give any, or the two cannot be joined.
    """
    linked = foundation.table(UserData).get(template.user_data_id) if template is not None else None
    if template is None or linked is None:
        return own, own_id
    if not own:
        return linked.user_data, linked.id
    if template.user_data_policy == "DENYOVERRIDE":
        raise InvalidParameterValue(
            f"UserData input is not allowed here since template {template.name} is configured to deny any userdata"
        )
    if template.user_data_policy == "APPEND":
        return checked(joined(linked.user_data, own)), own_id
    return own, own_id


def joined(first: str, second: str) -> str:
    """Two pieces of user data, each base64 and each possibly of parts itself, as one, base64."""
    digest = hashlib.sha256(f"{first} {second}".encode()).hexdigest()
    whole = MIMEMultipart(boundary=f"=={digest[:32]}==")
    for text in (first, second):
        for part in _parts(base64.b64decode(text)):
            whole.attach(part)
    return base64.b64encode(whole.as_bytes()).decode()


def _parts(content: bytes) -> list[Message]:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise InvalidParameterValue("User data that is not text (such as gzip) cannot be appended to") from None
    if text.lower().startswith(("content-type: multipart", "mime-version:")):
        message = message_from_bytes(content)
        if message.is_multipart():
            return [part for part in message.get_payload() if isinstance(part, Message)]
    kind = next((kind for begin, kind in _SUBTYPES.items() if text.startswith(begin)), "plain")
    part = MIMEText(text, kind, "utf-8")
    part["X-Merge-Type"] = _MERGE
    return [part]
