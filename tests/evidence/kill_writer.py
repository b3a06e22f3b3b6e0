"""A host to be killed: keeps events and history in an attempt and acknowledges each on stdout when it is kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from labsim.evidence.attempt import Attempt
from labsim.evidence.event import Event


def main() -> None:
    """Resume the attempt in ``argv[1]`` and write until killed."""
    attempt = Attempt.resume(Path(sys.argv[1]), lambda: 0)
    step = attempt.next_step
    while True:
        attempt.record(step, [0, 2], [step, 0], [0, 0], {2: f"step {step}"})
        record = attempt.append(Event(kind="write", protocol="modbus", tags=["m.speed"], values=[step]))
        os.write(1, b"%d %d\n" % (record.seq, step))
        step += 1


main()
