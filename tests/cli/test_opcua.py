"""``labsim opcua`` as a person types it, against a lab."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from field_lab import Field, Typed

SPEED = "Machines/mill1/Monitoring/Spindle1/Speed"


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """A lab whose plant stands still."""
    running = Field(tmp_path_factory.mktemp("field"))
    yield running
    running.close()


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Typed:
    """Types a command; what the client keeps is kept here."""
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    return Typed(capsys)


def test_endpoints_are_told_with_their_security(field: Field, typed: Typed) -> None:
    """Policies, modes, kinds of users and the certificate's thumbprint, without a session."""
    said = typed("opcua", "endpoints", field.urls["opcua"], "--json")
    assert said.code == 0, said.err
    offered = {(row["policy"], row["mode"]) for row in said.document["endpoints"]}
    assert {("None", "None"), ("Basic256Sha256", "SignAndEncrypt")} <= offered
    assert all(len(row["certificate"]) == 40 for row in said.document["endpoints"])
    assert "Aes256_Sha256_RsaPss" in typed("opcua", "endpoints", field.urls["opcua"]).out


def test_endpoints_tell_what_the_certificate_says(field: Field, typed: Typed) -> None:
    """For which application it is, from when until when, and how long its key is."""
    row = typed("opcua", "endpoints", field.urls["opcua"], "--json").document["endpoints"][0]
    assert row["uris"] == [row["application"]]
    assert row["valid_from"] < datetime.now(UTC).isoformat() < row["valid_until"]
    assert row["key_bits"] == 2048
    said = typed("opcua", "endpoints", field.urls["opcua"]).out
    assert f"for {row['application']}, {row['valid_from']} to {row['valid_until']}, key of 2048 bits" in said


def test_browse_shows_a_tree(field: Field, typed: Typed) -> None:
    """Each level inside the one above, with node ids, types and classes."""
    said = typed("opcua", "browse", field.urls["opcua"], "Machines", "--depth", "4", "--json")
    assert said.code == 0, said.err
    assert said.document["name"].endswith(":Machines")

    def names(found: dict[str, Any]) -> set[str]:
        return {found["name"].partition(":")[2]}.union(*(names(one) for one in found["children"]))

    assert {"mill1", "Monitoring", "Spindle1", "Speed"} <= names(said.document)
    assert "Spindle1" in typed("opcua", "browse", field.urls["opcua"], "Machines/mill1", "-d", "2").out


def test_read_by_path_by_index_and_by_uri(field: Field, typed: Typed) -> None:
    """One value, however its node is named, and the lab saw the read."""
    url = field.urls["opcua"]
    by_path = typed("opcua", "read", url, SPEED, "--json")
    assert by_path.code == 0, by_path.err
    (row,) = by_path.document["values"]
    assert row["value"] == pytest.approx(field.value("mill1.spindle_speed"))
    assert (row["type"], row["status"]) == ("Float", "Good")
    assert row["source_time"].endswith("Z")
    uri = typed("opcua", "read", url, "nsu=urn:labsim:cnc-mill;s=mill1.spindle_speed", "--json")
    assert uri.document["values"][0]["value"] == row["value"]
    assert field.evidence.of("opcua", "read", "mill1")[-1].tags == ["mill1.spindle_speed"]
    assert "Float" in typed("opcua", "read", url, SPEED).out


def test_a_bad_status_is_exit_code_1(field: Field, typed: Typed) -> None:
    """The other nodes of the request are read all the same."""
    said = typed("opcua", "read", field.urls["opcua"], SPEED, "ns=2;s=nothing", "--json")
    assert said.code == 1
    assert [row["status"] for row in said.document["values"]] == ["Good", "BadNodeIdUnknown"]


def test_an_unknown_path_names_what_is_there(field: Field, typed: Typed) -> None:
    """Exit code 2 and the names that stand where the path broke."""
    said = typed("opcua", "read", field.urls["opcua"], "Machines/mill9")
    assert (said.code, said.out) == (2, "")
    assert "mill1" in said.err


def test_a_write_takes_the_type_of_its_node(field: Field, typed: Typed) -> None:
    """A stranger is refused by name; an operator's value arrives, encrypted on request with a certificate made on first use."""
    url = field.urls["opcua"]
    assert "BadUserAccessDenied" in typed("opcua", "write", url, SPEED.replace("Speed", "Override"), "90").err


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
def test_security_makes_a_certificate_on_first_use(field: Field, typed: Typed, tmp_path: Path, mode: str) -> None:
    """One certificate for all commands; its key is for its owner alone."""
    pki = tmp_path / "own pki"
    for _ in range(2):
        said = typed("opcua", "read", field.urls["opcua"], SPEED, "-s", "best", "-m", mode, "--pki", pki, "--json")
        assert said.code == 0, said.err
    certificate, key = (pki / "own" / "labsim-client.der"), (pki / "private" / "labsim-client.pem")
    assert certificate.is_file()
    if sys.platform != "win32":
        assert key.stat().st_mode & 0o077 == 0
    session = field.evidence.of("opcua", "session")[-1].detail
    assert session["policy"] == "Aes256_Sha256_RsaPss", session


def test_watch_tells_the_first_value(field: Field, typed: Typed) -> None:
    """A subscription reports what is there; the lab knows its interval."""
    said = typed("opcua", "watch", field.urls["opcua"], SPEED, "-e", "100 ms", "-n", "1", "--json")
    assert said.code == 0, said.err
    assert said.document["node"] == SPEED
    assert said.document["value"] == pytest.approx(field.value("mill1.spindle_speed"))


def test_watch_and_events_end_after_their_time(field: Field, typed: Typed) -> None:
    """With --for they end by themselves, with nothing to tell too."""
    assert typed("opcua", "watch", field.urls["opcua"], SPEED, "--for", "300 ms").code == 0
    said = typed("opcua", "events", field.urls["opcua"], "--for", "300 ms", "--refresh", "--json")
    assert said.code == 0, said.err


def test_ctrl_c_ends_a_watch(field: Field, tmp_path: Path) -> None:
    """Exit code 130 and no trace, after what was there to tell."""
    command = [sys.executable, "-m", "labsim", "opcua", "watch", field.urls["opcua"], SPEED, "--json"]
    environment = os.environ | {"XDG_DATA_HOME": str(tmp_path)}
    flags = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if sys.platform == "win32" else {}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **flags
    ) as watch:
        assert watch.stdout is not None
        assert json.loads(watch.stdout.readline())["node"] == SPEED
        watch.send_signal(signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGINT)
        _, errors = watch.communicate(timeout=60)
    if sys.platform != "win32":  # there CTRL_BREAK ends a process at once
        assert watch.returncode == 130
    assert "Traceback" not in errors


def test_a_call_says_which_arguments_are_wanted(field: Field, typed: Typed) -> None:
    """The standard's own method with an argument that is of no use: its refusal by name; too few: their names."""
    url = field.urls["opcua"]
    said = typed("opcua", "call", url, "Server/GetMonitoredItems")
    assert said.code == 2
    assert "SubscriptionId (UInt32)" in said.err
    assert "BadSubscriptionIdInvalid" in typed("opcua", "call", url, "Server/GetMonitoredItems", "4711").err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("read", "127.0.0.1:1", "i=85"), "cannot be reached"),
        (("read", "http://a", "i=85"), "http"),
        (("read", "a", "i=85", "-a", "Valu"), "Value"),
        (("read", "a", "i=85", "-s", "Basic128"), "--security"),
        (("read", "a", "i=85", "-s", "best", "-m", "Encrypt"), "--mode"),
        (("read", "a", "i=85", "--cert", "x.der"), "--key"),
        (("watch", "a", "i=85", "--every", "soon"), "duration"),
        (("history", "a", "i=85", "--from", "yesterday"), "no time"),
        (("history", "a", "i=85", "-a", "Mean"), "Mean"),
    ],
)
def test_wrong_input_is_one_sentence(typed: Typed, arguments: tuple[str, ...], word: str) -> None:
    """Exit code 2 and what to do, never a trace."""
    said = typed("opcua", *arguments)
    assert (said.code, said.out) == (2, "")
    assert word in said.err
    assert said.err.count("\n") == 1


def test_help_loads_no_protocol() -> None:
    """The list of commands is there without a protocol library."""
    code = (
        "import sys, json; from labsim.cli.main import run_command; run_command(['opcua', '--help']);"
        "sys.stderr.write(json.dumps([m for m in sys.modules if m.partition('.')[0] in ('asyncua', 'pymodbus')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert json.loads(done.stderr) == []
