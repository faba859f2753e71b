"""Elements of HTML and SVG, built as trees so that whatever stands in them is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from xml.etree.ElementTree import Element, tostring

Child = Element | str | int | None | Iterable["Child"]
"""What an element may hold: elements, text, nothing, or several of them."""

SVG = "http://www.w3.org/2000/svg"

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a page may load: its own styles and pictures, and nothing from anywhere."""


def tag(name: str, /, *children: Child, **attributes: str | float | None) -> Element:
    """`tag("a", "text", href="#x", class_="y")`; attributes that are None are left out."""
    element = Element(
        name,
        {
            key.rstrip("_").replace("_", "-"): _text(value)
            for key, value in attributes.items()
            if value is not None
        },
    )
    put(element, *children)
    return element


def put(element: Element, *children: Child) -> None:
    """Append children to an element."""
    for child in children:
        if child is None:
            continue
        if isinstance(child, Element):
            element.append(child)
        elif isinstance(child, str | int):
            _put_text(element, str(child))
        else:
            put(element, *child)


def page(title: str, style: str, *body: Child) -> str:
    """A whole HTML document, which refers to nothing outside of itself."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content="ibpc"),
        tag("title", title),
        tag("style", style),
        tag("link", rel="icon", href="data:,"),
    )
    document = tag("html", head, tag("body", *body), lang="en")
    return "<!doctype html>\n" + tostring(document, encoding="unicode", method="html") + "\n"


def drawing(svg: Element, style: str) -> bytes:
    """An SVG file of its own, with the style that the page would have given."""
    alone = deepcopy(svg)
    alone.set("xmlns", SVG)
    alone.insert(0, tag("style", style))
    data: bytes = tostring(alone, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _put_text(element: Element, text: str) -> None:
    text = "".join(sign for sign in text if sign >= " " or sign in "\n\t")
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _text(value: str | float) -> str:
    """Coordinates need no more than two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
