"""report.html of a run, and its drawings as files of their own."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from ibpc.graph import save_bytes
from ibpc.report.facts import read_run
from ibpc.report.markup import drawing, page, tag
from ibpc.report.sections import SECTIONS
from ibpc.report.wording import WORDS, number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Run
    from ibpc.report.markup import Child

TILES = 4


def write_report(folder: Path, to: Path | None = None) -> Path:
    """Write the report of a run folder to `to`, else to report.html in it, whole or not at all.

    The drawings go to plots/*.svg beside it (for `to`: NAME-plots). Gives the page's path.
    Raises: FileMistake (E0592) where the folder is no run folder.
    """
    run = read_run(folder)
    foot = "Every figure is also in results.json beside this page."
    return save_page(to or folder / "report.html", run.name, run_page(run), foot)


def save_page(path: Path, title: str, parts: Sequence[Element], foot: str = "") -> Path:
    """Write a page of a header and sections, and its drawings beside it."""
    body = _framed(parts[0], parts[1:], foot)
    save_bytes(path, page(f"{title} · ibpc", stylesheet(), body).encode())
    plots = "plots" if path.name == "report.html" else f"{path.stem}-plots"
    write_plots(path.parent / plots, body)
    return path


def run_page(run: Run) -> list[Element]:
    """The header of a run's page, then its sections."""
    return [_header(run), *(found for make in SECTIONS if (found := make(run)) is not None)]


def _framed(header: Element, sections: Sequence[Element], foot: str) -> list[Element]:
    """A page's body: header, list of sections, the sections, footer."""
    links = [
        tag("li", tag("a", str(section[0].text), href=f"#{section.get('id')}"))
        for section in sections
    ]
    return [
        tag("a", "Skip to the results", href="#main", class_="skip"),
        header,
        tag("nav", tag("ul", links), aria_label="Contents"),
        tag("main", list(sections), id="main"),
        tag("footer", f"Written by ibpc. {foot}"),
    ]


def write_plots(folder: Path, body: Sequence[Element]) -> None:
    """Write every drawing of a page as an SVG file."""
    style = files("ibpc.report").joinpath("chart.css").read_text(encoding="utf-8")
    for part in body:
        for figure in part.iter("figure"):
            name, svg = figure.get("data-plot"), figure.find("svg")
            if name and svg is not None:
                path, data = folder / f"{name}.svg", drawing(svg, style)
                if not path.exists() or path.read_bytes() != data:
                    save_bytes(path, data)


def stylesheet() -> str:
    """The style of pages."""
    room = files("ibpc.report")
    names = ("page.css", "chart.css")
    return "\n".join(room.joinpath(name).read_text(encoding="utf-8") for name in names)


def _header(run: Run) -> Element:
    done, planned = len(run.tasks), run.planned
    state = "" if done >= planned else f"in progress: {done} of {planned} tasks"
    chips: list[Child] = [
        tag("li", f"{name} = {number(value)}")
        for name, value in run.manifest.get("parameters", {}).items()
    ]
    return tag(
        "header",
        tag("p", "ibpc run", class_="kicker"),
        tag("h1", run.name),
        tag("p", state, class_="state") if state else None,
        tag("ul", chips, class_="chips") if chips else None,
        _tiles(run),
    )


def _tiles(run: Run) -> Element | None:
    """The figures of the only task, large."""
    if len(run.verified) != 1:
        return None
    (task,) = run.verified
    tiles = [
        tag(
            "div",
            tag("dt", report.name.replace("_", " ")),
            tag("dd", percent(report), tag("small", WORDS[report.meaning])),
        )
        for report in task.reports[:TILES]
    ]
    return tag("dl", tiles, class_="tiles")
