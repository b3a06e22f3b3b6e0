"""The command line: every command of labsim, and what its exit code means.

0 good · 1 not passed · 2 input wrong · 3 a bug of ours (a report file is written) · 130 interrupted. A command imports what it
needs when it runs, so that ``labsim --help`` loads no protocol library.
"""

from __future__ import annotations

import datetime
import platform
import sys
import tempfile
import traceback
from pathlib import Path

import typer

import labsim
from labsim.cli import (
    act,
    attach,
    catalogue,
    demo,
    devices,
    grade,
    lint,
    modbus,
    mqtt,
    new,
    opcua,
    plants,
    progress,
    prove,
    replay,
    report,
    run,
    schema,
    verify,
)
from labsim.cli import options as opt
from labsim.errors import LabsimError, ScenarioError

INTERRUPTED, BUG = 130, 3

app = typer.Typer(
    name="labsim",
    help="A lab in a box for IT/OT integration: simulated equipment, evidence, a grader that says why.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("list")(catalogue.list_scenarios)
app.command("show")(catalogue.show)
app.command("run")(run.run)
app.command("attach")(attach.attach)
app.command("check")(act.check)
app.command("hint")(act.hint)
app.command("answer")(act.answer)
app.command("fault")(act.fault)
app.command("pause")(act.pause)
app.command("resume")(act.resume)
app.command("stop")(act.stop)
device_app = typer.Typer(help="Change a device of a running lab.", no_args_is_help=True)
device_app.command("set")(act.device_set)
app.add_typer(device_app, name="device")
app.command("grade")(grade.grade)
app.command("verify")(verify.verify)
app.command("replay")(replay.replay)
app.command("report")(report.report)
app.command("new")(new.new)
app.command("lint")(lint.lint)
app.command("schema")(schema.schema)
app.command("test")(prove.prove)
app.command("progress")(progress.progress)
app.command("devices")(devices.list_devices)
app.command("manual")(devices.manual)
app.command("plants")(plants.plants)
app.add_typer(modbus.app, name="modbus")
app.add_typer(mqtt.app, name="mqtt")
app.add_typer(opcua.app, name="opcua")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"labsim {labsim.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    lang: str = opt.LANG,
    _version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Open the catalogue in the terminal UI when no command is given."""
    if context.invoked_subcommand is None:
        raise typer.Exit(attach.open_ui(None, lang))


def run_command(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a Windows console may still speak a code page
    try:
        code = app(arguments, prog_name="labsim", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)  # a usage error knows the command it is about
        command = context.command_path if context is not None else "labsim"
        message = error.format_message().rstrip(".")
        typer.echo(f"labsim: {message}. See '{command} --help'.", err=True)
        return error.exit_code
    except LabsimError as error:
        _complain(error)
        return error.exit_code
    except BrokenPipeError:
        return 0  # the reader of our output had enough
    except Exception:  # noqa: BLE001 - the last resort: a bug is reported to a file instead of thrown at a trainee
        _report(arguments)
        return BUG
    return code if isinstance(code, int) else 0


def _complain(error: LabsimError) -> None:
    if isinstance(error, ScenarioError):
        count = len(error.problems)
        typer.echo(str(error), err=True)
        typer.echo(f"{count} problem{'s' * (count != 1)}.", err=True)
    else:
        typer.echo(f"labsim: {error}", err=True)


def _report(arguments: list[str]) -> None:
    """Write what went wrong into a file that can be sent as it is."""
    now = datetime.datetime.now(datetime.UTC)
    text = (
        f"labsim {labsim.__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"{now.isoformat(timespec='seconds')}\nlabsim {' '.join(arguments)}\n\n{traceback.format_exc()}"
    )
    with tempfile.NamedTemporaryFile(
        "w", prefix="labsim-report-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(text)
    typer.echo(f"labsim: this is a bug of labsim, not yours. Please send the report: {Path(file.name)}", err=True)
    typer.echo(text.splitlines()[-1], err=True)
