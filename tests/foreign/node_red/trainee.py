"""A first-contact trainee whose only tool is Node-RED: ``python trainee.py READY.json``.

The flow is one that was drawn in the editor; only what a trainee types into its nodes (addresses, unit, registers, topics) is
filled in.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from asyncua import Client

SECONDS = 26
LIMIT_S = 60
VOLTAGE, POWER = 3028, 3060  # register numbers of the datasheet; the first is 1
HERE = Path(__file__).parent
NODE_RED = HERE / "node_modules" / "node-red" / "red.js"


def filled(ready: dict[str, Any], namespace: int) -> str:
    """The flow with this lab's addresses."""
    rows = {row["protocol"]: row for row in ready["endpoints"]}
    at = {protocol: urlsplit(row["url"]) for protocol, row in rows.items()}
    base = ready["variants"]["base"]
    return Template((HERE / "flow.json").read_text(encoding="utf-8")).substitute(
        modbus_host=at["modbus"].hostname,
        modbus_port=at["modbus"].port,
        unit=rows["modbus"]["unit"],
        voltage=VOLTAGE - 1 + base,
        power=POWER - 1 + base,
        opcua_url=rows["opcua"]["url"],
        node=f"ns={namespace};s=mill1.spindle_speed",
        mqtt_host=at["mqtt"].hostname,
        mqtt_port=at["mqtt"].port,
        cell=ready["variants"]["cell"],
    )


async def namespace_of(url: str) -> int:
    """The index of the mill's namespace, which the editor's browser shows beside the node."""
    async with Client(url) as client:
        return int(await client.get_namespace_index("urn:labsim:cnc-mill"))


def main() -> None:
    """Let the flow carry values for a while."""
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    url = next(row["url"] for row in ready["endpoints"] if row["protocol"] == "opcua")
    with tempfile.TemporaryDirectory(prefix="node-red-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "flow.json").write_text(filled(ready, asyncio.run(namespace_of(url))), encoding="utf-8")
        command = ["node", str(NODE_RED), "--userDir", folder, "--settings", str(HERE / "settings.js")]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, encoding="utf-8"
        )
        begun = threading.Event()

        def follow() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                sys.stdout.write(line)
                sys.stdout.flush()
                if "Started flows" in line:
                    begun.set()

        threading.Thread(target=follow, daemon=True).start()
        try:
            if not begun.wait(LIMIT_S):
                sys.exit("Node-RED did not start its flow")
            process.wait(SECONDS)
            sys.exit("Node-RED ended by itself")
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait(LIMIT_S)


if __name__ == "__main__":
    main()
