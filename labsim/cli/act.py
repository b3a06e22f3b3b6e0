"""``labsim check hint answer fault pause resume stop`` and ``device set``: act on a running lab through its control API."""

from __future__ import annotations

from typing import Any

import typer

from labsim.cli import options as opt
from labsim.cli.output import err, out, print_json, print_verdict
from labsim.cli.words import say
from labsim.errors import InputError

LAB = typer.Argument(help="The attempt folder of a running lab, or its control URL.", metavar="ATTEMPT")
TASK = typer.Argument(help="The task's id.")


def _tongue(lab: str, lang: str) -> str:
    """The language that was asked for, else that of the lab."""
    from labsim.client.client import call, find_control

    return opt.language(lang or str(call(find_control(lab), "GET", "/lab")["lang"]))


def _post(lab: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    from labsim.client.client import call, find_control

    answer: dict[str, Any] = call(find_control(lab), "POST", path, body)
    return answer


def check(
    lab: str = LAB,
    task: str = typer.Argument("", help="One task; all by default."),
    lang: str = opt.OWN_LANG,
    as_json: bool = opt.JSON,
) -> int:
    """Mark the running lab so far."""
    lang = _tongue(lab, lang)
    err().print(f"[dim]{say('checking', lang)}[/]")
    verdict = _post(lab, "/check", {"task": task or None, "lang": lang})
    if as_json:
        print_json(verdict)
    else:
        print_verdict(verdict, out(), lang)
    return 0 if verdict["passed"] else 1


def hint(lab: str = LAB, task: str = TASK, lang: str = opt.OWN_LANG, as_json: bool = opt.JSON) -> None:
    """Open the next hint of a task; it may cost marks."""
    lang = _tongue(lab, lang)
    found = _post(lab, "/hint", {"task": task, "lang": lang})
    if as_json:
        print_json(found)
        return
    out().print(found["text"], markup=False)
    told = say("cost", lang, cost=f"{found['cost']:g}", left=found["left"])
    err().print(f"[dim]{told}[/]")


def answer(
    lab: str = LAB,
    task: str = TASK,
    value: str = typer.Argument(help="The answer; the last one counts."),
    lang: str = opt.OWN_LANG,
    as_json: bool = opt.JSON,
) -> None:
    """Answer a task that asks for an answer."""
    kept = _post(lab, "/answer", {"task": task, "value": value})
    if as_json:
        print_json(kept)
    else:
        told = say("answered", _tongue(lab, lang), task=kept["task"], value=kept["value"])
        out().print(told, markup=False)


def stop(lab: str = LAB, lang: str = opt.OWN_LANG, as_json: bool = opt.JSON) -> int:
    """End the running lab: it is graded and sealed."""
    lang = _tongue(lab, lang)
    verdict = _post(lab, "/stop", {"lang": lang})
    if as_json:
        print_json(verdict)
    else:
        print_verdict(verdict, out(), lang)
    return 0 if verdict["passed"] else 1


def fault(
    lab: str = LAB,
    target: str = typer.Argument(
        "",
        help="What is to fail: a tag (oven1.zone1_temperature), a device (oven1), a link (link.modbus) or an endpoint "
        "(endpoint.modbus); every one of them by default.",
        metavar="TARGET",
    ),
    name: str = typer.Argument(
        "",
        help="What happens to it; 'good' ends every fault of the target. Without it, what may happen is listed.",
        metavar="FAULT",
    ),
    settings: list[str] = typer.Argument(
        None, help="Parameters, such as by=5, delay='300 ms' or with=current_l2.", metavar="[NAME=VALUE]…"
    ),
    more: list[str] = typer.Option([], "--set", help="The same as an option.", metavar="NAME=VALUE"),
    lasting: str = typer.Option(
        "", "--for", help="How long, in plant time; until the end by default.", metavar="DURATION"
    ),
    hidden: bool = typer.Option(False, "--hidden", help="Tell the trainee nothing of it."),
    as_json: bool = opt.JSON,
) -> None:
    """Let something fail in a running lab, or list what may."""
    if not name:
        _list_faults(lab, target, as_json)
        return
    body: dict[str, Any] = {"target": target, "fault": name}
    for setting in [*(settings or []), *more]:
        key, equals, value = setting.partition("=")
        if not equals or key in body:
            raise InputError(f"{setting!r} is not of the form NAME=VALUE.")
        body[key] = _number(value)
    if lasting:
        body["for"] = lasting
    if hidden:
        body["hidden"] = True
    kept = _post(lab, "/fault", body)
    if as_json:
        print_json(kept)
    else:
        out().print(f"{kept['target']}: {kept['fault']}", markup=False)


def _list_faults(lab: str, target: str, as_json: bool) -> None:
    from urllib.parse import quote

    from labsim.client.client import call, find_control

    found: dict[str, Any] = call(find_control(lab), "GET", f"/faults?target={quote(target)}")
    if as_json:
        print_json(found)
        return
    for path in found.get("targets", ()):
        out().print(path, markup=False)
    for row in found.get("faults", ()):
        out().print(f"{row['fault']}: {row['about']}", markup=False, soft_wrap=True)
        for key, one in row["parameters"].items():
            default = f" (default {one['default']:g})" if "default" in one else ""
            out().print(f"    {key}: {one['title']}{default}", markup=False, soft_wrap=True)


def pause(lab: str = LAB, lang: str = opt.OWN_LANG, as_json: bool = opt.JSON) -> None:
    """Freeze the plant of a running lab: time stands still, and what would change the plant is refused."""
    _pace(lab, "/pause", lang, as_json)


def resume(lab: str = LAB, lang: str = opt.OWN_LANG, as_json: bool = opt.JSON) -> None:
    """Let a paused plant go on."""
    _pace(lab, "/resume", lang, as_json)


def _pace(lab: str, path: str, lang: str, as_json: bool) -> None:
    kept = _post(lab, path, {})
    if as_json:
        print_json(kept)
    else:
        out().print(say(f"state.{kept['state']}", _tongue(lab, lang), t=f"{kept['t']:.1f}"), markup=False)


def _number(value: str) -> float | str:
    if len(value) > 1 and value.isdecimal() and value.startswith("0"):
        return value  # a PIN
    try:
        return float(value)
    except ValueError:
        return value


def device_set(
    lab: str = LAB,
    device: str = typer.Argument(help="The device's path, such as meter1."),
    assignment: str = typer.Argument(help="The setting and its new value.", metavar="SETTING=VALUE"),
    as_json: bool = opt.JSON,
) -> None:
    """Change a setting of a device."""
    setting, equals, value = assignment.partition("=")
    if not equals:
        raise InputError(f"{assignment!r} is not of the form SETTING=VALUE.")
    kept = _post(lab, "/device", {"device": device, "setting": setting, "value": value})
    if as_json:
        print_json(kept)
    else:
        out().print(f"{kept['device']}.{kept['setting']} = {kept['value']}", markup=False)
