"""How a lab is run: what the person at the keyboard chose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SPEEDS = (0.1, 1000.0)


@dataclass(frozen=True, slots=True)
class Options:
    """Choices of one run.

    Attributes:
        seed: Draws the variants and every random number of the plant.
        attempt: The attempt folder; made when missing, resumed when it holds an unsealed attempt.
        speed: Plant seconds per wall second, 0.1 to 1000, or `labsim.plant.clock.MAX`.
        until: Plant seconds after which the lab ends by itself; None for never.
        lang: Language of reasons and of the coach.
        host: Address the endpoints listen on.
        port_base: None for the scenario's ports; 0 for free ports; N for N (OPC UA), N+1 (Modbus), N+2 (MQTT), N+3
            (control API) and N+4 on for further endpoints.
        exam: Run as an exam, whatever the scenario says.
    """

    seed: str
    attempt: Path
    speed: float = 1.0
    lang: str = "en"
    host: str = "127.0.0.1"
    port_base: int | None = None
    exam: bool = False
    until: float | None = None
