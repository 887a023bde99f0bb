"""A guest's side of DHCP and DNS, as far as the tests need it: a lease is taken, a name is asked for."""

from __future__ import annotations

import socket
import struct
import time

from tests.backends.systemvm.rendering.probing import Namespace

_COOKIE = b"\x63\x82\x53\x63"
_OPTIONS = {
    1: "netmask",
    3: "router",
    6: "dns-server",
    12: "hostname",
    15: "domain-name",
    26: "mtu",
}


def lease(space: Namespace, mac: str, patience: float = 2.0) -> dict[str, str] | None:
    """Discover, offer, request, acknowledgement; the options by name (or number) and `ip`. None: nobody offered."""
    card = space.call(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)))
    with card:
        card.bind(("eth0", 0x0800))
        offer = _exchange(card, mac, b"\x35\x01\x01", patience)
        if offer is None:
            return None
        wanted = b"\x32\x04" + socket.inet_aton(offer["ip"]) + b"\x36\x04" + socket.inet_aton(offer["54"])
        return _exchange(card, mac, b"\x35\x01\x03" + wanted, patience)


def _exchange(card: socket.socket, mac: str, options: bytes, patience: float) -> dict[str, str] | None:
    wanted = (1, 3, 6, 12, 15, 26, 42, 51, 66, 67, 114, 224)
    chaddr, asked = bytes.fromhex(mac.replace(":", "")), bytes([55, len(wanted), *wanted])
    transaction = struct.unpack("!I", chaddr[-4:])[0] ^ options[2]
    body = (
        struct.pack("!BBBBIHH", 1, 1, 6, 0, transaction, 0, 0x8000)
        + bytes(16)
        + chaddr.ljust(16, b"\0")
        + bytes(192)
    )
    body += _COOKIE + options + asked + b"\xff"
    udp = struct.pack("!HHHH", 68, 67, 8 + len(body), 0) + body
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    total = sum(struct.unpack("!10H", head))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    card.sendto(
        head[:10] + struct.pack("!H", ~total & 0xFFFF) + head[12:] + udp, ("eth0", 0x0800, 0, 0, b"\xff" * 6)
    )
    end = time.monotonic() + patience
    while (left := end - time.monotonic()) > 0:
        card.settimeout(left)
        try:
            data, where = card.recvfrom(4096)
        except TimeoutError:
            return None
        reply = data[28:]
        is_reply = where[2] != socket.PACKET_OUTGOING and data[9] == 17 and len(reply) > 240 and reply[0] == 2
        if is_reply and struct.unpack("!I", reply[4:8])[0] == transaction:
            return _read(reply)
    return None


def _read(reply: bytes) -> dict[str, str]:
    found = {"ip": socket.inet_ntoa(reply[16:20])}
    at = 240
    while at < len(reply) and reply[at] != 255:
        if reply[at] == 0:
            at += 1
            continue
        code, length = reply[at], reply[at + 1]
        value = reply[at + 2 : at + 2 + length]
        at += 2 + length
        if code in (1, 3, 6, 42, 54):
            text = ",".join(socket.inet_ntoa(value[i : i + 4]) for i in range(0, length, 4))
        else:
            text = str(int.from_bytes(value, "big")) if code in (26, 51) else value.decode(errors="replace").rstrip("\0")
        found[_OPTIONS.get(code, str(code))] = text
    return found


def resolve(
    space: Namespace, source: str, server: str, name: str, patience: float = 1.0
) -> tuple[str, ...] | None:
    """What the server answers for a name's addresses, or an address's name; (): there is none. None: no answer."""
    reverse = name.endswith(".in-addr.arpa")
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = (
        struct.pack("!HHHHHH", 4711, 0x0100, 1, 0, 0, 0)
        + labels
        + struct.pack("!BHH", 0, 12 if reverse else 1, 1)
    )
    with space.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asking:
        asking.bind((source, 0))
        asking.settimeout(patience)
        asking.sendto(query, (server, 53))
        try:
            answer = asking.recv(4096)
        except TimeoutError:
            return None
    count = struct.unpack("!H", answer[6:8])[0]
    if answer[3] & 15 not in (0, 3):
        return None
    at, found = len(query), []
    for _ in range(count):
        at = _past_name(answer, at)
        kind, _, _, length = struct.unpack("!HHIH", answer[at : at + 10])
        data = answer[at + 10 : at + 10 + length]
        if kind == 1:
            found.append(socket.inet_ntoa(data))
        elif kind == 12:
            found.append(_name(answer, at + 10))
        at += 10 + length
    return tuple(found)


def _past_name(message: bytes, at: int) -> int:
    while message[at]:
        if message[at] & 0xC0:
            return at + 2
        at += message[at] + 1
    return at + 1


def _name(message: bytes, at: int) -> str:
    labels = []
    while message[at]:
        if message[at] & 0xC0:
            at = struct.unpack("!H", message[at : at + 2])[0] & 0x3FFF
            continue
        labels.append(message[at + 1 : at + 1 + message[at]].decode())
        at += message[at] + 1
    return ".".join(labels)
