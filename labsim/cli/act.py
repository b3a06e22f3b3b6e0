"""``labsim check hint answer stop`` and ``device set``: act on a running lab through its control API."""

from __future__ import annotations

from typing import Any

import typer

from labsim.cli import options as opt
from labsim.cli.output import err, out, print_json, print_verdict
from labsim.errors import InputError

LAB = typer.Argument(help="The attempt folder of a running lab, or its control URL.", metavar="ATTEMPT")
TASK = typer.Argument(help="The task's id.")


def _post(lab: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    from labsim.client.client import call, find_control

    answer: dict[str, Any] = call(find_control(lab), "POST", path, body)
    return answer


def check(
    lab: str = LAB, task: str = typer.Argument("", help="One task; all by default."), as_json: bool = opt.JSON
) -> int:
    """Mark the running lab so far."""
    err().print("[dim]checking …[/]")
    verdict = _post(lab, "/check", {"task": task or None})
    if as_json:
        print_json(verdict)
    else:
        print_verdict(verdict, out())
    return 0 if verdict["passed"] else 1


def hint(lab: str = LAB, task: str = TASK, as_json: bool = opt.JSON) -> None:
    """Open the next hint of a task; it may cost marks."""
    found = _post(lab, "/hint", {"task": task})
    if as_json:
        print_json(found)
        return
    out().print(found["text"], markup=False)
    err().print(f"[dim]cost {found['cost']:g}, {found['left']} left[/]")


def answer(
    lab: str = LAB,
    task: str = TASK,
    value: str = typer.Argument(help="The answer; the last one counts."),
    as_json: bool = opt.JSON,
) -> None:
    """Answer a task that asks for an answer."""
    kept = _post(lab, "/answer", {"task": task, "value": value})
    if as_json:
        print_json(kept)
    else:
        out().print(f"kept: {kept['task']} = {kept['value']}", markup=False)


def stop(lab: str = LAB, as_json: bool = opt.JSON) -> int:
    """End the running lab: it is graded and sealed."""
    verdict = _post(lab, "/stop", {})
    if as_json:
        print_json(verdict)
    else:
        print_verdict(verdict, out())
    return 0 if verdict["passed"] else 1


def fault(
    lab: str = LAB,
    target: str = typer.Argument(
        help="What is to fail: the link of an endpoint, such as link.modbus.", metavar="TARGET"
    ),
    name: str = typer.Argument(
        help="slow, throttle, black-hole, flap, reset or refuse; good ends every one of them.", metavar="FAULT"
    ),
    settings: list[str] = typer.Argument(
        None, help="Parameters, such as delay='300 ms', rate=1200 or client=127.0.0.2.", metavar="[NAME=VALUE]…"
    ),
    lasting: str = typer.Option(
        "", "--for", help="How long, in plant time; until the end by default.", metavar="DURATION"
    ),
    hidden: bool = typer.Option(False, "--hidden", help="Tell the trainee nothing of it."),
    as_json: bool = opt.JSON,
) -> None:
    """Let something fail in a running lab."""
    body: dict[str, Any] = {"target": target, "fault": name}
    for setting in settings or []:
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


def _number(value: str) -> float | str:
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
