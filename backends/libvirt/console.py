"""An instance's screen and its serial console: where they are, and a picture of the screen."""

from __future__ import annotations

import secrets
import string
from xml.etree import ElementTree as ET

from backends.libvirt import screenshot
from backends.libvirt.base import HostBase
from backends.libvirt.settings import HostSettings
from backends.libvirt.terminals import Terminals
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import ConsoleAddress

_LETTERS = string.ascii_letters + string.digits


def new_password() -> str:
    """For one run of one instance. VNC's own limit is 8 characters."""
    return "".join(secrets.choice(_LETTERS) for _ in range(8))


class Consoles(HostBase):
    """`console` of `LibvirtHypervisor`, and `screenshot`."""

    def __init__(self, settings: HostSettings) -> None:
        super().__init__(settings)
        self.terminals = Terminals(settings.vnc_listen)

    async def console(self, name: str, serial: bool = False) -> ConsoleAddress:
        """A serial console's password opens it once. Raises HypervisorError if the instance is not here, or has none such."""

        def ask(domain: object) -> str:
            import libvirt

            return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE))  # type: ignore[attr-defined]

        what = f"looking up the console of {name}"
        xml = await self.connection.domain_call(name, what, ask)
        if not serial:
            return self._address(name, xml)
        terminal = terminal_of(xml)
        if terminal is None:
            raise HypervisorError(f"instance {name} has no serial console")
        port, password = await self.terminals.let(terminal)
        return ConsoleAddress(self.settings.private_ip, port, password, "serial")

    async def screenshot(self, name: str) -> bytes:
        """What the instance's screen shows, as PNG. Raises HypervisorError."""
        return await self.connection.domain_call(name, f"taking a screenshot of {name}", screenshot.take)

    def _address(self, name: str, xml: str) -> ConsoleAddress:
        found = vnc_of(xml)
        if found is None:
            raise HypervisorError(f"instance {name} has no VNC console")
        port, password = found
        return ConsoleAddress(self.settings.private_ip, port, password, "vnc")


def terminal_of(xml: str) -> str | None:
    """The host's pseudoterminal that is a running domain's first serial port."""
    for source in ET.fromstring(xml).iterfind("./devices/serial[@type='pty']/source"):
        return source.get("path")
    return None


def vnc_of(xml: str) -> tuple[int, str] | None:
    """Port and password in a running domain's XML; the latter is there in XML that was asked for with its
    secrets."""
    for graphics in ET.fromstring(xml).iterfind("./devices/graphics[@type='vnc']"):
        port = int(graphics.get("port", "-1"))
        if port > 0:
            return port, graphics.get("passwd", "")
    return None
