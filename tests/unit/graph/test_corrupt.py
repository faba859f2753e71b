"""Damaged files: never a crash, never a hang, always a located mistake (or a graph)."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from ibpc.errors import IbpcError, ModelMistake
from ibpc.graph import Graph, check_law, emit, load_onnx, read_onnx, write_onnx
from ibpc.language.program import DeclaredNet

GOLDEN = Path(__file__).parents[2] / "golden" / "graph"


def mutate(data: bytes, chance: random.Random) -> bytes:
    """A truncation, a hole, or some flipped bits."""
    kind = chance.randrange(4)
    place = chance.randrange(len(data))
    if kind == 0:
        return data[:place]
    if kind == 1:
        return data[:place] + data[place + chance.randrange(1, 9) :]
    damaged = bytearray(data)
    for _ in range(1 if kind == 2 else chance.randrange(2, 20)):
        damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def own_words(error: IbpcError) -> str:
    """The message without its notes, which quote protobuf and onnx, each version its own way."""
    lines = str(error).splitlines()
    return "\n".join(line for line in lines if "= note:" not in line) + "\n"


@pytest.mark.parametrize("which", ["chain", "plan"])
def test_damage_never_crashes_the_reader(which: str, chain: Graph, plan: DeclaredNet) -> None:
    data = write_onnx(chain if which == "chain" else emit(plan, 0))
    chance = random.Random(which)
    refusals = []
    for _ in range(300):
        try:
            check_law(read_onnx(mutate(data, chance), "damaged.onnx"))
        except IbpcError as error:
            refusals.append(error)
    assert len(refusals) > 30
    for error in refusals:
        assert error.diagnostics[0].code.startswith("E08")
        assert "damaged.onnx" in str(error)


def test_a_truncated_file_has_a_golden_message(
    chain: Graph,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    golden: Callable[[Path, str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cut.onnx").write_bytes(write_onnx(chain)[:100])
    with pytest.raises(ModelMistake) as told:
        load_onnx("cut.onnx")
    golden(GOLDEN / "cut.err", own_words(told.value))


def test_a_file_that_contradicts_itself_has_a_golden_message(
    chain: Graph,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    golden: Callable[[Path, str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    data = write_onnx(chain).replace(b"Reshape", b"Reshxpe")
    Path("flipped.onnx").write_bytes(data)
    with pytest.raises(ModelMistake) as told:
        load_onnx("flipped.onnx")
    golden(GOLDEN / "flipped.err", own_words(told.value))


@pytest.mark.parametrize("damage", [lambda d: d[:-9], lambda d: d[:30] + b"x" + d[31:]])
def test_a_damaged_gzip_file_is_refused(
    damage: Callable[[bytes], bytes], chain: Graph, tmp_path: Path
) -> None:
    (tmp_path / "net.onnx.gz").write_bytes(damage(gzip.compress(write_onnx(chain), mtime=0)))
    with pytest.raises(ModelMistake, match=r"net\.onnx\.gz: "):
        load_onnx(tmp_path / "net.onnx.gz")


def test_text_is_not_a_network(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_text("<html>404: not found</html>")
    with pytest.raises(ModelMistake, match="this is not an ONNX file, or it is damaged"):
        load_onnx(tmp_path / "net.onnx")
