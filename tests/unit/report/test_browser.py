"""A run's page in a real browser: it renders, with nothing to complain of."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from page_reading import Page
from PIL import Image
from run_folders import pictures, task, write_run

from ibpc.report import write_report

if TYPE_CHECKING:
    from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--enable-logging=stderr",
)  # fmt: skip

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("needs Chromium or Chrome on the path")
    return found


@pytest.fixture
def page(tmp_path: Path) -> Path:
    one, other = task(), task(net="large")
    shown = [pictures(one["task"], (1, 28, 28)), pictures(other["task"], (3, 32, 32))]
    return write_report(write_run(tmp_path / "run", [one, other], shown))


def opened(browser: str, page: Path, *flags: str) -> tuple[str, list[str]]:
    """What the browser prints, and its console's messages."""
    command = [browser, *FLAGS, f"--user-data-dir={page.parent / 'profile'}", *flags]
    found = subprocess.run(
        [*command, page.as_uri()], capture_output=True, text=True, timeout=100, check=True
    )
    return found.stdout, re.findall(r"CONSOLE.*", found.stderr)


def test_the_page_renders_without_a_complaint(browser: str, page: Path) -> None:
    text, console = opened(browser, page, "--dump-dom")
    written, rendered = Page(page.read_text(encoding="utf-8")), Page(text)
    assert console == []
    assert rendered.text("title")[0] == "mnist · default · ibpc"
    assert rendered.figures == written.figures
    for name in ("td", "th", "rect", "polyline", "img"):
        before, after = (sum(tag == name for tag, _ in one.tags) for one in (written, rendered))
        assert before == after > 0


def test_a_complaint_would_be_seen(browser: str, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<!doctype html><title>x</title><script>nothing()</script>", encoding="utf-8")
    _, console = opened(browser, page, "--dump-dom")
    assert "nothing is not defined" in " ".join(console)


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_is_no_blank_sheet(browser: str, page: Path, width: int) -> None:
    picture = page.parent / "page.png"
    opened(browser, page, f"--screenshot={picture}", f"--window-size={width},3000")
    with Image.open(picture) as image:
        assert image.width == width
        colours = image.convert("RGB").getcolors(2**24)
    assert colours is not None
    assert len(colours) > 100
