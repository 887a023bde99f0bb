"""The part of asyncio that reaches outside the process, refused: a simulation has no outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_OUTSIDE = (
    "add_reader",
    "add_signal_handler",
    "add_writer",
    "connect_accepted_socket",
    "connect_read_pipe",
    "connect_write_pipe",
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "create_unix_connection",
    "create_unix_server",
    "getaddrinfo",
    "getnameinfo",
    "remove_reader",
    "remove_signal_handler",
    "remove_writer",
    "sendfile",
    "sock_accept",
    "sock_connect",
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_recvfrom_into",
    "sock_sendall",
    "sock_sendfile",
    "sock_sendto",
    "start_tls",
    "subprocess_exec",
    "subprocess_shell",
)


class Sealed(asyncio.AbstractEventLoop):
    """Mixin: sockets, pipes, signals and subprocesses raise `NotImplementedError`, threads `RuntimeError`."""

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Refused: a thread would finish at a simulated time that depends on the machine."""
        raise RuntimeError(
            "SimLoop does not run threads: the result would come at an arbitrary simulated time. Call "
            f"{getattr(func, '__qualname__', func)!s} directly and model its duration with asyncio.sleep(), "
            "or start the thread yourself and hand the result to a loop with external=True "
            "(or a real-time pace) through call_soon_threadsafe()."
        )


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(self: Sealed, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            f"SimLoop.{name}: a simulation has no sockets, pipes, signals or subprocesses; "
            "use a simulated link, or run on asyncio's own loop"
        )

    refuse.__name__ = name
    refuse.__qualname__ = f"Sealed.{name}"
    return refuse


for _name in _OUTSIDE:
    setattr(Sealed, _name, _refusal(_name))
