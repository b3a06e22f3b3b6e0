"""A datasheet as one HTML page that needs nothing else and prints well."""

from __future__ import annotations

import html
import re

from labsim.lab.manual import manual
from labsim.lab.manual.say import Say
from labsim.plant.interface import Interface

_CSS = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #d5dae0; --soft: #f4f6f8; --accent: #0b5fa5; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e7eb; --paper: #15181c; --line: #343a41; --soft: #1d2126; --accent: #6cb6f5; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Noto Sans SC", "Noto Sans TC", "PingFang SC", "Microsoft YaHei", sans-serif; }
main { display: grid; grid-template-columns: 13rem minmax(0, 1fr); gap: 2.5rem; max-width: 76rem; margin: 0 auto; padding: 2rem; }
nav { position: sticky; top: 2rem; align-self: start; font-size: .9em; }
nav a { display: block; padding: .15rem 0; color: var(--accent); text-decoration: none; }
h1 { margin: 0 0 .5rem; font-size: 1.7rem; line-height: 1.25; }
h2 { margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 2px solid var(--accent); font-size: 1.25rem; }
h3 { margin: 1.5rem 0 .4rem; font-size: 1.05rem; }
table { border-collapse: collapse; margin: .6rem 0 1rem; max-width: 100%; font-size: .92em; }
.wide { overflow-x: auto; }
th, td { padding: .3rem .6rem; border: 1px solid var(--line); text-align: left; vertical-align: top; }
th { background: var(--soft); }
tbody tr:nth-child(even) td { background: var(--soft); }
code, pre { font: .92em/1.45 ui-monospace, Consolas, "Noto Sans Mono", monospace; }
pre { padding: .8rem 1rem; overflow-x: auto; background: var(--soft); border: 1px solid var(--line); border-radius: 4px; }
@media (max-width: 52rem) { main { grid-template-columns: minmax(0, 1fr); } nav { position: static; } }
@media print { nav { display: none; } main { display: block; padding: 0; } body { font-size: 10pt; }
  tr, pre { break-inside: avoid; } h2, h3 { break-after: avoid; } }
"""


def manual_page(interface: Interface, lang: str = "en") -> str:
    """The datasheet of ``interface`` in ``lang`` as HTML; the same for every seat."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(manual(interface, lang))
    titles: list[str] = []

    def anchored(found: re.Match[str]) -> str:
        titles.append(found[1])
        return f'<h2 id="s{len(titles)}">{found[1]}</h2>'

    body = re.sub(r"<h2>(.*?)</h2>", anchored, body)
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    links = "\n".join(f'<a href="#s{number}">{title}</a>' for number, title in enumerate(titles, 1))
    title = html.escape(f"{Say(lang)(interface.title)} ({interface.type})")
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{_CSS}</style>\n</head>\n<body>\n<main>\n<nav>\n{links}\n</nav>\n<article>\n{body}</article>\n</main>\n</body>\n</html>\n"
    )
