"""How quickly the web UI's first pages show: bytes over the wire, and the times of Lighthouse, by the browser's own marks.

    python -m benchmarks.ui_page [--pages /dashboard /vm ...] [--demo]

Serves a simulated cloud, opens each page in the system's Chromium with an empty cache, signed in, and prints a table: what
came over the wire (KB, compressed), first and largest contentful paint, total blocking time (what tasks took beyond 50 ms
each), and layout shift.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.browser.chromium import CHROMIUM
from tests.server.serving import ServerProcess

OBSERVE = """
window.seen = {fcp: 0, lcp: 0, tbt: 0, cls: 0};
const watch = (type, each) => new PerformanceObserver((list) => list.getEntries().forEach(each)).observe(
  {type, buffered: true});
watch('paint', (entry) => { if (entry.name === 'first-contentful-paint') seen.fcp = entry.startTime; });
watch('largest-contentful-paint', (entry) => { seen.lcp = entry.startTime; });
watch('longtask', (entry) => { seen.tbt += Math.max(0, entry.duration - 50); });
watch('layout-shift', (entry) => { if (!entry.hadRecentInput) seen.cls += entry.value; });
"""
SETTLED = 4000
PAGES = ("/sign-in", "/dashboard", "/vm", "/topology", "/deploy")


def measured(playwright: Any, server: ServerProcess, path: str) -> tuple[float, dict[str, float]]:
    """KB over the wire, and what the page saw of itself, in milliseconds; the browser knows nothing yet."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    try:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        if path != "/sign-in":
            answer = context.request.post(
                f"{server.url}/client/api",
                form={"command": "login", "username": "admin", "password": server.admin["password"], "response": "json"},
            )
            session = answer.json()["loginresponse"]
            context.add_init_script(f"localStorage.setItem('cloudsim.session', JSON.stringify({json.dumps(session)}))")
        context.add_init_script(OBSERVE)
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        received = [0.0]
        devtools.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
        page.goto(f"{server.url}/client/#{path}")
        page.wait_for_timeout(SETTLED)
        return sum(received) / 1000, page.evaluate("seen")
    finally:
        browser.close()


def main(arguments: list[str]) -> int:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(prog="python -m benchmarks.ui_page", description=__doc__)
    parser.add_argument("--pages", nargs="*", default=list(PAGES))
    parser.add_argument("--demo", action="store_true", help="a cloud with a day of history")
    told = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        options = ("--pace", "real", "--console-port", "0", *(("--demo",) if told.demo else ()))
        with ServerProcess(Path(folder) / "data", *options, within=300.0) as server:
            print(f"{'page':<14}{'KB':>8}{'FCP ms':>9}{'LCP ms':>9}{'TBT ms':>9}{'CLS':>8}")
            for path in told.pages:
                size, seen = measured(playwright, server, path)
                print(
                    f"{path:<14}{size:>8.0f}{seen['fcp']:>9.0f}{seen['lcp']:>9.0f}{seen['tbt']:>9.0f}{seen['cls']:>8.3f}",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
