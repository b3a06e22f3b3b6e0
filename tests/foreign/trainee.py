"""A first-contact trainee with mbpoll, node-opcua and mosquitto_pub, and nothing else: ``python trainee.py READY.json``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

SECONDS = 24
HERE = Path(__file__).parent


def main() -> None:
    """Carry three values to the broker."""
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    at = {row["protocol"]: urlsplit(row["url"]) for row in ready["endpoints"]}
    base, cell = ready["variants"]["base"], ready["variants"]["cell"]
    latest: dict[str, float] = {}
    uri, node = "urn:labsim:cnc-mill", "mill1.spindle_speed"
    command = ["node", str(HERE / "opcua.js"), at["opcua"].geturl(), "watch", str(SECONDS + 4), uri, node]
    mill = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def listen() -> None:
        assert mill.stdout is not None
        for line in mill.stdout:
            if not line.startswith("{"):
                continue  # the library logs on stdout
            said = json.loads(line)
            latest[said["node"]] = said["value"]

    threading.Thread(target=listen, daemon=True).start()

    def meter(number: int) -> float:
        address = number - 1 + base
        port = str(at["modbus"].port)
        ask = [
            "mbpoll",
            "-0",
            "-1",
            "-B",
            "-a",
            "11",
            "-t",
            "4:float",
            "-r",
            str(address),
            "-c",
            "1",
            "-p",
            port,
            "127.0.0.1",
        ]
        said = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
        found = re.search(rf"\[{address}\]:\s*([-0-9.e+]+)", said)
        assert found, said
        return float(found[1])

    def publish(topic: str, value: float, unit: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        payload = json.dumps({"value": value, "unit": unit, "time": now})
        where = ["-h", "127.0.0.1", "-p", str(at["mqtt"].port)]
        subprocess.run(["mosquitto_pub", *where, "-q", "1", "-t", f"factory/{cell}/{topic}", "-m", payload], check=True)

    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        begin = time.monotonic()
        publish("meter1/voltage", meter(3028), "V")
        publish("meter1/power", meter(3060), "kW")
        if node in latest:
            publish("mill1/spindle-speed", latest[node], "r/min")
        time.sleep(max(0.0, begin + 0.7 - time.monotonic()))
    mill.wait(30)


if __name__ == "__main__":
    main()
