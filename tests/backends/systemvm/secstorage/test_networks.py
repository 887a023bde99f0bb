"""Which addresses downloads may come from."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.systemvm.secstorage.errors import TransferError
from backends.systemvm.secstorage.fetching import connect
from backends.systemvm.secstorage.networks import check_allowed

INTERNAL = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "2002:a00:1::",
    "64:ff9b::a00:1",
]
NOBODYS = ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "::ffff:169.254.169.254", "240.0.0.1"]


@pytest.mark.parametrize("address", INTERNAL)
def test_internal_addresses_are_refused_in_every_way_of_writing_them(address: str) -> None:
    with pytest.raises(TransferError, match="internal network"):
        check_allowed(address, ())


@pytest.mark.parametrize("address", NOBODYS)
def test_some_addresses_are_refused_whatever_is_allowed(address: str) -> None:
    with pytest.raises(TransferError):
        check_allowed(address, ("0.0.0.0/0", "::/0"))


@given(st.ip_addresses(network="10.0.0.0/8"), st.integers(8, 32))
def test_a_listed_network_allows_its_own_addresses(address: Any, length: int) -> None:
    check_allowed(str(address), (f"{address}/{length}",))
    with pytest.raises(TransferError):
        check_allowed(str(address), ("192.168.0.0/16",))


def test_a_name_is_connected_to_at_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        answers = [["127.0.0.1"], ["10.9.9.9"]]
        asked: list[str] = []

        def resolve(host: str, port: int, **more: Any) -> list[Any]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in answers[len(asked) - 1]]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        connection = connect("rebinding.example", port, ("127.0.0.0/8",))
        assert connection.getpeername() == ("127.0.0.1", port) and asked == ["rebinding.example"]
        connection.close()
        with pytest.raises(TransferError, match=r"rebinding\.example is 10\.9\.9\.9"):
            connect("rebinding.example", port, ("127.0.0.0/8",))
