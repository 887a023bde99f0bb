"""The guest's agent as a process: `python -m backends.systemvm.guest --port NAME` (a virtio port) or `--socket PATH`.

With --first it is the first process of a namespace: it takes in orphans, and all ends when the agent does.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import traceback

from backends.systemvm.guest.agent import Agent
from backends.systemvm.guest.channel import serve_port, serve_socket, virtio_port
from backends.systemvm.guest.errors import GuestError
from backends.systemvm.guest.machine import Machine


def be_first() -> None:
    """Go on as a child; the parent stays to reap orphans, and ends with the child."""
    child = os.fork()
    if child == 0:
        return
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except InterruptedError:
            continue
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="systemvm", description="The agent inside a system VM.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", help="name of the virtio port that leads to the host")
    where.add_argument("--socket", help="Unix socket to take requests at")
    parser.add_argument("--version", default="")
    parser.add_argument("--first", action="store_true", help="be the first process of a namespace")
    options = parser.parse_args(arguments)
    if options.first:
        be_first()
    machine = Machine()
    agent = Agent(machine, options.version)
    threading.Thread(target=_resume, args=(machine,), daemon=True).start()
    if options.port:
        serve_port(virtio_port(options.port), agent.handle)
    else:
        serve_socket(options.socket, agent.handle)


def _resume(machine: Machine) -> None:
    try:
        machine.resume()
    except GuestError:
        traceback.print_exc()


if __name__ == "__main__":
    main(sys.argv[1:])
