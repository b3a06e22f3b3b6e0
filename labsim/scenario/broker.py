"""Where somebody else's MQTT broker is, as scenarios write it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field


def _judge(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme == "mqtt" and parts.hostname and (parts.port or 1883) and parts.path in ("", "/")
    except ValueError:  # a port that is none
        good = False
    if not good:
        raise ValueError(f"{text!r} is no broker; write mqtt://host:1883 or mqtt://user:password@host:1883")
    return text


BrokerUrl = Annotated[str, AfterValidator(_judge), Field(examples=["mqtt://localhost:1883"])]
"""``mqtt://[user:password@]host[:port]``; the account is the plant's own."""
