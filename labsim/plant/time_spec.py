"""What a device type tells of the time over NTP: which of its tags say how right it is."""

from __future__ import annotations

from labsim.plant.spec import Name, Spec


class TimeSpec(Spec):
    """Tags of a time server: how far it is off in seconds, its stratum, and whether it has a reference at all."""

    offset: Name
    stratum: Name
    synchronised: Name
