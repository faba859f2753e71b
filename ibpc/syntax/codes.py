"""The codes of the syntax room's mistakes, each with the sentence that `ibpc explain` prints."""

from __future__ import annotations

UNEXPECTED = "E0001"
UNKNOWN_DECLARATION = "E0002"
NO_EDITION = "E0003"
UNKNOWN_EDITION = "E0004"
EMPTY = "E0005"
UNCLOSED = "E0006"
UNOPENED = "E0007"
UNCLOSED_TEXT = "E0008"
BAD_CHARACTER = "E0009"
BAD_NUMBER = "E0010"
HUGE_NUMBER = "E0011"
TOO_DEEP = "E0012"
NOT_UTF8 = "E0013"
BINARY = "E0014"

UNREADABLE = "E0502"
TOO_LARGE = "E0506"
NO_TABLES = "E0507"

EXPLANATIONS = {
    UNEXPECTED: "Something else must stand here; the message lists what may.",
    UNKNOWN_DECLARATION: "A line outside of all blocks starts a declaration, with one of the "
    "words import, from, param, const, unit, type, enum, record, data, net, set, spec, train, "
    "verify, run or sweep.",
    NO_EDITION: "The first line of every file is `ibp 1`: it fixes the language and its defaults.",
    UNKNOWN_EDITION: "This ibpc knows edition 1 of the language only.",
    EMPTY: "A file needs at least its edition line, `ibp 1`.",
    UNCLOSED: "A parenthesis, bracket or brace is opened and never closed.",
    UNOPENED: "A closing parenthesis, bracket or brace matches no opening one.",
    UNCLOSED_TEXT: "A quoted text must end on the line on which it starts.",
    BAD_CHARACTER: "The character has no meaning outside of comments and quoted texts.",
    BAD_NUMBER: "Numbers are written 12, 0.5, 1e-3 or 2k; a unit follows after a space.",
    HUGE_NUMBER: "Numbers are exact, so their size is limited: 400 characters, exponents to 400.",
    TOO_DEEP: "Expressions and blocks are nested beyond any use; split them with `let`.",
    NOT_UTF8: "Files are text in UTF-8.",
    BINARY: "The file contains a NUL byte, so it is not text.",
    UNREADABLE: "The file is absent, is a folder, or may not be read.",
    TOO_LARGE: "A spec is written by people; a file of more than 4 MiB is something else.",
    NO_TABLES: "The parser's tables are missing or stale, and lark is not there to build them.",
}
