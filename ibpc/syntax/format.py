"""The canonical layout of a text: `ibpc fmt`.

What it decides: blanks, indentation, line ends, blank lines, and the commas of lists. What it
never touches: the order and spelling of all else, comments included.

Where a construct may be broken, the author's choice stands as long as it fits: a list stays
broken if its first item is on a line of its own, a chain of operators if any of them ends or
begins a line, a claim if a line ends behind its quantifier. A cascade has one line per stage.
A broken list has one item per line, each with its comma.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.errors import InternalError
from ibpc.syntax.concrete import Leaf, Node, concrete
from ibpc.syntax.likeness import alike
from ibpc.syntax.parser import parse_source
from ibpc.syntax.printing import Broken, Group, Hard, Line, Nest, Remark, Space, render
from ibpc.syntax.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ibpc.syntax.concrete import Comment, Concrete
    from ibpc.syntax.printing import Doc

Item = Node | Leaf

# Rules whose brackets hold a list, which may end in a comma.
_LISTS = {"call", "index", "listing", "named_type", "tuple_type", "tuple", "parameters", "generics"}
# Rules of which a part is separated by commas, without brackets of their own.
_RUNNING = {"from_import", "schedule", "sweep_run", "options"}
_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_AFTER_OPERATOR = {"sum", "product", "comparison"}
_BEFORE_OPERATOR = {"conjunction", "disjunction", "implication"}
_CHAINS = _AFTER_OPERATOR | _BEFORE_OPERATOR
_CALLABLE = {"NAME", "NUMBER", "STRING", "RPAR", "RSQB", "RBRACE"}


def format_source(source: Source) -> str:
    """The text in its canonical layout: the same tree, the same comments, stable under itself.

    Raises:
        SyntaxMistake: the text is not the language.
        InternalError: the layout would change the meaning or lose a comment (a bug, never written).
    """
    before = parse_source(source)
    tree = concrete(source)
    text = render(_Layout(tree).file())
    after = Source(source.path, text)
    if not alike(before, parse_source(after)) or _remarks(tree) != _remarks(concrete(after)):
        raise InternalError(f"the layout of `{source.path}` would change what it says")
    return text


def _remarks(tree: Concrete) -> list[str]:
    return [comment.text for gap in tree.gaps for comment in gap.comments]


class _Layout:
    """Makes documents of concrete nodes. Each gap's comments are placed by what the gap divides."""

    def __init__(self, tree: Concrete) -> None:
        self.root = tree.root
        self.leaves = tree.leaves
        self.gaps = tree.gaps

    # --- lines -------------------------------------------------------------------------------

    def file(self) -> Doc:
        """The whole file: one blank line around every declaration that has a block."""
        return self._lines(self.root.children, len(self.leaves), top=True)

    def _lines(self, items: Sequence[Item], end: int, *, top: bool = False) -> Doc:
        """Items that have lines of their own, up to the gap before leaf `end`."""
        parts: list[Doc] = []
        for number, item in enumerate(items):
            around = items[max(number - 1, 0) : number + 1]
            apart = top and number > 0 and (number == 1 or any(map(_has_block, around)))
            gap = self.gaps[item.first]
            has_blank = gap.blank or any(c.after_blank for c in gap.comments if c.own_line)
            first = True
            for comment in gap.comments:
                parts.append(self._line_comment(comment, parts, first and apart and not has_blank))
                first = first and not comment.own_line
            blank = gap.blank or (first and apart)
            parts += [Hard(blank and bool(parts)), self.doc(item)]
        for comment in self.gaps[end].comments:
            parts.append(self._line_comment(comment, parts, False))
        return tuple(parts)

    def _line_comment(self, comment: Comment, before: list[Doc], apart: bool) -> Doc:
        if not comment.own_line:
            return Remark(comment.text, own_line=False)
        blank = comment.after_blank or apart
        return (Hard(blank and bool(before)), comment.text)

    # --- items -------------------------------------------------------------------------------

    def doc(self, item: Item, *, hangs: bool = True) -> Doc:
        """The document of a leaf or node; a chain that does not hang has no indented lines."""
        if isinstance(item, Leaf):
            return item.text
        if _is_fraction(item) and not any(self._comments(item.first + 1, item.last)):
            return tuple(self.doc(child) for child in item.children)
        if item.rule in _CHAINS and item.action != "":
            return self._chain(item, hangs=hangs)
        if item.rule in _RUNNING:
            return self._running(item)
        special = {
            "quantifier": self._quantifier,
            "report": self._report,
            "image": self._image,
        }.get(item.action)
        if special is not None:
            return special(item)
        return self._sequence(item.children, item)

    def _sequence(self, children: Sequence[Item], node: Node) -> Doc:
        """One after the other; what stands in brackets or braces becomes a group or a block."""
        parts: list[Doc] = []
        place = 0
        while place < len(children):
            child = children[place]
            if place > 0:
                parts.append(self._between(children[place - 1], child, node))
            closer = _CLOSERS.get(child.text) if isinstance(child, Leaf) else None
            if closer is None:
                parts.append(self.doc(child))
                place += 1
                continue
            end = _closing(children, place, closer)
            parts.append(self._enclosed(children[place : end + 1], node))
            place = end + 1
        return tuple(parts)

    def _between(self, left: Item, right: Item, node: Node) -> Doc:
        """The comments, or else the blank, between two neighbours of a line."""
        before, after = self.leaves[right.first - 1], self.leaves[right.first]
        comments = self.gaps[right.first].comments
        if comments:
            hang = 0 if before.text == "}" else 1
            return tuple(Remark(one.text, one.own_line, hang) for one in comments)
        if after.text in {")", "]", ",", ":", "."} or before.text in {"(", "[", "."}:
            return ""
        if node.action == "unary" and before.text == "-" and left is node.children[0]:
            return ""
        if after.text in {"(", "["} and before.kind in _CALLABLE:
            return ""
        return Space()

    def _enclosed(self, children: Sequence[Item], node: Node) -> Doc:
        opener, *inner, closer = children
        assert isinstance(opener, Leaf)
        assert isinstance(closer, Leaf)
        if node.action == "enum":
            labels = [[label] for label in inner if not _is_comma(label)]
            return self._listing(opener, labels, closer, commas=True, edge=" ")
        if closer.ends_block:
            body = self._lines(inner, closer.first)
            return (opener.text, Nest(body), Hard(), closer.text)
        if node.action not in _LISTS:
            return self._listing(opener, [inner], closer, commas=False, node=node)
        return self._listing(opener, _split(inner), closer, commas=True, node=node)

    # --- lists -------------------------------------------------------------------------------

    def _listing(
        self,
        opener: Leaf,
        elements: list[list[Item]],
        closer: Leaf,
        *,
        commas: bool,
        edge: str = "",
        node: Node | None = None,
    ) -> Doc:
        """Items in brackets: all on one line, or one a line with a comma each."""
        elements = [element for element in elements if element]
        parts: list[Doc] = []
        forced = bool(elements) and self.gaps[opener.first + 1].newline
        last = opener.first
        for number, element in enumerate(elements):
            trailing, own = self._comments(last + 1, element[0].first)
            forced = forced or bool(trailing or own)
            parts += ["," if number else "", trailing, Line(" " if number else edge), own]
            parts.append(self._element(element, node))
            last = element[-1].last
        trailing, own = self._comments(last + 1, closer.first)
        forced = forced or bool(trailing or own)
        if not forced and self._hugs(elements, opener, closer):
            return (opener.text, parts[-1], closer.text)
        if commas and elements:
            alone = node is not None and node.action == "tuple" and len(elements) == 1
            parts.append("," if alone else Broken(","))
        parts += [trailing, (Hard(), own[:-1]) if own else ""]
        return Group((opener.text, Nest(tuple(parts)), Line(edge), closer.text), forced)

    def _element(self, element: list[Item], node: Node | None) -> Doc:
        if len(element) == 1:
            return self.doc(element[0], hangs=node is None or node.action != "")
        assert node is not None
        return self._sequence(element, node)

    def _hugs(self, elements: list[list[Item]], opener: Leaf, closer: Leaf) -> bool:
        """Whether the brackets hold nothing but another pair of brackets, which break for both."""
        if len(elements) != 1 or len(elements[0]) != 1:
            return False
        inner = elements[0][0]
        bracket = isinstance(inner, Node) and inner.children[0]
        if not isinstance(bracket, Leaf) or bracket.text not in {"[", "{"}:
            return False
        return opener.first + 1 == inner.first and inner.last + 1 == closer.first

    def _running(self, node: Node) -> Doc:
        """Items separated by commas up to the end of the line; the commas of options are free."""
        head = [child for child in node.children if node.rule == "from_import"][:3]
        head = head or [child for child in node.children[:1] if node.action == "sweep_run"]
        elements = [child for child in node.children[len(head) :] if not _is_comma(child)]
        parts: list[Doc] = []
        forced = False
        for number, element in enumerate(elements):
            if number:
                trailing, own = self._comments(elements[number - 1].last + 1, element.first)
                forced = forced or self._newline(elements[number - 1].last + 1, element.first)
                parts += [",", trailing, Line(), own]
            parts.append(self.doc(element))
        start: Doc = ""
        if head:
            start = (self._sequence(head, node), self._between(head[-1], elements[0], node))
        return Group((start, parts[0], Nest(tuple(parts[1:]))), forced)

    # --- expressions -------------------------------------------------------------------------

    def _chain(self, node: Node, *, hangs: bool) -> Doc:
        """Operands and operators of one level, broken all or none."""
        items = _flat(node)
        parts: list[Doc] = []
        forced = False
        for operator, operand in zip(items[1::2], items[2::2], strict=True):
            trailing, own = self._comments(operator.first, operand.first)
            forced = forced or self._newline(operator.first, operand.first)
            if node.rule in _AFTER_OPERATOR:
                parts += [Space(), self.doc(operator), trailing, Line(), own]
            else:
                parts += [trailing, Line(), own, self.doc(operator), Space()]
            parts.append(self.doc(operand))
        rest = tuple(parts)
        return Group((self.doc(items[0]), Nest(rest) if hangs else rest), forced)

    def _quantifier(self, node: Node) -> Doc:
        """`forall x in A, z = f(x):`, and the body behind it or below it."""
        word, *binders, colon, body = node.children
        head = [self.doc(word), self._between(word, binders[0], node)]
        trailing, own = self._comments(colon.first, body.first)
        forced = self._newline(colon.first, body.first)
        below = Nest((Line(), own, self.doc(body, hangs=False)))
        return Group((*head, self._binders(binders), ":", trailing, below), forced)

    def _binders(self, binders: Sequence[Item]) -> Doc:
        parts: list[Doc] = []
        forced = False
        names = [binder for binder in binders if not _is_comma(binder)]
        for number, binder in enumerate(names):
            if number:
                trailing, own = self._comments(names[number - 1].last + 1, binder.first)
                forced = forced or self._newline(names[number - 1].last + 1, binder.first)
                parts += [",", trailing, Line(), own]
            parts.append(self.doc(binder))
        return Group((parts[0], Nest(Nest(tuple(parts[1:])))), forced)

    def _image(self, node: Node) -> Doc:
        """`{ e for a in I, b in J }`."""
        opener, body, word, *binders, closer = node.children
        first, own_first = self._comments(body.first, body.first)
        middle, own_middle = self._comments(word.first, binders[0].first)
        final, own_final = self._comments(closer.first, closer.first)
        comments = (first, own_first, middle, own_middle, final, own_final)
        forced = any(comments) or self.gaps[body.first].newline
        inside = (first, Line(), own_first, self.doc(body), middle, Line(), own_middle)
        end = (final, (Hard(), own_final[:-1]) if own_final else "")
        loop = (self.doc(word), Space(), self._binders(binders))
        content = Nest((*inside, *loop, *end))
        return Group((self.doc(opener), content, Line(), self.doc(closer)), forced)

    def _report(self, node: Node) -> Doc:
        """`report name = by stage`, and a line for each further stage."""
        place = next(i for i, child in enumerate(node.children) if _is_stages(child))
        stages = node.children[place]
        assert isinstance(stages, Node)
        first, *others = (*stages.children, *node.children[place + 1 :])
        start = self._sequence((*node.children[:place], first), node)
        parts: list[Doc] = []
        forced = len(stages.children) > 1
        for word, value in zip(others[::2], others[1::2], strict=True):
            trailing, own = self._comments(word.first, value.first)
            forced = forced or self._newline(word.first, value.first)
            parts += [trailing, Line(), own, self.doc(word), Space(), self.doc(value)]
        return Group((start, Nest(tuple(parts))), forced)

    # --- comments ----------------------------------------------------------------------------

    def _comments(self, start: int, end: int) -> tuple[tuple[Doc, ...], tuple[Doc, ...]]:
        """The comments of the gaps before leaves `start` to `end`: behind the line; on their own.

        Each of the latter is followed by a line's end.
        """
        found = [comment for gap in self.gaps[start : end + 1] for comment in gap.comments]
        trailing = found[:1] if found and not found[0].own_line else []
        own: list[Doc] = []
        for comment in found[len(trailing) :]:
            own += [comment.text, Hard()]
        return tuple(Remark(one.text, own_line=False) for one in trailing), tuple(own)

    def _newline(self, start: int, end: int) -> bool:
        """Whether a line ends in one of the gaps before leaves `start` to `end`."""
        return any(gap.newline for gap in self.gaps[start : end + 1])


def _is_comma(item: Item) -> bool:
    return isinstance(item, Leaf) and item.text == ","


def _is_stages(item: Item) -> bool:
    return isinstance(item, Node) and item.rule == "stages"


def _closing(children: Sequence[Item], start: int, closer: str) -> int:
    """The place of the bracket that closes the one at `start`."""
    for place in range(start + 1, len(children)):
        child = children[place]
        if isinstance(child, Leaf) and child.text == closer:
            return place
    raise InternalError("a rule of the grammar opens a bracket and does not close it")


def _split(items: Iterable[Item]) -> list[list[Item]]:
    """The items between commas."""
    elements: list[list[Item]] = [[]]
    for item in items:
        if _is_comma(item):
            elements.append([])
        else:
            elements[-1].append(item)
    return elements


def _flat(node: Node) -> list[Item]:
    """Operands and operators of a chain, through nested nodes of the same rule."""
    items = list(node.children)
    while node.action == "binary":
        place = -1 if node.rule == "implication" else 0
        inner = items[place]
        if not isinstance(inner, Node) or inner.rule != node.rule or inner.action != "binary":
            break
        if _is_fraction(inner):
            break
        items[place : len(items) if place else 1] = inner.children
    return items


def _is_fraction(node: Node) -> bool:
    """Whether the node is a quotient of two plain numbers, written without blanks: `8/255`."""
    if node.action != "binary" or len(node.children) != 3:
        return False
    above, sign, below = node.children
    return isinstance(sign, Leaf) and sign.text == "/" and _is_number(above) and _is_number(below)


def _is_number(item: Item) -> bool:
    if isinstance(item, Leaf) or item.action not in {"number", "unary"}:
        return False
    return item.action == "number" or (
        len(item.children) == 2
        and isinstance(item.children[0], Leaf)
        and item.children[0].text == "-"
        and _is_number(item.children[1])
    )


def _has_block(item: Item) -> bool:
    """Whether a declaration ends with a block of lines; an enum may stand on one line."""
    if isinstance(item, Leaf) or item.action == "enum":
        return False
    end = item.children[-1]
    return end.ends_block if isinstance(end, Leaf) else _has_block(end)
