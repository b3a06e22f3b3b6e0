"""What the YAML parser stumbled over, said for the person who wrote the file."""

from __future__ import annotations

from typing import Any

from labsim.errors import Problem

_SENTENCES = {
    # newer parsers stop by themselves, deeper than ours does
    "exceeded maximum nesting depth": ("values are nested more than 40 levels deep here", ""),
    "mapping values are not allowed in this context": (
        "a ':' stands where no key can be",
        "Put a text that holds ': ' in quotes, or check the indentation above.",
    ),
    "did not find expected key": (
        "no key begins here",
        "Check that the line is indented like its neighbours, and put a text with special characters in quotes.",
    ),
    "could not find expected ':'": ("a key without a ':'", "Write 'key: value', or check the quotes and indentation."),
    "did not find expected '-' indicator": (
        "the list goes on without a '-'",
        "Begin each item with '- ' in the same column.",
    ),
    "did not find expected ',' or '}'": ("a ',' or '}' is missing before this", "The brace opens on line {opened}."),
    "did not find expected ',' or ']'": ("a ',' or ']' is missing before this", "The bracket opens on line {opened}."),
    "did not find expected node content": ("a value is missing here", "Write one, or delete what asks for it."),
    "did not find expected <document start>": ("something stands after the end of the data", "Check the indentation."),
    "found unknown escape character": (
        "a backslash in double quotes begins an escape, and this is none",
        "Use single quotes, or write the backslash twice.",
    ),
}


def syntax_problem(error: Any, text: str, file: str) -> Problem:
    """The one problem of a file that is not YAML, from PyYAML's ``MarkedYAMLError``."""
    what, context = error.problem or error.context or "it cannot be read", error.context or ""
    mark = error.problem_mark or error.context_mark
    sentence, hint = _SENTENCES.get(what, (f"this is not YAML: {what}", ""))
    character = text[mark.index] if mark is not None and mark.index < len(text) else ""
    if "quoted scalar" in context and what == "found unexpected end of stream":
        mark, sentence, hint = error.context_mark, "the quote that opens here is never closed", "Close it."
    elif what == "found character that cannot start any token" and character == "\t":
        sentence, hint = "a tab stands in the indentation", "Use spaces; YAML takes no tabs there."
    elif what == "found character that cannot start any token":
        sentence, hint = f"no value can begin with {character!r}", "Put the text in quotes."
    elif character and "${" in _line(text, mark.index) and "flow" in context:
        hint = 'Inside braces and brackets write a placeholder in quotes: "${name}".'
    if error.context_mark is not None:
        hint = hint.replace("{opened}", str(error.context_mark.line + 1))
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return Problem(file, line, column, "yaml", f"{sentence}.", hint)


def _line(text: str, index: int) -> str:
    """The line of the text that ``index`` is in, up to there and a little on."""
    return text[text.rfind("\n", 0, index) + 1 : index + 2]
