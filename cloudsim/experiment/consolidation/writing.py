"""Writes what a study has found into a folder: tables, plots, the study itself, and a report that holds all."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from cloudsim.experiment.consolidation.plots import SMOOTH, draw
from cloudsim.experiment.consolidation.reading import LoadedStudy
from cloudsim.experiment.consolidation.study import Row
from cloudsim.experiment.consolidation.summary import COLUMNS, lines
from cloudsim.experiment.consolidation.tables import write_tables
from cloudsim.experiment.figures import png, svg
from cloudsim.experiment.page import facts, figure, page, section, table

CAPTIONS = {
    "energy": "Mean over all runs; points are runs, where there are several.",
    "tradeoff": "Policies that migrate. Towards the lower left is better in both.",
    "hosts": f"Hosts that have instances: means over the interval before each decision, averaged over {SMOOTH}.",
    "migrations": f"Migrations that a decision begins, as a moving average over {SMOOTH} decisions.",
}


def write(loaded: LoadedStudy, rows: Sequence[Row], out: Path, how: str) -> None:
    """Write everything into `out`, made if there is none; `how` is the command that repeats it.

    Files of an earlier study that have the same names are replaced; nothing else is touched.
    """
    folder = out / "plots"
    folder.mkdir(parents=True, exist_ok=True)
    (out / "study.yaml").write_text(loaded.text, encoding="utf-8")
    write_tables(rows, out)
    images: dict[str, bytes] = {}
    for name, drawn in draw(rows).items():
        images[name] = svg(drawn)
        (folder / f"{name}.svg").write_bytes(images[name])
        (folder / f"{name}.png").write_bytes(png(drawn))
    (out / "report.html").write_text(report(loaded, rows, images, how), encoding="utf-8")


def report(loaded: LoadedStudy, rows: Sequence[Row], images: dict[str, bytes], how: str) -> str:
    """The page; `images` are SVG by name."""
    study = loaded.study
    lead = " ".join(study.description.split()) or "Consolidation policies side by side, on the same loads and hosts."
    turned = [name for name in study.books().__struct_fields__ if getattr(study.books(), name)]
    found = lines(rows)
    head = ["Policy", "Runs", *(column.head for column in COLUMNS)]
    parts = [
        f"<h1>{escape(study.name)}</h1><p class='lead'>{escape(lead)}</p>",
        facts(
            [
                (f"{study.hosts.count:,}", "hosts"),
                (f"{len(rows[0].outcome.asked):,}", "instances"),
                (f"{len({row.load for row in rows}):,}", "loads"),
                (f"{len({row.policy for row in rows}):,}", "policies"),
                (f"{len(rows):,}", "runs"),
            ]
        ),
        section("Plots", "".join(figure(name, image, CAPTIONS[name]) for name, image in images.items())),
    ]
    for load in dict.fromkeys(line.load for line in found):
        chosen = [[line.policy, str(line.runs), *line.texts()] for line in found if line.load == load]
        parts.append(section(escape(load), f"<div class='wide'>{table(head, chosen)}</div>"))
    parts += [
        section("Conventions", f"<p>On: {escape(', '.join(turned) or 'none, as docs/consolidation.md defines')}.</p>"),
        section("Study", f"<pre>{escape(loaded.text)}</pre>"),
        section("Repeat it", f"<pre>{escape(how)}</pre>"),
    ]
    return page(study.name, parts)
