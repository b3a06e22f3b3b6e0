"""Namespaces of OPC UA companion specifications, and the short names by which an interface asks for them."""

from __future__ import annotations

COMPANIONS = {
    "di": "http://opcfoundation.org/UA/DI/",
    "machinery": "http://opcfoundation.org/UA/Machinery/",
    "machinetool": "http://opcfoundation.org/UA/MachineTool/",
    "jobs": "http://opcfoundation.org/UA/Machinery/Jobs/",
    "processvalues": "http://opcfoundation.org/UA/Machinery/ProcessValues/",
    "isa95": "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/",
    "ia": "http://opcfoundation.org/UA/IA/",
    "padim": "http://opcfoundation.org/UA/PADIM/",
    "packml": "http://opcfoundation.org/UA/PackML/",
    "robotics": "http://opcfoundation.org/UA/Robotics/",
}
"""URI by prefix."""


def split_name(name: str) -> tuple[str, str]:
    """Prefix (empty for the device's own namespace) and browse name of one element of a browse path."""
    prefix, colon, rest = name.partition(":")
    return (prefix, rest) if colon and prefix in COMPANIONS else ("", name)


def plain_place(place: str) -> str:
    """A browse path without the prefixes of its elements, which is what the node is called."""
    return "/".join(split_name(name)[1] for name in place.split("/"))


def prefixes_of(place: str) -> set[str]:
    """The companion specifications that a browse path asks for."""
    return {prefix for prefix, _ in map(split_name, place.split("/")) if prefix}
