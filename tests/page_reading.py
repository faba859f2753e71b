"""Reads a report's page with Python's own parser: nesting, figures, addresses, tables."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "hr", "input"}
ADDRESSES = ("href", "src", "action", "poster", "srcset", "xlink:href", "formaction")


class Page(HTMLParser):
    """What stands in a page.

    `figures`: the exact values by "task/report"; `shown`: the texts of the same elements;
    `addresses`: every address that the page names; `problems`: tags that do not nest.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.figures: dict[str, set[str]] = {}
        self.shown: dict[str, set[str]] = {}
        self.addresses: list[str] = []
        self.problems: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.styles = ""
        self._open: list[tuple[str, dict[str, str]]] = []
        self.feed(text)
        self.close()
        self.problems += [f"<{name}> is not closed" for name, _ in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self.tags.append((tag, known))
        self.addresses += [known[name] for name in ADDRESSES if name in known]
        self.styles += known.get("style", "")
        if tag == "data":
            self.figures.setdefault(known["data-figure"], set()).add(known["value"])
        if tag not in VOID:
            self._open.append((tag, known))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            self.problems.append(f"</{tag}> closes {self._open[-1:]}")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        name, known = self._open[-1] if self._open else ("", {})
        self.texts.append((name, data))
        if name == "style":
            self.styles += data
        if name == "data":
            self.shown.setdefault(known["data-figure"], set()).add(data)

    def text(self, tag: str) -> list[str]:
        """The texts directly inside of elements of a kind."""
        return [text for name, text in self.texts if name == tag]

    def external(self) -> list[str]:
        """What would be fetched from elsewhere."""
        named = [one for one in self.addresses if not one.startswith(("#", "data:"))]
        named += [part for part in ("url(", "@import") if part in self.styles]
        return named + [name for name, _ in self.tags if name in {"script", "iframe", "object"}]
