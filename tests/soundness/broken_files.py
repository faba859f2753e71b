"""Files that are damaged, absurd or malicious, written from a seed."""

from __future__ import annotations

import gzip
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from network_changes import CHANGES, weights_lie_elsewhere
from small_instances import NETS, PROPERTIES, model


def damage(data: bytes, draw: Random) -> bytes:
    """Bits flipped, an end cut off, a hole, a stretch doubled, bytes replaced."""
    place = draw.randrange(len(data))
    kind = draw.randrange(6)
    if kind == 0:
        return data[:place]
    if kind == 1:
        return data[:place] + data[place + draw.randrange(1, 9) :]
    if kind == 2:
        return data[:place] + data[max(0, place - 20) : place] + data[place:]
    if kind == 3:
        return data[:place] + bytes(draw.randrange(256) for _ in range(8)) + data[place + 8 :]
    changed = bytearray(data)
    for _ in range(1 if kind == 4 else draw.randrange(2, 12)):
        changed[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(changed)


NUMERALS = (
    *("1e400", "1e-400", "1e99999999999", "9" * 900, "9" * 5000, "0." + "1" * 900, "-0.0", "nan"),
    *(
        "inf",
        "-inf",
        "0x10",
        "1e",
        "--1",
        "1/0",
        "1e39",
        "-3.5e38",
        "1e-46",
        "0." + "0" * 300 + "1",
    ),
)


def property_changed(text: str, draw: Random) -> str:
    """A numeral, index, sign, word or command of a property that makes it absurd, or just other."""
    words = text.replace("(", " ( ").replace(")", " ) ").split(" ")
    place = draw.choice([i for i, word in enumerate(words) if word.strip()])
    deep = draw.choice((50, 9_000, 200_000))
    many = draw.choice((8, 17, 40))
    either = "(assert (or (<= Y_0 Y_1) (>= Y_0 3.0)))\n"
    changes = (
        lambda: " ".join([*words[:place], draw.choice(NUMERALS), *words[place + 1 :]]),
        lambda: " ".join([*words[:place], draw.choice(NUMERALS), *words[place + 1 :]]),
        lambda: " ".join([*words[:place], *words[place + 1 :]]),
        lambda: text.replace("Y_0", draw.choice(("Y_7", "Y_99999999999", "Y_49999999", "X_0"))),
        lambda: text.replace("X_3", draw.choice(("X_3000000", "X_49999999", "X_2", "X_4"))),
        lambda: text.replace("[1,4]", draw.choice(("[4]", "[50000000]", "[99999999999,2]", "[]"))),
        lambda: text + "(assert " + "(and " * deep + "(<= Y_0 Y_1)" + ")" * deep + ")",
        lambda: text + "(assert (<= " + "(+ 1.0 " * deep + "Y_0" + ")" * deep + " 1.0))",
        lambda: text + "(assert " + "(not " * deep + "(<= Y_0 Y_1)" + ")" * deep + ")",
        lambda: text + "(" * deep,
        lambda: text + either * many,
        lambda: text.replace(">=", draw.choice(("<=", "<", "==", "=", "!=")), draw.randrange(1, 4)),
        lambda: text.replace("1.0", draw.choice(("-0.5", "-0.6", "3e38", "1e30", "9e9"))),
        lambda: text.replace("(assert", "(check-sat) (assert", 1),
        lambda: text + "(assert (<= (* Y_0 Y_1) 1.0))",
        lambda: text.replace("declare-input", "declare-hidden", 1),
        lambda: text + text,
    )
    return draw.choice(changes)()


@dataclass(frozen=True)
class Broken:
    """One case: what was done, and the two files in a folder of their own."""

    what: str
    network: Path
    property: Path


def broken(number: int, folder: Path) -> Broken:
    """Case `number`, written to `folder` (which is emptied of nothing, and may be reused)."""
    draw = Random(number)
    which, text = number % len(NETS), PROPERTIES[number // len(NETS) % len(PROPERTIES)]
    network = model(which)
    data, wanted = network.SerializeToString(), text.encode()
    kind = draw.random()
    what = f"{number}: {NETS[which].__name__}, "
    if kind < 0.55:
        change = draw.choice(CHANGES)
        change(network, draw)
        if draw.random() < 0.15 and change is not weights_lie_elsewhere:
            with suppress(Exception):  # the first may have left nothing to change
                draw.choice(CHANGES)(network, draw)
        data, what = network.SerializeToString(), what + change.__name__
    elif kind < 0.75:
        data, what = damage(data, draw), what + "network damaged"
    elif kind < 0.9:
        wanted = property_changed(text, draw).encode("utf-8", "replace")
        what += "property changed"
    else:
        wanted, what = damage(wanted, draw), what + "property damaged"
    paths = folder / "inner" / "net.onnx", folder / "inner" / "wanted.vnnlib"
    for path, content in zip(paths, (data, wanted), strict=True):
        packed = draw.random() < 0.1
        content = gzip.compress(content, mtime=0) if packed else content
        path.write_bytes(damage(content, draw) if packed and draw.random() < 0.5 else content)
    return Broken(what, *paths)
