"""Source text to syntax tree: the parser of `.ibp` files and its mistakes."""

from __future__ import annotations

from ibpc.syntax import tree
from ibpc.syntax.codes import EXPLANATIONS
from ibpc.syntax.parser import parse_expression, parse_file, parse_text

__all__ = ["EXPLANATIONS", "parse_expression", "parse_file", "parse_text", "tree"]
