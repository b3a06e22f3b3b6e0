"""Judging in a process of its own: what was written elsewhere may raise, hang, exit or eat memory, and harms itself alone.

The process gets the attempt folder to read. It may open no file there for writing and no connection at all, so the same
folder keeps giving the same verdict; what it prints goes nowhere. It has a time limit, and a memory limit where the operating
system knows one (not on Windows and macOS).
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.outcome import Outcome, broken, from_json, partly, to_json
from labsim.errors import LabsimError
from labsim.evidence.evidence import Evidence
from labsim.text import Text, tr

TIME_LIMIT_S = 30.0
MEMORY_LIMIT = 2 * 2**30
"""Bytes of address space."""
_REQUEST, _OUTCOME = "request.json", "outcome.json"
_WRITES = ("w", "a", "x", "+")
_CHANGES = frozenset(
    {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.link", "os.symlink", "os.utime"}
)
_REACHES = frozenset(
    {"socket.connect", "socket.bind", "socket.sendto", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"}
)


class ApartError(LabsimError):
    """What ran apart gave no outcome: it raised, ran out of time, or returned something else."""


def judge(evidence: Evidence, request: Mapping[str, Any], *, time_limit_s: float = TIME_LIMIT_S) -> Outcome:
    """Have something judged apart.

    Args:
        evidence: The attempt, or a part of it; the process sees the same part.
        request: ``check`` and ``params``, or ``file``, ``function`` and ``arguments``.
        time_limit_s: Wall seconds.
    """
    last = evidence.records[-1].seq if evidence.records else 0
    part = {"folder": str(evidence.folder), "seq": last, "start_ns": evidence.start_ns, "end_ns": evidence.end_ns}
    with tempfile.TemporaryDirectory(prefix="labsim-check-", ignore_cleanup_errors=True) as name:
        place = Path(name)
        (place / _REQUEST).write_text(json.dumps({**part, **request}), encoding="utf-8")
        process = subprocess.Popen(  # noqa: S603 - our own interpreter with our own module
            [sys.executable, "-m", __name__, name],
            cwd=name,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=os.name == "posix",
        )
        try:
            process.wait(time_limit_s)
        except subprocess.TimeoutExpired:
            return broken(ApartError(f"it ran out of its {time_limit_s:g} s."))
        finally:
            _end(process)
        try:
            told = json.loads((place / _OUTCOME).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return broken(ApartError(f"it ended with code {process.returncode} and no outcome."))
        if "error" in told:
            return broken(ApartError(str(told["error"])))
        return from_json(told)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with whatever it started."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing of it runs any more
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


# ---- in the process ----


def main(place: Path) -> None:
    """Judge what ``request.json`` asks for, and write ``outcome.json``."""
    from grader.cut import Cut
    from grader.probing import without_probes, without_rogues

    request = json.loads((place / _REQUEST).read_text(encoding="utf-8"))
    _limit_memory()
    folder = Path(request["folder"])
    evidence = Cut(
        without_rogues(without_probes(Evidence.load(folder))),
        seq=request["seq"],
        start_ns=request["start_ns"],
        end_ns=request["end_ns"],
    )
    try:
        _guard(folder.resolve())
        told = to_json(_judge(evidence, request))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - told to the one that waits
        told = {"error": broken(error).actual}
    (place / _OUTCOME).write_text(json.dumps(told), encoding="utf-8")
    os._exit(0)  # threads of a script hold nothing up


def _judge(evidence: Evidence, request: Mapping[str, Any]) -> Outcome:
    if "check" in request:
        from grader.checks import load

        kind = load(request["check"])
        return kind().judge(evidence, kind.Params.model_validate(request["params"]))
    _demand_original(evidence)
    path = evidence.folder / "scenario" / request["file"]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ApartError(f"{request['file']} is not Python.")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    function = getattr(module, request["function"], None)
    if not callable(function):
        raise ApartError(f"{request['file']} has no function {request['function']!r}.")
    return as_outcome(function(evidence, **request["arguments"]))


def _demand_original(evidence: Evidence) -> None:
    """No code is run that was not there when the attempt was made.

    Raises:
        ApartError: a Python file of the scenario was changed or added since.
    """
    folder = evidence.folder / "scenario"
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        if evidence.manifest.files.get(name) != hashlib.sha256(path.read_bytes()).hexdigest():
            raise ApartError(f"{name} is not the file that the attempt was made with: run 'labsim verify'.")


YES = tr("The examiner's own check is met.", "考官自定義的檢查已通過。", "考官自定义的检查已通过。")
NO = tr("The examiner's own check is not met.", "考官自定義的檢查未通過。", "考官自定义的检查未通过。")


def as_outcome(found: object) -> Outcome:
    """What a script returned: an `Outcome`, true or false, a share, or a mapping with ``score``, ``reason`` and more.

    Raises:
        ApartError: something else.
    """
    if isinstance(found, Outcome):
        return found
    if isinstance(found, Mapping) and isinstance(found.get("score"), (bool, int, float)):
        score = float(found["score"])
        reason = found.get("reason")
        return partly(
            score,
            Text.of(reason) if reason else YES if score >= 1 else NO,
            expected=found.get("expected"),
            actual=found.get("actual"),
            evidence=found.get("evidence", ()),
            help=Text.of(found["help"]) if found.get("help") else None,
        )
    if isinstance(found, (bool, int, float)) and 0 <= found <= 1:
        return partly(float(found), YES if found >= 1 else NO)
    raise ApartError(f"it returned {str(found)[:80]!r}, which is no outcome, true or false, or share from 0 to 1.")


def _limit_memory() -> None:
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def _guard(folder: Path) -> None:
    """From here on nothing below the folder is changed, and nothing is asked of the world."""

    def below(path: object) -> bool:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return False
        return Path(os.fsdecode(path)).resolve().is_relative_to(folder)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = (*arguments, None, None)[:3]
            wants = any(letter in str(mode or "") for letter in _WRITES) or bool(
                isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            )
            if wants and below(path):
                raise PermissionError(f"{os.fsdecode(path)} belongs to the attempt, which a check only reads")
        elif event in _CHANGES and any(below(path) for path in arguments):
            raise PermissionError(f"{event}: the attempt is only read by a check")
        elif event in _REACHES:
            raise PermissionError(f"{event}: a check judges the attempt folder alone")

    sys.addaudithook(hook)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
