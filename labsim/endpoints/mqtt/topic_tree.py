"""Topics from templates: where in a unified namespace a device speaks.

The fields of a template are the levels of the equipment hierarchy of ISA-95 (IEC 62264-1 §5.3) that the scenario places the
device at, and the device's own names: ``{enterprise}/{site}/{area}/{line}/{cell}/{device}/{tag}``.
"""

from __future__ import annotations

import string

from labsim.endpoints.mqtt.packet import ProtocolViolation
from labsim.endpoints.mqtt.topic import check_topic
from labsim.errors import InputError, did_you_mean

LEVELS = ("enterprise", "site", "area", "line", "cell")


def fill_topic(template: str, device: str, place: str = "", **names: str) -> str:
    """The topic of a template for one device; ``place`` is its levels, separated by slashes; ``names`` fill in more.

    Raises:
        InputError: a level the device is not placed at, a field that nothing fills in, or no topic in the end.
    """
    levels = place.split("/") if place else []
    facts = {**dict(zip(LEVELS, levels, strict=False)), "place": place, "device": device, **names}
    wanted = [field for _, field, _, _ in string.Formatter().parse(template) if field is not None]
    for field in wanted:
        if not facts.get(field):
            why = f"{device} has no {field}" if field in (*LEVELS, "place") else f"nothing fills in {{{field}}}"
            hint = "Give the device a 'place' with enough levels." if field in LEVELS else did_you_mean(field, facts)
            raise InputError(f"mqtt: the topic {template!r} cannot be made: {why}. {hint}".rstrip())
    topic = template.format(**facts)
    try:
        check_topic(topic)
    except ProtocolViolation as error:
        raise InputError(f"{device}: the message topic {topic!r} cannot be published to: {error}.") from None
    return topic
