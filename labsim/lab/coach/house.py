"""What the coach says of the lab itself: answers, hints, settings, faults that may be told, incidents."""

from __future__ import annotations

from labsim.endpoints.fault_table import ENDPOINT_FAULTS
from labsim.evidence.event import Record
from labsim.lab import words
from labsim.lab.coach.saying import Said
from labsim.lab.rogue.table import ROGUE_FAULTS
from labsim.plant.faults import faults_of
from labsim.plant.plant import Plant
from labsim.text import Text


class HouseCoach:
    """Knows what people call the faults of a plant."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    def say(self, record: Record) -> Said | None:
        """What is said of a record; None for what nobody wants to read."""
        detail = record.detail
        match record.kind:
            case "answer":
                return words.ANSWERED.format(task=detail.get("task", "")), None
            case "hint":
                return words.HINTED.format(task=detail.get("task", "")), None
            case "setting":
                if detail.get("by") == "timeline":
                    return None
                return words.SETTING.format(device=record.device, setting=detail.get("setting", "")), None
            case "fault" if record.subject.startswith("link."):
                state = str(detail.get("fault", "")).removeprefix("link.")
                sentence = words.LINK_BEGIN if detail.get("phase") == "begin" else words.LINK_END
                endpoint = record.subject.removeprefix("link.")
                return sentence.format(endpoint=endpoint, state=words.LINK_STATES.get(state, Text.of(state))), None
            case "fault":
                sentence = words.FAULT_BEGIN if detail.get("phase") == "begin" else words.FAULT_END
                return sentence.format(target=record.subject, fault=self._fault_title(record)), None
            case "pause":
                return (words.PAUSED if detail.get("phase") == "begin" else words.RESUMED), None
            case "incident":
                return words.INCIDENT.format(reason=detail.get("reason", "")), None
        return None

    def _fault_title(self, record: Record) -> Text:
        """What people call a fault of a tag, a device, an endpoint or a rogue client."""
        name = str(record.detail.get("fault", ""))
        device, _, tag = record.subject.partition(".")
        if device in self._plant.devices:
            known = faults_of(self._plant.devices[device].interface, tag)
        else:
            name = name.partition(".")[2]
            tables = ROGUE_FAULTS if device == "rogue" else ENDPOINT_FAULTS
            known = tables.get(tag.partition(".")[0].partition(":")[0], {})
        return known[name].title if name in known else Text.of(name)
