"""Damages spec files at random and checks them: an answer every time, and soon.

    python tests/bench/mutations.py --count 1000000 --seed 0

Each mutation of a text (of `specs/` and of the golden cases) goes through the whole of `ibpc check`
in this process. Whatever is no program and no list of located messages is told with its text:
a traceback, a mistake without a place, an answer that takes longer than a second.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ibpc.cli.vocabulary import vocabulary
from ibpc.language import analyse

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 1.0
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_']*|[0-9.]+|\S|\s+")
PIECES = (
    *("{", "}", "(", ")", "[", "]", ",", ":", "=", "->", "..", "+", "-", "*", "/", "^", "@", "=>"),
    *("<=", "==", "!=", "and", "or", "not", "forall", "exists", "in", "until", "to", "at", "by"),
    *("then", "else", "for", "net", "spec", "set", "param", "import", "residual", "default", "let"),
    *("0", "1", "-1", "1e300", "1e-300", "2k", "1/3", "3x3+1", "0x0+0", "9" * 30, "x", "y", "z"),
    *(
        "f",
        "pi",
        "true",
        "ball",
        "box",
        "worst",
        "spec",
        '"a.ibp"',
        "#",
        "##",
        "\n",
        "\0",
        "\u2200",
    ),
)


class Corpus(NamedTuple):
    """The texts with the folders where they lie, and the words in them by their class."""

    texts: list[tuple[Path, str]]
    words: dict[str, list[str]]


class Failure(NamedTuple):
    """What went wrong, and the text that does it."""

    what: str
    text: str


class TooSlowError(BaseException):
    """An answer takes longer than `LIMIT_S`."""


def corpus() -> Corpus:
    """All spec texts of the repository."""
    paths = [*ROOT.glob("specs/**/*.ibp"), *ROOT.glob("tests/golden/*/*.ibp")]
    texts = [(path.parent, path.read_text(encoding="utf-8")) for path in sorted(paths)]
    words: dict[str, list[str]] = {}
    for word in sorted({word for _, text in texts for word in WORD.findall(text)} | set(PIECES)):
        words.setdefault(kind_of(word), []).append(word)
    return Corpus(texts, words)


def kind_of(word: str) -> str:
    """Words that may stand for each other: names, numbers, operators, brackets, the rest."""
    if word[0].isalpha():
        return "name"
    if word[0].isdigit():
        return "number"
    return (
        "operator"
        if word in {*"+-*/^@<>", "<=", ">=", "==", "!=", "=>"}
        else word.strip() and "sign"
    )


def mutate(dice: random.Random, source: Corpus) -> tuple[str, str]:
    """A path and a text with one to three things changed: words, characters or whole lines."""
    folder, text = dice.choice(source.texts)
    kinds = (_alike,) * 8 + (_lines,) * 3 + (_words, _characters)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        text = dice.choice(kinds)(text, dice, source)
    return str(folder / "mutation.ibp"), text


def _alike(text: str, dice: random.Random, source: Corpus) -> str:
    """Replaces a word by one of its class, often one of the same text: what a check must catch."""
    words = WORD.findall(text)
    if not words:
        return text
    place = dice.randrange(len(words))
    kind = kind_of(words[place])
    own = [word for word in words if kind_of(word) == kind]
    words[place] = dice.choice(own if dice.random() < 0.5 else source.words[kind])
    return "".join(words)


def _words(text: str, dice: random.Random, source: Corpus) -> str:
    words = WORD.findall(text)
    start = dice.randrange(len(words) + 1)
    end = start + dice.choice((0, 1, 1, 1, 2, 5))
    every = [word for words in source.words.values() for word in words]
    new = [dice.choice(every) for _ in range(dice.choice((0, 1, 1, 2)))]
    if dice.random() < 0.2 and words:
        new.append(dice.choice(words))
    return "".join([*words[:start], *new, *words[end:]])


def _characters(text: str, dice: random.Random, _: Corpus) -> str:
    start = dice.randrange(len(text) + 1)
    new = "".join(chr(dice.choice((dice.randrange(32, 127), 10, 9, 13, 955))) for _ in range(2))
    return text[:start] + new[: dice.randrange(3)] + text[start + dice.randrange(3) :]


def _lines(text: str, dice: random.Random, source: Corpus) -> str:
    lines = text.split("\n")
    place, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    choice = dice.randrange(4)
    if choice == 0:
        lines[place], lines[other] = lines[other], lines[place]
    elif choice == 1:
        lines.insert(place, lines[other])
    elif choice == 2:
        del lines[place]
    else:
        lines.insert(place, dice.choice(dice.choice(source.texts)[1].split("\n")))
    return "\n".join(lines)


def answer(path: str, text: str) -> tuple[float, Failure | None]:
    """Seconds of CPU, and what is wrong with the answer if anything is."""
    start = time.process_time()
    failure = None
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
    try:
        found = analyse(path, WORDS, texts={path: text}, thorough=False)
        for one in found.diagnostics:
            if one.at is None:
                failure = Failure(f"no place: {one.code} {one.problem}", text)
    except TooSlowError:
        failure = Failure("too slow\n" + traceback.format_exc(limit=-8), text)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        failure = Failure(f"{where}: {error}\n{traceback.format_exc(limit=-6)}", text)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.process_time() - start, failure


def run(count: int, seed: int, log: str = "") -> tuple[list[Failure], float]:
    """The failures, each kind once, and the slowest answer in seconds of CPU."""
    source, dice = corpus(), random.Random(seed)
    signal.signal(signal.SIGVTALRM, _too_slow)
    failures: dict[str, Failure] = {}
    kinds: Counter[str] = Counter()
    slowest, begun = 0.0, time.process_time()
    for number in range(1, count + 1):
        seconds, failure = answer(*mutate(dice, source))
        slowest = max(slowest, seconds)
        if failure is not None:
            kind = failure.what.split("\n")[0][:60]
            kinds[kind] += 1
            if kind not in failures:
                failures[kind] = failure
                _tell(log, f"{failure.what}\n{json.dumps(failure.text)}")
        if number % 20_000 == 0:
            spent = time.process_time() - begun
            _tell(log, f"{number} done, {spent:.0f} s, slowest {slowest:.2f} s, {dict(kinds)}")
    return list(failures.values()), slowest


def _tell(log: str, text: str) -> None:
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(text + "\n")


def _too_slow(*_: object) -> None:
    raise TooSlowError


WORDS = vocabulary()


def main() -> int:
    """Run and tell; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", default="/dev/stderr")
    arguments = parser.parse_args()
    failures, slowest = run(arguments.count, arguments.seed, arguments.log)
    print(f"{arguments.count} mutations, slowest {slowest:.2f} s, {len(failures)} kinds of failure")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
