"""Alarms in a datasheet."""

from __future__ import annotations

from labsim.lab.manual.say import Say, table
from labsim.plant.alarm_spec import AlarmSpec
from labsim.plant.alarms import LEVEL_NAMES


def alarms(found: dict[str, AlarmSpec], say: Say) -> str:
    """When each is active, how grave it is, whether it has to be confirmed."""

    def when(alarm: AlarmSpec) -> str:
        if alarm.kind != "limit":
            values = alarm.active or alarm.normal
            shown = ", ".join(str(value).lower() for value in values)
            parts = [say("is" if alarm.active else "is_not", tag=alarm.tag, values=shown)]
        else:
            parts = [
                f"`{alarm.tag}` {'>' if level in ('hi', 'hihi') else '<'} {limit:g} ({say(LEVEL_NAMES[level])})"
                for level, limit in alarm.levels.items()
            ]
            parts += [say("exclusive")] if alarm.exclusive else []
            parts += [say("deadband", size=f"{alarm.deadband:g}")] if alarm.deadband else []
        parts += [say("on_delay", seconds=f"{alarm.on_delay:g}")] if alarm.on_delay else []
        parts += [say("off_delay", seconds=f"{alarm.off_delay:g}")] if alarm.off_delay else []
        return "<br>".join(parts)

    def severity(alarm: AlarmSpec) -> str:
        if not isinstance(alarm.severity, dict):
            return str(alarm.severity)
        return "<br>".join(f"{alarm.severity[level]} ({say(LEVEL_NAMES[level])})" for level in alarm.levels)

    head = [say(word) for word in ("alarm", "meaning", "when", "severity", "confirmation")]
    rows = (
        (f"`{name}`", say(alarm.title), when(alarm), severity(alarm), say("yes" if alarm.confirm else "no"))
        for name, alarm in found.items()
    )
    return f"## {say('alarms')}\n\n{table(head, rows)}"
