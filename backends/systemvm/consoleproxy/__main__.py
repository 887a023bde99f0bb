"""Runs the service: `python -m backends.systemvm.consoleproxy --control SOCKET --pages FOLDER`."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from backends.systemvm.consoleproxy.control import serve_control
from backends.systemvm.consoleproxy.service import PORT, ConsoleProxy

ROOT = Path("/run/systemvm")


async def run(given: argparse.Namespace) -> None:
    proxy = ConsoleProxy(given.pages)
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    await proxy.start(given.host, given.port)
    control = await serve_control(given.control, proxy.reply)
    print(f"listening at {given.host}, port {proxy.port}", flush=True)
    await over.wait()
    control.close()
    await proxy.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="The service of a console proxy VM.")
    parser.add_argument(
        "--control", type=Path, default=ROOT / "control" / "consoleproxy", help="the socket for requests"
    )
    parser.add_argument("--pages", type=Path, required=True, help="the folder of the pages")
    parser.add_argument("--host", default="0.0.0.0", help="the address to listen at")
    parser.add_argument("--port", type=int, default=PORT, help="0 takes a free one")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
