"""Text to tree; on a mistake, every declaration is read alone so that one run tells several."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ibpc.errors import Diagnostic, SyntaxMistake, did_you_mean
from ibpc.syntax import codes
from ibpc.syntax.automaton import Tables, load_tables
from ibpc.syntax.build import TreeBuilder
from ibpc.syntax.layout import DECLARATION_WORDS, Layout, lay_out
from ibpc.syntax.machine import Machine, TooDeepError, UnexpectedError
from ibpc.syntax.messages import unexpected
from ibpc.syntax.source import Source, read_source
from ibpc.syntax.tokens import Scan, Token, scan

if TYPE_CHECKING:
    import os

    from ibpc.syntax import tree

EDITION = 1
MAX_MISTAKES = 20

# The rules that end with a line's end: after a mistake the parser goes on behind such a line.
_LINES = ("layer_item", "verify_item", "setting", "field", "sweep_item", "statement", "run_item")


def parse_file(path: str | os.PathLike[str]) -> tree.File:
    """The tree of the `.ibp` file at `path`; its spans carry the path as given.

    Raises:
        SyntaxMistake: the text is not the language (several diagnostics).
        FileMistake: the file is absent, a folder, unreadable or too large.
    """
    source = read_source(path)
    return _parsed(source.path, source.text)


def parse_text(text: str, path: str) -> tree.File:
    """The tree of a file's text; `path` is what its spans say.

    Raises:
        SyntaxMistake: the text is not the language (several diagnostics).
    """
    return _parsed(path, text)


@lru_cache(maxsize=64)
def _parsed(path: str, text: str) -> tree.File:
    """One text's tree, which nobody changes: specs that are checked together share imports."""
    return parse_source(Source(path, text))


def parse_expression(text: str, path: str) -> tree.Expr:
    """The tree of one expression, as `-p name=value` has it; `path` is what its spans say.

    Raises:
        SyntaxMistake: the text is not an expression.
    """
    source, tables = Source(path, text), load_tables()
    scanned = scan(source, tables)
    layout = lay_out(source, scanned.tokens)
    tokens = layout.tokens[:-1] if layout.tokens[-1:] else []
    problems = scanned.problems + layout.problems
    machine = Machine(tables, "expression", source, TreeBuilder(source))
    if not problems:
        try:
            result: tree.Expr = machine.run(tokens)
        except UnexpectedError as stop:
            problems.append(unexpected(machine, stop.token))
        except TooDeepError as stop:
            problems.append(_too_deep(stop))
        else:
            return result
    raise SyntaxMistake(*problems[:MAX_MISTAKES])


def tokenise(source: Source) -> Scan:
    """The words and signs of a text as they stand, its comments, and what is no word at all."""
    return scan(source, load_tables())


def parse_source(source: Source) -> tree.File:
    """The tree of a source: the whole file at once; only if that fails, each declaration alone.

    Raises:
        SyntaxMistake: the text is not the language (several diagnostics).
    """
    tables = load_tables()
    scanned = scan(source, tables)
    layout = lay_out(source, scanned.tokens)
    problems = scanned.problems + layout.problems
    edition = _edition_problem(source, layout.tokens)
    if edition is not None and edition.code != codes.NO_EDITION:
        raise SyntaxMistake(edition)
    if not problems and edition is None:
        try:
            file = Machine(tables, "file", source, TreeBuilder(source)).run(layout.tokens)
        except (UnexpectedError, TooDeepError):
            pass
        else:
            file.docs.update(_docs(file, source, scanned.comments))
            return file  # type: ignore[no-any-return]
    if edition is not None:
        problems.append(edition)
    problems += _problems_by_declaration(source, tables, layout)
    problems.sort(key=_place)
    raise SyntaxMistake(*problems[:MAX_MISTAKES])


def _place(problem: Diagnostic) -> tuple[int, int]:
    assert problem.at is not None, "a syntax mistake has a place"
    return problem.at.line, problem.at.column


def _edition_problem(source: Source, tokens: list[Token]) -> Diagnostic | None:
    """What is wrong with the first line; nothing else is read in an unknown edition."""
    if not tokens:
        return Diagnostic(
            codes.EMPTY,
            f"`{source.path}` is empty",
            source.point(0),
            fix=f"start with the line `ibp {EDITION}`",
        )
    first, second = tokens[0], tokens[1] if len(tokens) > 1 else None
    if first.text != "ibp":
        return Diagnostic(
            codes.NO_EDITION,
            "the edition line is missing",
            source.span(first.start, first.end),
            "the first line must name the edition",
            f"write `ibp {EDITION}` as the first line",
        )
    if second is not None and second.kind == "NUMBER" and second.text != str(EDITION):
        return Diagnostic(
            codes.UNKNOWN_EDITION,
            f"unknown edition {second.text}",
            source.span(second.start, second.end),
            f"this ibpc knows edition {EDITION}",
            f"write `ibp {EDITION}`, or use a newer ibpc",
        )
    return None


def _docs(file: tree.File, source: Source, comments: list[Token]) -> dict[str, str]:
    """Declared name -> the `##` lines directly above the declaration."""
    lines = {
        source.span(token.start, token.end).line: token.text[2:].strip()
        for token in comments
        if token.text.startswith("##") and not _before(source, token.start)
    }
    result = {}
    for declaration in file.declarations:
        name = getattr(declaration, "name", None)
        line = declaration.span.line
        first = line
        while first - 1 in lines:
            first -= 1
        if name is not None and first < line:
            result[name.text] = "\n".join(lines[number] for number in range(first, line))
    return result


def _before(source: Source, offset: int) -> str:
    """What stands before `offset` on its line, without blanks."""
    start = source.text.rfind("\n", 0, offset) + 1
    return source.text[start:offset].strip()


# --- after a mistake -------------------------------------------------------------------------


def _problems_by_declaration(source: Source, tables: Tables, layout: Layout) -> list[Diagnostic]:
    """The mistakes of each declaration; those with unmatched brackets have been told of."""
    problems: list[Diagnostic] = []
    for place, chunk in enumerate(_chunks(layout.tokens)):
        start, end = chunk[0].start, chunk[-1].end
        if any(start <= offset < end for offset in layout.broken) or chunk[0].kind == "BAD":
            continue
        if place == 0 and chunk[0].text not in DECLARATION_WORDS:
            if chunk[0].text == "ibp":
                problems += _problems(source, tables, "edition", chunk)
        elif chunk[0].text in DECLARATION_WORDS:
            problems += _problems(source, tables, "declaration", chunk)
        elif chunk[0].text != "{" or not problems:  # else its header has been told of
            problems.append(_unknown_declaration(source, chunk[0]))
    return problems


def _chunks(tokens: list[Token]) -> list[list[Token]]:
    """The tokens cut behind each line end that lies outside of all braces."""
    chunks: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        chunks[-1].append(token)
        if token.kind == "_NL" and depth <= 0:
            chunks.append([])
            depth = 0
    return [chunk for chunk in chunks if chunk]


def _unknown_declaration(source: Source, token: Token) -> Diagnostic:
    at = source.span(token.start, token.end)
    if token.text == "ibp":
        return Diagnostic(codes.UNKNOWN_DECLARATION, "the edition line stands once, at the top", at)
    return Diagnostic(
        codes.UNKNOWN_DECLARATION,
        f"expected a declaration, found `{token.text}`",
        at,
        "does not start a declaration",
        did_you_mean(token.text, DECLARATION_WORDS)
        or "a declaration starts with one of: " + ", ".join(DECLARATION_WORDS),
    )


def _problems(source: Source, tables: Tables, start: str, tokens: list[Token]) -> list[Diagnostic]:
    """The mistakes of one declaration, resuming behind each line that has one."""
    machine = Machine(tables, start, source, None)
    problems: list[Diagnostic] = []
    place = 0
    stuck = -1
    while place <= len(tokens) and len(problems) < MAX_MISTAKES:
        try:
            _feed(machine, tokens, place)
            place += 1
        except TooDeepError as stop:
            problems.append(_too_deep(stop))
            break
        except UnexpectedError as stop:
            if stop.token.kind != "BAD":  # what is BAD has been told of by the lexer
                problems.append(unexpected(machine, stop.token))
            level = _line_level(machine)
            if level is None or stuck == place:
                break
            stuck = place
            place = _next_line(tokens, place)
            if place < len(tokens):
                machine.recover(*level, tokens[place].start)
    return problems


def _feed(machine: Machine, tokens: list[Token], place: int) -> None:
    if place < len(tokens):
        machine.feed(tokens[place])
    else:
        machine.finish()


def _too_deep(stop: TooDeepError) -> Diagnostic:
    return Diagnostic(
        codes.TOO_DEEP, "this is nested too deeply", stop.span, fix="split it with `let`"
    )


def _line_level(machine: Machine) -> tuple[int, str] | None:
    """The innermost place of the stack that waits for a whole line, and what it calls it."""
    for depth in range(len(machine.states), 0, -1):
        actions: dict[str, Any] = machine.tables.states[machine.states[depth - 1]]
        for symbol in _LINES:
            if symbol in actions:
                return depth, symbol
    return None


def _next_line(tokens: list[Token], place: int) -> int:
    """Where to go on: behind the end of this line and its inner blocks, or at the block's `}`."""
    depth = 0
    while place < len(tokens):
        token = tokens[place]
        if token.text == "}" and depth == 0:
            return place
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        place += 1
        if token.kind == "_NL" and depth == 0:
            return place
    return place
