"""What a scenario says about a time server's endpoint."""

from __future__ import annotations

from labsim.scenario.part import Part, Path_, Port


class NtpSpec(Part):
    """An NTP endpoint.

    Attributes:
        port: UDP port to listen on. Many tools ask port 123 only; a machine lets only its administrator listen there.
        device: The time server.
    """

    port: Port = 10123
    device: Path_
