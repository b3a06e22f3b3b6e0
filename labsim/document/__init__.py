"""YAML files read with the line and column of every value, so that each problem can say where it is.

Positions live in a tree beside the data, not inside it: models stay free of YAML. Lookup of a path falls back to the
deepest ancestor that is known, and never invents a place.
"""

from labsim.document.document import Document, parse_document, read_document
from labsim.document.position import Key, KeyPath, Position

__all__ = ["Document", "Key", "KeyPath", "Position", "parse_document", "read_document"]
