"""The beginning of RFB, the protocol of VNC, up to and including security: RFC 6143, sections 7.1 and 7.2.

The proxy does it with the VNC server on the client's behalf, password included, and offers the client security None: the
client has shown its token. What follows the proxy passes through unread.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable

from backends.systemvm.consoleproxy.des import encrypt
from backends.systemvm.consoleproxy.streams import ConsoleError, TcpStream

NONE, VNC_AUTHENTICATION = 1, 2
_LARGEST_REASON = 4096

Send = Callable[[bytes], Awaitable[None]]
Exactly = Callable[[int], Awaitable[bytes]]


def response_to(challenge: bytes, password: str) -> bytes:
    """Of VNC authentication: the challenge's two blocks under the password, whose bytes are taken with their bits
    reversed (as all implementations do; RFC 6143 does not say it)."""
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password.encode("latin-1", "replace")[:8].ljust(8, b"\0"))
    return b"".join(encrypt(key, challenge[at : at + 8]) for at in range(0, len(challenge), 8))


def _version(line: bytes) -> int:
    """3, 7 or 8: what of RFB 3.x a version line means. Raises ConsoleError for what is no version line."""
    if len(line) != 12 or not line.startswith(b"RFB ") or line[7:8] != b"." or not line[8:11].isdigit():
        raise ConsoleError("what answers there is no VNC server")
    minor = int(line[8:11])
    if line[4:7] != b"003":
        return 8  # 4.x and 5.x of some vendors speak 3.8 too
    return 8 if minor >= 8 else 7 if minor == 7 else 3


async def log_in(server: TcpStream, password: str) -> None:
    """Be the client of a VNC server until it says that security is done. Raises ConsoleError."""
    minor = _version(await server.exactly(12))
    await server.write(b"RFB 003.%03d\n" % minor)
    if minor == 3:
        (chosen,) = struct.unpack(">I", await server.exactly(4))
        if chosen == 0:
            raise ConsoleError(f"the VNC server refuses: {await _reason(server)}")
    else:
        count = (await server.exactly(1))[0]
        if count == 0:
            raise ConsoleError(f"the VNC server refuses: {await _reason(server)}")
        offered = await server.exactly(count)
        wanted = VNC_AUTHENTICATION if password and VNC_AUTHENTICATION in offered else NONE
        if wanted not in offered:
            raise ConsoleError("the VNC server wants another kind of login than a password")
        chosen = wanted
        await server.write(bytes((chosen,)))
    if chosen == VNC_AUTHENTICATION:
        await server.write(response_to(await server.exactly(16), password))
    elif chosen != NONE:
        raise ConsoleError("the VNC server wants another kind of login than a password")
    if chosen == VNC_AUTHENTICATION or minor == 8:
        (result,) = struct.unpack(">I", await server.exactly(4))
        if result != 0:
            reason = await _reason(server) if minor == 8 else "wrong password"
            raise ConsoleError(f"the VNC server refuses: {reason}")


async def _reason(server: TcpStream) -> str:
    (length,) = struct.unpack(">I", await server.exactly(4))
    return (await server.exactly(min(length, _LARGEST_REASON))).decode("utf-8", "replace")


async def welcome(send: Send, exactly: Exactly) -> None:
    """Be the server of a VNC client that needs no password. Raises ConsoleError when it says what it may not."""
    await send(b"RFB 003.008\n")
    minor = _version(await exactly(12))
    if minor == 3:
        await send(struct.pack(">I", NONE))
        return
    await send(bytes((1, NONE)))
    if (await exactly(1))[0] != NONE:
        raise ConsoleError("the client chose a security type that was not offered")
    if minor == 8:
        await send(struct.pack(">I", 0))
