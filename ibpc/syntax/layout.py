"""Decides which line ends count, and checks that brackets match (see the head of `ibp.lark`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ibpc.errors import Diagnostic, Related
from ibpc.syntax import codes
from ibpc.syntax.tokens import Token

if TYPE_CHECKING:
    from ibpc.syntax.source import Source

DECLARATION_WORDS = (
    *("import", "from", "param", "const", "unit", "type", "enum", "record", "data", "net"),
    *("set", "spec", "train", "verify", "run", "sweep"),
)

_CLOSES = {")": "(", "]": "[", "}": "{"}
_CLOSER = {opener: closer for closer, opener in _CLOSES.items()}
_OPERATOR_WORDS = {"and", "or", "not"}
_TRAILING = {",", ":", "=", "->", "=>", "<=", ">=", "<", ">", "==", "!=", "..", ".", "^"}
_TRAILING |= {"+", "-", "*", "/", "@"} | _OPERATOR_WORDS
_LEADING = {"then", "else", "and", "or", "=>"}
_THIRD = {":", "=", "{", "(", "["}


class Layout(NamedTuple):
    """The tokens with only the line ends that count, what is wrong, and where (offsets)."""

    tokens: list[Token]
    problems: list[Diagnostic]
    broken: list[int]


def lay_out(source: Source, tokens: list[Token]) -> Layout:
    """Drops the line ends that count for nothing, and supplies the one before a block's `}`.

    Where brackets do not match, a declaration that starts in column 1 closes all that is open,
    so that one lost brace costs one declaration and not the rest of the file.
    """
    first = _Pass(source, tokens, restart=False).run()
    if not first.problems:
        return first
    return _Pass(source, tokens, restart=True).run()


class _Pass:
    """One walk over the tokens with the stack of open brackets (token, line ends are free)."""

    def __init__(self, source: Source, tokens: list[Token], *, restart: bool) -> None:
        self.source = source
        self.tokens = tokens
        self.restart = restart
        self.open: list[tuple[Token, bool]] = []
        self.line_end: Token | None = None
        self.result = Layout([], [], [])

    def run(self) -> Layout:
        for place, token in enumerate(self.tokens):
            if token.kind == "_NL":
                self.line_end = self.line_end or token
                continue
            if self.restart and self.open and self._starts_declaration(place):
                self._abandon()
            self._end_line(token)
            if token.text in _CLOSER and token.kind != "BAD":
                self.open.append((token, self._is_free(token)))
            elif token.text in _CLOSES and not self._close(token):
                continue
            self.result.tokens.append(token)
        if self.open:
            self._abandon()
        end = len(self.source.text)
        self._put_line_end(self.line_end or Token("_NL", "\n", end, end))
        return self.result

    def _last(self) -> Token | None:
        return self.result.tokens[-1] if self.result.tokens else None

    def _end_line(self, following: Token) -> None:
        """Emits the pending line end where it counts."""
        pending, self.line_end = self.line_end, None
        if pending is None or (self.open and self.open[-1][1]):
            return
        last = self._last()
        if last is None or last.text in _TRAILING or following.text in _LEADING:
            return
        self._put_line_end(pending)

    def _put_line_end(self, token: Token) -> None:
        last = self._last()
        if last is not None and last.kind != "_NL" and last.text != "{":
            self.result.tokens.append(token)

    def _is_free(self, token: Token) -> bool:
        """Whether line ends inside of the bracket count for nothing: all but a block's brace."""
        if token.text != "{" or (self.open and self.open[-1][1]):
            return True
        last = self._last()
        if last is None:
            return False
        word = last.kind == "NAME" and last.text not in {*_OPERATOR_WORDS, "in"}
        return not word and last.text not in {")", "]", "_NL", "\n"}

    def _close(self, token: Token) -> bool:
        """Takes a closing bracket; False where it closes nothing."""
        if self.open and self.open[-1][0].text == _CLOSES[token.text]:
            _, free = self.open.pop()
            if not free:
                self._put_line_end(Token("_NL", "\n", token.start, token.start))
            return True
        openers = [opener.text for opener, _ in self.open]
        if _CLOSES[token.text] in openers:
            while self.open[-1][0].text != _CLOSES[token.text]:
                self._unclosed(self.open.pop()[0], token)
            self.open.pop()
            return True
        if self.open and self.open[-1][1]:
            self._mismatched(self.open.pop()[0], token)
        else:
            self._unopened(token)
        return False

    def _starts_declaration(self, place: int) -> bool:
        """Whether the token in column 1 can only be the head of a declaration."""
        token = self.tokens[place]
        if token.text not in DECLARATION_WORDS or not self.source.starts_line(token.start):
            return False
        texts = [other.text for other in self.tokens[place + 1 : place + 3]] + ["", ""]
        if token.text in {"import", "from"}:
            return texts[0].startswith('"')
        if token.text == "unit" and texts[1] == "\n":
            return True
        return texts[0].isidentifier() and texts[1] in ({"{"} if token.text == "run" else _THIRD)

    def _abandon(self) -> None:
        """Reports the innermost open bracket, and closes all."""
        self._unclosed(self.open.pop()[0], None)
        end = self.result.tokens[-1].end
        for token, _ in self.open:
            self.result.broken.append(token.start)
            if token.text == "{":
                self.result.tokens.append(Token("RBRACE", "}", end, end))
        self.open.clear()

    def _unclosed(self, opener: Token, closer: Token | None) -> None:
        related: tuple[Related, ...] = ()
        if closer is not None:
            at = self.source.span(closer.start, closer.end)
            related = (Related(at, f"`{closer.text}` comes first"),)
        self.result.broken.append(opener.start)
        if opener.text == "{":  # so that braces match for those who count them
            end = self.result.tokens[-1].end
            self.result.tokens.append(Token("RBRACE", "}", end, end))
        self.result.problems.append(
            Diagnostic(
                codes.UNCLOSED,
                f"`{opener.text}` is never closed",
                self.source.span(opener.start, opener.end),
                "opened here",
                f"add `{_CLOSER[opener.text]}`",
                related,
            )
        )

    def _mismatched(self, opener: Token, closer: Token) -> None:
        self.result.broken.append(opener.start)
        if opener.text == "{":
            self.result.tokens.append(Token("RBRACE", "}", closer.end, closer.end))
        at = self.source.span(opener.start, opener.end)
        self.result.problems.append(
            Diagnostic(
                codes.UNOPENED,
                f"`{closer.text}` cannot close `{opener.text}`",
                self.source.span(closer.start, closer.end),
                fix=f"write `{_CLOSER[opener.text]}`",
                related=(Related(at, "opened here"),),
            )
        )

    def _unopened(self, token: Token) -> None:
        self.result.broken.append(token.start)
        self.result.problems.append(
            Diagnostic(
                codes.UNOPENED,
                f"`{token.text}` closes nothing",
                self.source.span(token.start, token.end),
                f"no `{_CLOSES[token.text]}` is open here",
            )
        )
