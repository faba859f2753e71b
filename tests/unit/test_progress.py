"""What training says while it goes on."""

from __future__ import annotations

import io

from ibpc.progress import BarProgress, LineProgress, progress_on


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_lines_and_a_terminal_a_bar() -> None:
    assert isinstance(progress_on(io.StringIO()), LineProgress)
    assert isinstance(progress_on(Terminal()), BarProgress)


def test_lines_say_how_far_how_fast_and_how_well() -> None:
    stream = io.StringIO()
    progress = LineProgress(stream, pause_s=0.0)
    progress.start(200, "fit(small)", done=50)
    progress.update(100, train_error=0.125, verified_error=None, eps=0.05)
    first, second = stream.getvalue().splitlines()
    assert first == "fit(small): 50 of 200 done before"
    assert second.startswith("fit(small): 100/200  ")
    assert " left  train error 12.5%  eps 0.05" in second


def test_between_pauses_nothing_is_said() -> None:
    stream = io.StringIO()
    progress = LineProgress(stream, pause_s=1000.0)
    progress.start(200, "fit(small)")
    progress.update(100)
    assert stream.getvalue() == ""
    progress.update(200)
    assert " in all" in stream.getvalue()


def test_a_bar_shows_title_steps_and_facts() -> None:
    terminal = Terminal()
    progress = progress_on(terminal)
    progress.start(200, "fit(small)")
    progress.update(100, train_error=0.125)
    progress.note("a word")
    progress.finish()
    shown = terminal.getvalue()
    assert "fit(small)" in shown
    assert "100/200" in shown
    assert "train error 12.5%" in shown
    assert "a word" in shown
