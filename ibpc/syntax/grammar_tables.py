"""Compiles `ibp.lark` into the parser's tables: run when a wheel is built, or in a fresh checkout.

The tables are plain JSON. Lark does the hard part (EBNF to BNF, LALR(1) with its conflicts found);
what runs them is `ibpc.syntax.machine`, which starts in a few milliseconds where lark itself needs
0.4 s of CPU to build its tables, and 0.05 s only to be imported.

This file imports nothing of ibpc: the build hook runs it before ibpc is installed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

_REDUCE = 1
START_SYMBOLS = ("file", "edition", "declaration", "expression")


def fingerprint(grammar: str) -> str:
    """What ties tables to the grammar, and to the code, that they were made with."""
    return hashlib.sha256(grammar.encode() + Path(__file__).read_bytes()).hexdigest()


def compile_grammar(grammar: str) -> str:
    """The tables of `grammar` as JSON text: the same bytes for the same grammar and lark.

    - `lexer`: one regular expression with a named group for each terminal that is not a word.
    - `words`: keyword -> terminal. `signs`: terminal -> how it is written, where it is fixed.
    - `rules`: origin, action ("" where the only child stands for the whole), length, and the
      places of the children to keep (i), to splice (-1 - i) or to leave a gap for (null).
    - `symbols`: the right side of each rule.
    - `states`: for each state, symbol -> the next state (>= 0) or the rule to reduce (-1 - rule).
    - `starts`, `ends`: the first and the accepting state of each start symbol.
    """
    from lark import Lark
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    parser = Lark(
        grammar,
        parser="lalr",
        lexer="basic",
        start=list(START_SYMBOLS),
        maybe_placeholders=True,
    )
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    table = data["parser"]["parser"]
    rules = {key: item for key, item in memo.items() if item["__type__"] == "Rule"}
    order = sorted(rules, key=lambda key: (rules[key]["origin"]["name"], _symbols(rules[key])))
    rule_at = {key: place for place, key in enumerate(order)}
    numbers = _numbers(table)

    def step(action: tuple[int, Any]) -> int:
        kind, argument = action
        return -1 - rule_at[argument["@"]] if kind == _REDUCE else numbers[argument]

    lexer, words, signs = _terminals(parser.terminals)
    tables = {
        "grammar": fingerprint(grammar),
        "lexer": lexer,
        "words": words,
        "signs": signs,
        "rules": [_rule(rules[key]) for key in order],
        "symbols": [_symbols(rules[key]) for key in order],
        "states": [
            {table["tokens"][token]: step(action) for token, action in actions.items()}
            for actions in (table["states"][state] for state in numbers)
        ],
        "starts": {name: numbers[state] for name, state in table["start_states"].items()},
        "ends": {name: numbers[state] for name, state in table["end_states"].items()},
    }
    return json.dumps(tables, separators=(",", ":"), sort_keys=True) + "\n"


def _symbols(rule: dict[str, Any]) -> list[str]:
    return [symbol["name"] for symbol in rule["expansion"]]


def _numbers(table: Any) -> dict[Any, int]:
    """Lark's states, in the order of a walk that depends on nothing but the grammar.

    Lark numbers its states anew in each run, by the addresses of objects.
    """
    todo = [state for _, state in sorted(table["start_states"].items())]
    numbers: dict[Any, int] = {}
    while todo:
        state = todo.pop(0)
        if state in numbers:
            continue
        numbers[state] = len(numbers)
        actions = table["states"][state].items()
        steps = sorted(
            (table["tokens"][token], action) for token, action in actions if action[0] != _REDUCE
        )
        todo += [target for _, (_, target) in steps]
    assert len(numbers) == len(table["states"]), "every state can be reached"
    return numbers


def _terminals(terminals: Any) -> tuple[str, dict[str, str], dict[str, str]]:
    """The regular expression for all terminals but words; the words; the fixed spellings."""
    fixed = {t.name: t.pattern.value for t in terminals if t.pattern.type == "str"}
    words = {text: name for name, text in fixed.items() if text.isidentifier()}
    others = [t for t in terminals if fixed.get(t.name) not in words]
    others.sort(key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name))
    lexer = "|".join(f"(?P<{t.name}>{t.pattern.to_regexp()})" for t in others)
    return lexer, words, fixed


def _rule(item: dict[str, Any]) -> list[Any]:
    """Origin, action, length and the plan of the children, as lark's own tree builder has them."""
    origin, alias, options = item["origin"]["name"], item["alias"], item["options"]
    gaps = "".join(str(int(gap)) for gap in options["empty_indices"])
    counts = [len(ones) for ones in gaps.split("0")] if gaps else [0] * (len(item["expansion"]) + 1)
    plan: list[int | None] = []
    for place, symbol in enumerate(item["expansion"]):
        plan += [None] * counts[place]
        if symbol["__type__"] == "Terminal" and symbol["filter_out"]:
            continue
        splice = symbol["__type__"] == "NonTerminal" and symbol["name"].startswith("_")
        plan.append(-1 - place if splice else place)
    plan += [None] * counts[-1]
    single = options["expand1"] and not alias and len(plan) == 1 and plan[0] is not None
    return [origin, "" if single else alias or origin, len(item["expansion"]), plan]
