"""Runs the service: `python -m backends.systemvm.secstorage --control SOCKET --stores FILE`."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from backends.systemvm.secstorage.control import Control
from backends.systemvm.secstorage.door import Door
from backends.systemvm.secstorage.service import StorageService

ROOT = Path("/run/systemvm")


def main() -> None:
    parser = argparse.ArgumentParser(description="The service of a secondary storage VM.")
    parser.add_argument(
        "--control", type=Path, default=ROOT / "control" / "secstorage", help="the socket for requests"
    )
    parser.add_argument(
        "--stores", type=Path, default=ROOT / "stores.json", help="where image stores are mounted"
    )
    parser.add_argument("--host", default="0.0.0.0", help="the address to listen at")
    parser.add_argument("--port", type=int, default=80, help="0 takes a free one")
    parser.add_argument("--tls-port", type=int, default=443)
    parser.add_argument("--certificate", type=Path, default=ROOT / "tls" / "certificate.pem")
    parser.add_argument("--key", type=Path, default=ROOT / "tls" / "key.pem")
    given = parser.parse_args()
    service = StorageService(given.stores)
    doors = [Door(service, given.host, given.port)]
    if given.certificate.exists() and given.key.exists():
        doors.append(Door(service, given.host, given.tls_port, given.certificate, given.key))
    for door in doors:
        door.start()
    control = Control(given.control, service)
    control.start()
    print(f"listening at {given.host}, port {doors[0].port}", flush=True)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    over.wait()
    service.close()


if __name__ == "__main__":
    main()
