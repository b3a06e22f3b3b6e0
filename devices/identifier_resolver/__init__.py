"""Identifier resolution in four tiers, over REST: root, national, second level, enterprise; each refers to the next."""

from __future__ import annotations

import re
from typing import Any

from labsim.plant.device import Device
from labsim.plant.rest_spec import Asked

TIERS = ("root", "national", "second", "enterprise")
_PUBLIC = "public"
_HANDLE = re.compile(r"[0-9]{2}\.[0-9]{3}\.[0-9]{1,6}")
_MOST = 10_000


class IdentifierResolver(Device):
    """One server that plays all four tiers for one enterprise; what it registers is asked for from the top down.

    A prefix is ``88.118.6``: country, second level, enterprise. Each tier knows only who the next is; the enterprise's own tier
    knows the attributes of what was registered under it.
    """

    def start(self) -> None:
        """Nothing is registered yet; the enterprise's prefix is the seat's own."""
        self._entries: dict[str, dict[str, Any]] = {}
        self._earlier: dict[str, dict[str, Any]] = {}
        self._prefix = str(self.settings["prefix"])
        if not _HANDLE.fullmatch(self._prefix):
            self._prefix = f"88.{int(self.random.integers(100, 1000))}.{int(self.random.integers(1, 10**6))}"
        self["prefix"] = self._prefix
        _, self["second_level"], self["enterprise"] = map(int, self._prefix.split("."))

    def ask(self, name: str, asked: Asked) -> tuple[int, Any]:
        """Answer one of the routes."""
        prefix = asked.path["prefix"]
        if name in TIERS and name != "enterprise":
            return self._refer(name, prefix)
        if prefix != self._prefix:
            return 404, {"error": f"the enterprise tier does not know the prefix {prefix!r}; ask from the root down."}
        local = asked.path.get("local", "")
        if name == "listed":
            return 200, {"prefix": prefix, "identifiers": sorted(self._entries)}
        if name == "register":
            return self._register(local, asked)
        if name == "update":
            return self._update(local, asked)
        known = self._earlier if "stale-cache" in self.faults and local in self._earlier else self._entries
        if local not in known:
            return 404, {"error": f"{prefix}/{local} is not registered."}
        return 200, _shown(prefix, local, known[local], asked.user)

    def faulted(self, name: str) -> None:
        """From here on a stale tier answers with what it knew."""
        if name == "stale-cache" and name in self.faults:
            self._earlier = {local: dict(entry) for local, entry in self._entries.items()}

    def _refer(self, tier: str, prefix: str) -> tuple[int, Any]:
        """Where a tier sends whoever asks: it knows one part of the prefix more than the one above."""
        following = TIERS[TIERS.index(tier) + 1]
        known = self._prefix.split(".")[: TIERS.index(following)]
        if prefix.split(".")[: len(known)] != known or not _HANDLE.fullmatch(prefix):
            return 404, {"error": f"the {tier} tier knows nobody for {prefix!r}."}
        tail = f"enterprise/{prefix}" if following == "enterprise" else f"{following}/{prefix}"
        return 200, {"tier": tier, "prefix": prefix, "authority": ".".join(known), "next": f"/{self.path}/{tail}"}

    def _register(self, local: str, asked: Asked) -> tuple[int, Any]:
        if local in self._entries:
            return 409, {"error": f"{self._prefix}/{local} is registered already; change it with PUT."}
        if len(self._entries) >= _MOST:
            return 507, {"error": f"this server keeps {_MOST} identifiers."}
        self._entries[local] = self._entry(asked, version=1)
        self["registered"] = len(self._entries)
        self.emit("IdentifierRegistered", Identifier=f"{self._prefix}/{local}")
        return 201, _shown(self._prefix, local, self._entries[local], asked.user)

    def _update(self, local: str, asked: Asked) -> tuple[int, Any]:
        if local not in self._entries:
            return 404, {"error": f"{self._prefix}/{local} is not registered."}
        self._entries[local] = self._entry(asked, version=self._entries[local]["version"] + 1)
        self["updates"] = int(self["updates"]) + 1
        return 200, _shown(self._prefix, local, self._entries[local], asked.user)

    def _entry(self, asked: Asked, *, version: int) -> dict[str, Any]:
        return {
            "attributes": dict(asked.body["attributes"]),
            _PUBLIC: sorted(set(asked.body.get(_PUBLIC, ()))),
            "by": asked.user,
            "at_s": round(self.now_s, 1),
            "version": version,
        }


def _shown(prefix: str, local: str, entry: dict[str, Any], user: str) -> dict[str, Any]:
    """An entry as its asker may see it: without an account only what is public."""
    attributes = entry["attributes"]
    if not user:
        attributes = {name: value for name, value in attributes.items() if name in entry[_PUBLIC]}
    return {
        "identifier": f"{prefix}/{local}",
        "attributes": attributes,
        "version": entry["version"],
        **({"registered_by": entry["by"], "at_s": entry["at_s"], _PUBLIC: entry[_PUBLIC]} if user else {}),
    }


BEHAVIOUR = IdentifierResolver
