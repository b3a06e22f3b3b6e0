"""What a scenario or an instructor says about the link of an endpoint, and how that names the endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from labsim.quantity import Duration
from labsim.scenario.manual import describe

LinkState = Literal["slow", "throttle", "black-hole", "flap", "reset", "refuse"]
_LINKLESS = ("ntp",)
GOOD = "good"
"""What an instructor writes to end every state of a link."""
_NEEDS = {"slow": "delay", "throttle": "rate", "flap": "period"}
_BELONGS = {"delay": "slow", "jitter": "slow", "rate": "throttle", "period": "flap", "duty": "flap"}


def _network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is no IP address and no network such as 10.0.0.0/24") from None
    return text


class LinkSettings(BaseModel):
    """The parameters of a link's state; see ``docs/links.md``. All times are plant time.

    Attributes:
        state: What the link does: ``slow``, ``throttle``, ``black-hole``, ``flap``, ``reset`` or ``refuse``.
        client: Only for clients with this address or in this network.
        delay: With ``slow``: how long everything takes longer.
        jitter: With ``slow``: how much the delay varies.
        rate: With ``throttle``: bytes in a second.
        period: With ``flap``: from one cut to the next.
        duty: With ``flap``: the share of the period in which the link is good.
        lasting: ``for``; until the end of the lab when it is not given, except that a ``reset`` is then over at once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=describe)

    state: LinkState | None = None
    lasting: Duration | None = Field(None, alias="for")
    client: Annotated[str, AfterValidator(_network)] | None = None
    delay: Duration | None = None
    jitter: Duration | None = None
    rate: Annotated[float, Field(gt=0, le=1e9, strict=True)] | None = None
    period: Duration | None = None
    duty: Annotated[float, Field(gt=0, lt=1, strict=True)] | None = None

    @model_validator(mode="after")
    def _fit(self) -> LinkSettings:
        if self.state is None:
            return self
        needed = _NEEDS.get(self.state)
        if needed and getattr(self, needed) is None:
            raise ValueError(f"a link that is {self.state!r} needs {needed!r}")
        for name, state in _BELONGS.items():
            if getattr(self, name) is not None and self.state != state:
                raise ValueError(f"{name!r} belongs to the state {state!r}")
        if self.period is not None and self.period < 0.1:
            raise ValueError("a 'period' is 100 ms at least")
        return self

    def values(self) -> dict[str, Any]:
        """What was given, as arguments of an impairment."""
        names = ("client", *_BELONGS)
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


class LinkFault(LinkSettings):
    """A state of a link as an instructor sets it."""

    state: LinkState
    hidden: bool = False


def link_names(endpoints: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Every name of every link, with the number of its endpoint, for endpoints as ``(protocol, port of the scenario)``.

    An endpoint that is alone with its protocol has the protocol's name; of several the second one is ``modbus.2``, and each also
    goes by its port: ``modbus:5021``. Datagrams pass no link, so an NTP endpoint has none.
    """
    names: dict[str, int] = {}
    for number, (protocol, port) in enumerate(endpoints):
        if protocol in _LINKLESS:
            continue
        alike = [index for index, (other, _) in enumerate(endpoints) if other == protocol]
        if len(alike) == 1:
            names[protocol] = number
        else:
            names[f"{protocol}.{alike.index(number) + 1}"] = number
        if port:
            names[f"{protocol}:{port}"] = number
    return names
