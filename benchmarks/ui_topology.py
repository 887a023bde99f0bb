"""How many frames a second the topology page draws of a large datacenter, in a browser without a graphics card.

    cloudsim serve --data /tmp/large --pace max --port 8080      # filled by benchmarks.ui_fill; the UI is built
    python -m benchmarks.ui_topology http://127.0.0.1:8080/client/ /tmp/large

A headless Chromium (software rendering) moves the picture with the mouse and the wheel, as a person does, and notes
when each frame was shown (requestAnimationFrame). Told are the median and the 95th percentile of the time between
two frames, in milliseconds, and frames per second: 30 are 33.3 ms.
"""

from __future__ import annotations

import itertools
import json
import math
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

SECONDS = 5.0
NOTE_FRAMES = """() => {
  const times = (window.frameTimes = []);
  const note = (now) => {
    if (window.frameTimes === times) {
      times.push(now);
      requestAnimationFrame(note);
    }
  };
  requestAnimationFrame(note);
}"""


def sign_in(page: Any, address: str, folder: Path) -> None:
    """Sign in as the cloud's admin, and open the page."""
    credentials = json.loads((folder / "admin.json").read_text(encoding="utf-8"))
    page.goto(f"{address}#/sign-in")
    page.get_by_label("User name").fill(credentials["username"])
    page.get_by_label("Password").fill(credentials["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/#/dashboard")
    page.goto(f"{address}#/topology")
    page.wait_for_selector("canvas.picture")
    page.wait_for_selector(".middle", state="detached")
    page.wait_for_timeout(2000)


def measured(page: Any, move: Callable[[float], None]) -> dict[str, float]:
    """Frames while `move` is called with the seconds since the beginning."""
    page.evaluate(NOTE_FRAMES)
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < SECONDS:
        move(passed)
    times = page.evaluate("() => { const all = window.frameTimes; window.frameTimes = null; return all; }")
    gaps = sorted(after - before for before, after in itertools.pairwise(times))
    return {
        "median": statistics.median(gaps),
        "p95": gaps[math.ceil(0.95 * len(gaps)) - 1],
        "rate": 1000 * len(gaps) / (times[-1] - times[0]),
    }


@click.command()
@click.argument("address")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--width", default=1440, show_default=True)
@click.option("--height", default=900, show_default=True)
def main(address: str, folder: Path, width: int, height: int) -> None:
    """Measure the cloud served at ADDRESS, whose data folder is FOLDER."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": width, "height": height}).new_page()
        sign_in(page, address, folder)
        frame = page.locator("canvas.picture").bounding_box()
        x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2

        def pan(passed: float) -> None:
            page.mouse.move(x + 180 * math.cos(3 * passed), y + 120 * math.sin(3 * passed))

        def zoom(passed: float) -> None:
            page.mouse.wheel(0, -50 if passed % 2.5 < 1.25 else 50)

        click.echo(f"{width}x{height}, {frame['width']:.0f}x{frame['height']:.0f} of it the picture")
        click.echo(f"{'':34}{'median':>9}{'p95':>9}{'frames/s':>10}")
        for name, steps in (("all hosts", 0), ("a zone", 8), ("some racks", 9), ("hosts with instances", 12)):
            page.mouse.move(x, y)
            for _ in range(steps):
                page.mouse.wheel(0, -120)
                page.wait_for_timeout(30)
            page.wait_for_timeout(1500)
            page.mouse.down()
            page.mouse.move(x + 180, y)
            tell(f"pan, {name}", measured(page, pan))
            page.mouse.up()
            page.mouse.move(x, y)
            tell(f"zoom in and out, {name}", measured(page, zoom))
        browser.close()


def tell(name: str, found: dict[str, float]) -> None:
    click.echo(f"{name:34}{found['median']:9.1f}{found['p95']:9.1f}{found['rate']:10.1f}")


if __name__ == "__main__":
    main()
