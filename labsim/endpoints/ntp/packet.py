"""Packets of NTP as a server needs them (RFC 5905 §7.3), without sockets: the answer to a client's question."""

from __future__ import annotations

import struct
from dataclasses import dataclass

SIZE = 48
CLIENT, SERVER = 3, 4
UNSYNCHRONISED = 3
_NTP_EPOCH_S = 2_208_988_800  # seconds from 1900 to 1970
_HEAD = struct.Struct(">BBbbII4s4Q")
_PRECISION = -20  # about a microsecond


@dataclass(frozen=True, slots=True)
class Question:
    """What a client asked.

    Attributes:
        version: 1 to 4; it is answered in its own.
        poll: As it came.
        transmit: The client's own time as 64 bits of NTP.
    """

    version: int
    poll: int
    transmit: int


@dataclass(frozen=True, slots=True)
class Clock:
    """How right a server is.

    Attributes:
        stratum: 1 has a reference clock; 16 has none.
        reference: Four characters or an address that name its source.
        synchronised: Whether it has a source at all.
        updated_ns: UTC nanoseconds at which it was last set right.
    """

    stratum: int
    reference: bytes
    synchronised: bool
    updated_ns: int


def parse(data: bytes) -> Question | None:
    """The question in a datagram; None for what is no client's (a server does not answer servers: that would go on for ever)."""
    if len(data) < SIZE:
        return None
    head, _, poll, _, _, _, _, _, _, _, transmit = _HEAD.unpack_from(data)
    version, mode = head >> 3 & 7, head & 7
    if mode != CLIENT or not 1 <= version <= 4:
        return None
    return Question(version, poll, transmit)


def answer(question: Question, clock: Clock, received_ns: int, sent_ns: int) -> bytes:
    """The reply: when the question came and when this leaves, in the server's time (UTC nanoseconds)."""
    leap = 0 if clock.synchronised else UNSYNCHRONISED
    return _HEAD.pack(
        leap << 6 | question.version << 3 | SERVER,
        clock.stratum if clock.synchronised else 0,
        question.poll,
        _PRECISION,
        0 if clock.stratum <= 1 else 0x400,  # root delay: 1/64 s behind other servers
        0x20,
        clock.reference[:4].ljust(4, b"\0") if clock.synchronised else b"INIT",
        to_ntp(clock.updated_ns) if clock.synchronised else 0,
        question.transmit,
        to_ntp(received_ns),
        to_ntp(sent_ns),
    )


def to_ntp(utc_ns: int) -> int:
    """UTC nanoseconds as the 64 bits of an NTP timestamp, in its era."""
    seconds, rest = divmod(utc_ns, 1_000_000_000)
    return (seconds + _NTP_EPOCH_S & 0xFFFFFFFF) << 32 | (rest << 32) // 1_000_000_000


def from_ntp(stamp: int, near_ns: int) -> int:
    """The UTC nanoseconds of a timestamp in the era that is nearest to ``near_ns``."""
    seconds = (stamp >> 32) - _NTP_EPOCH_S
    era = round((near_ns / 1e9 - seconds) / 2**32)
    return (seconds + era * 2**32) * 1_000_000_000 + ((stamp & 0xFFFFFFFF) * 1_000_000_000 >> 32)
