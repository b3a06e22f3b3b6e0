"""Reports the first device that comes to mind, long before it has looked."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import json

from paho.mqtt.client import Client as Mqtt
from paho.mqtt.enums import CallbackAPIVersion
from solution import Trainee, main

LOSES = {"first": 5}


class ShoutsFirst(Trainee):
    """It is always washing line 1."""

    async def run(self) -> None:
        """Tell first, look later."""
        early = Mqtt(CallbackAPIVersion.VERSION2, client_id="shout")
        early.connect(self.at["mqtt"].hostname or "", self.at["mqtt"].port or 0)
        early.loop_start()
        early.publish("triage/report", json.dumps({"device": "wash1", "kind": "stuck"}), qos=1).wait_for_publish(10)
        early.disconnect()
        early.loop_stop()
        await super().run()


if __name__ == "__main__":
    main(ShoutsFirst)
