"""``labsim mqtt`` as a person types it, against a lab's broker."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from field_lab import Field, Typed

from labsim.sparkplug.datatype import DataType
from labsim.sparkplug.payload import Metric, Payload, encode


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """A lab whose plant stands still."""
    running = Field(tmp_path_factory.mktemp("field"))
    yield running
    running.close()


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Typed:
    """Types a command."""
    return Typed(capsys)


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_what_is_published_is_shown(field: Field, typed: Typed, version: str) -> None:
    """A retained JSON object waits for who subscribes; one line with --json, laid out without; the lab saw who sent it."""
    url, topic = field.urls["mqtt"], f"a/{version}"
    sent = typed("mqtt", "pub", url, topic, '{"value": 231.4}', "-q", 1, "-r", "--id", "gw", "--mqtt", version)
    assert (sent.code, sent.out) == (0, "")
    assert "published 1 message" in sent.err
    got = typed("mqtt", "sub", url, topic, "-q", 1, "-n", 1, "--mqtt", version, "--json")
    assert got.code == 0
    line = got.document
    assert (line["topic"], line["coding"], line["payload"]) == (topic, "json", {"value": 231.4})
    assert (line["retain"], line["qos"]) == (True, 1)
    shown = typed("mqtt", "sub", url, topic, "-n", 1)
    assert f"{topic} (retained)" in shown.out
    assert '  "value": 231.4' in shown.out
    publish = field.evidence.of("mqtt", "publish")[-1]
    assert (publish.app, publish.subject, publish.detail["retain"]) == ("gw", topic, True)


def test_sparkplug_is_decoded(field: Field, typed: Typed, tmp_path: Path) -> None:
    """A payload from a file, shown by names, types and values."""
    (tmp_path / "birth.bin").write_bytes(encode(Payload(seq=0, metrics=[Metric.of(21.5, DataType.FLOAT, name="temp")])))
    topic = "spBv1.0/site/NBIRTH/edge"
    assert typed("mqtt", "pub", field.urls["mqtt"], topic, "-f", tmp_path / "birth.bin", "-r").code == 0
    line = typed("mqtt", "sub", field.urls["mqtt"], "spBv1.0/#", "-n", 1, "--json").document
    assert line["coding"] == "sparkplug"
    assert line["payload"]["metrics"] == [{"name": "temp", "type": "Float", "value": 21.5}]


def test_each_line_of_stdin_is_a_message(field: Field, typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, without line ends; what was sent is told with --json."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one\r\ntwo\n\nfour")))
    said = typed("mqtt", "pub", field.urls["mqtt"], "lines", "--lines", "-q", 2, "--json")
    assert said.document["messages"] == 4
    sent = [r.values[0] for r in field.evidence.of("mqtt", "publish") if r.subject == "lines"]
    assert sent == ["one", "two", "", "four"]


def test_control_characters_do_not_reach_the_terminal(field: Field, typed: Typed) -> None:
    """A sender cannot clear the reader's screen."""
    typed("mqtt", "pub", field.urls["mqtt"], "esc", "\x1b[2Jx", "-r")
    assert "\x1b" not in typed("mqtt", "sub", field.urls["mqtt"], "esc", "-n", 1).out


def test_sub_ends_with_its_time(field: Field, typed: Typed) -> None:
    """Nothing comes, and that is no error."""
    said = typed("mqtt", "sub", field.urls["mqtt"], "nothing", "--for", "100 ms", "--json")
    assert (said.code, said.out) == (0, "")


def test_bench_counts(field: Field, typed: Typed) -> None:
    """Every message came back, with a rate and latencies."""
    found = typed("mqtt", "bench", field.urls["mqtt"], "-n", 100, "-q", 1, "--json").document
    assert (found["sent"], found["received"]) == (100, 100)
    assert set(found["latency_ms"]) == {"p50", "p90", "p99", "max"}
    assert "100 of 100 messages" in typed("mqtt", "bench", field.urls["mqtt"], "-n", 100, "--rate", 1000).out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("sub", "127.0.0.1:1", "a"), "cannot be reached"),
        (("sub", "http://a", "a"), "http"),
        (("sub", "a", "a", "--mqtt", "4.2"), "4.2"),
        (("sub", "a", "a", "--for", "soon"), "duration"),
        (("pub", "a", "t", "x", "--lines"), "one of PAYLOAD"),
        (("pub", "a", "t", "-f", "none.bin"), "none.bin"),
        (("pub", "mqtts://a", "t", "x", "--ca", "none.pem"), "none.pem"),
    ],
)
def test_wrong_input_is_one_sentence(typed: Typed, arguments: tuple[str, ...], word: str) -> None:
    """Exit code 2 and what to do, never a trace."""
    said = typed("mqtt", *arguments)
    assert (said.code, said.out) == (2, "")
    assert word in said.err
    assert "Traceback" not in said.err


def test_what_the_broker_will_not_take_is_one_sentence(field: Field, typed: Typed) -> None:
    """A topic with a wildcard, a filter that is none."""
    for arguments in (("pub", field.urls["mqtt"], "a/#", "x"), ("sub", field.urls["mqtt"], "a/#/b")):
        said = typed("mqtt", *arguments)
        assert said.code == 2
        assert "labsim:" in said.err
        assert "Traceback" not in said.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_takes_its_leave(field: Field, typed: Typed) -> None:
    """Exit code 130, a line for what came before, and a DISCONNECT at the broker."""
    url = field.urls["mqtt"]
    typed("mqtt", "pub", url, "leave", "1", "-r")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "labsim", "mqtt", "sub", url, "leave", "--id", "leaver", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["payload"] == 1
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert [r.app for r in field.evidence.of("mqtt", "disconnect")][-1] == "leaver"
