"""Pictures as SVG elements: built as a tree, so that a name from a client can never become markup."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

Node = Element


def picture(width: int, height: int, name: str, title: str, description: str) -> Node:
    """An empty picture that a screen reader names by its title and description. ``name`` is unique on the page."""
    root = Element(
        "svg",
        {
            "viewBox": f"0 0 {width} {height}",
            "width": str(width),
            "height": str(height),
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-desc",
            "xmlns": "http://www.w3.org/2000/svg",
        },
    )
    SubElement(root, "title", {"id": f"{name}-title"}).text = _printable(title)
    SubElement(root, "desc", {"id": f"{name}-desc"}).text = _printable(description)
    return root


def add(parent: Node, tag: str, css: str, *, tip: str = "", **attributes: float | str) -> Node:
    """Add an element with a class; ``_`` in attribute names stands for ``-``. ``tip`` is shown on hover."""
    node = SubElement(parent, tag, {"class": css, **{k.replace("_", "-"): str(v) for k, v in attributes.items()}})
    if tip:
        SubElement(node, "title").text = _printable(tip)
    return node


def text(parent: Node, css: str, x: float, y: float, said: str, **attributes: float | str) -> Node:
    """Add a line of text."""
    node = add(parent, "text", css, tip="", x=x, y=y, **attributes)
    node.text = _printable(said)
    return node


def cross(parent: Node, css: str, x: float, y: float, size: float, tip: str = "") -> None:
    """Add a diagonal cross around a point."""
    path = f"M{x - size:.1f} {y - size:.1f}l{2 * size} {2 * size}m0 {-2 * size}l{-2 * size} {2 * size}"
    add(parent, "path", css, tip=tip, d=path)


def markup(root: Node) -> str:
    """The picture as text."""
    return tostring(root, encoding="unicode")


def _printable(said: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(c if c >= " " or c in "\t\n" else "\ufffd" for c in said if not "\ud800" <= c <= "\udfff")
