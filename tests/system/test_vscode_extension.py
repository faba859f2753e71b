"""The VS Code extension: its grammar agrees with the lexer, its manifest names what is there."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ibpc.syntax import Source, tokenise
from ibpc.syntax.automaton import load_tables
from ibpc.syntax.concrete import concrete

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "integrations" / "vscode"
GRAMMAR = json.loads((FOLDER / "syntaxes" / "ibp.tmLanguage.json").read_text(encoding="utf-8"))
SPECS = sorted((ROOT / "specs").rglob("*.ibp"))
TEXTS = [*SPECS, *sorted((ROOT / "tests" / "golden" / "syntax").glob("*.ibp"))]
WORDS = load_tables().words

CLASSES = {
    "COMMENT": "comment.",
    "STRING": "string.",
    "NUMBER": "constant.numeric.ibp",
    "KERNEL": "constant.numeric.kernel.",
}
"""What a terminal of the lexer must look like in the editor; words and signs are told below."""


def rules(patterns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The matching rules behind a list of patterns, includes resolved, in order."""
    found: list[dict[str, Any]] = []
    for pattern in patterns:
        if "include" in pattern:
            inner = GRAMMAR["repository"][pattern["include"].removeprefix("#")]
            found += rules(inner.get("patterns", [inner]))
        else:
            assert set(pattern) <= {"name", "match", "captures"}, "the test knows no other rules"
            found.append({**pattern, "match": re.compile(pattern["match"])})
    return found


RULES = rules(GRAMMAR["patterns"])


def scopes(line: str) -> list[str]:
    """The scope of each character, as a TextMate engine gives them: the first match, in order."""
    result = [""] * len(line)
    place = 0
    while place < len(line):
        found = [(rule, rule["match"].search(line, place)) for rule in RULES]
        hits = [(hit.start(), n, rule, hit) for n, (rule, hit) in enumerate(found) if hit]
        if not hits:
            break
        _, _, rule, hit = min(hits, key=lambda one: one[:2])
        parts = {0: rule["name"]} if "name" in rule else {}
        parts |= {int(group): one["name"] for group, one in rule.get("captures", {}).items()}
        for group, name in parts.items():
            for at in range(*hit.span(group)):
                result[at] = name
        place = max(hit.end(), place + 1)
    return result


def shown(text: str) -> list[str]:
    """The scope of each character of a text, line by line."""
    return [scope for line in text.split("\n") for scope in [*scopes(line), ""]]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_the_grammar_agrees_with_the_lexer(path: Path) -> None:
    source = Source(str(path), path.read_text(encoding="utf-8"))
    found = shown(source.text)
    scanned = tokenise(source)
    leaves = concrete(source).leaves
    tokens = [token for token in scanned.tokens if token.kind != "_NL"]
    assert len(tokens) == len(leaves)
    kinds = {token.start: leaf.kind for token, leaf in zip(tokens, leaves, strict=True)}
    for token in [*tokens, *scanned.comments]:
        here = set(found[token.start : token.end])
        where = f"{path.name}: `{token.text}` at {token.start} is shown as {here}"
        assert len(here) == 1, where
        scope = here.pop()
        kind = kinds.get(token.start, "COMMENT")
        if kind in CLASSES:
            assert scope.startswith(CLASSES[kind]), where
        elif kind == "NAME":
            assert scope.startswith(("entity.", "variable.", "support.")), where
        elif kind == "T":
            assert scope, where
        elif kind in WORDS.values():
            assert scope.startswith("keyword."), where
        else:
            assert scope.startswith(("keyword.operator.ibp", "punctuation.")), where


def test_all_keywords_of_the_grammar_are_shown_as_such() -> None:
    """Whoever adds a keyword to `ibp.lark` is told to add it here."""
    text = json.dumps(GRAMMAR)
    assert {word for word in WORDS if not re.search(rf"\b{word}\b", text)} == set()


def test_the_manifest_names_files_that_are_there() -> None:
    manifest = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    offered = manifest["contributes"]
    language, grammar = offered["languages"][0], offered["grammars"][0]
    for path in (manifest["main"], language["configuration"], grammar["path"]):
        assert (FOLDER / path).is_file()
    assert grammar["scopeName"] == GRAMMAR["scopeName"] == "source.ibp"
    assert language["id"] == grammar["language"] == "ibp"
    assert language["extensions"] == [".ibp"]
    json.loads((FOLDER / language["configuration"]).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["README.md", "LICENSE", "extension.js", ".vscodeignore"])
def test_what_vsce_asks_for_is_there(name: str) -> None:
    assert (FOLDER / name).stat().st_size > 0


def test_every_pattern_is_one_that_editors_read_alike() -> None:
    """Nothing in which Oniguruma and Python differ: no possessive signs, no named groups."""
    for rule in RULES:
        pattern = rule["match"].pattern
        assert not re.search(r"\(\?P|[*+?}]\+|\(\?>|\\[hHGAZz]", pattern), pattern


def test_the_licence_is_the_one_of_the_whole_project() -> None:
    """GitHub, the wheel's metadata and vsce each look for it in a place of their own."""
    assert (FOLDER / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license-files"] == ["LICENSE"]
    manifest = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    assert manifest["license"] == project["license"] == "Apache-2.0"
