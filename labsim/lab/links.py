"""The links of a lab's endpoints, as a layer in which faults happen. See ``docs/links.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from labsim.document.faults import explain
from labsim.endpoints.endpoint import Guard
from labsim.endpoints.fault_table import LINK_FAULTS
from labsim.endpoints.link.impairment import Impairment
from labsim.endpoints.link.link import Link
from labsim.errors import InputError, UnknownNameError
from labsim.plant.fault_spec import FaultSpec
from labsim.scenario.link import LinkFault, LinkSettings, link_names
from labsim.scenario.model import EndpointSpec

PREFIX = "link."


class Links:
    """One link per endpoint, in the order of the scenario.

    Args:
        endpoints: The scenario's endpoints.
        seed: What jitter is drawn from, with the link's name.
        speed: Plant seconds per wall second.

    Attributes:
        names: Number of the endpoint by each name of its link.
    """

    prefix = PREFIX

    def __init__(self, endpoints: Sequence[EndpointSpec], *, seed: str, speed: float) -> None:
        self.names = link_names([(endpoint.protocol, endpoint.spec.port) for endpoint in endpoints])
        self._links = [Link(seed=f"{seed} link {number}", speed=speed) for number in range(len(endpoints))]
        self._running: dict[int, tuple[Link, Impairment]] = {}

    @property
    def guards(self) -> list[Guard]:
        """What each endpoint's listeners put their connections behind."""
        return [link.guard for link in self._links]

    @property
    def targets(self) -> list[str]:
        """Names of all links, as ``labsim fault`` takes them."""
        return [PREFIX + name for name in self.names]

    def place(self, target: str) -> str:
        """The same for every name of one link."""
        return str(self.names[target.removeprefix(PREFIX)])

    def faults(self, _target: str) -> Mapping[str, FaultSpec]:
        """What a link may be."""
        return LINK_FAULTS

    def parse(self, _target: str, fault: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a state; a ``reset`` without a duration is over at once.

        Raises:
            InputError: the settings do not make a state of a link.
        """
        whole = {**given, "state": fault}
        try:
            settings = LinkFault.model_validate(whole)
        except ValidationError as error:
            raise InputError(
                " ".join(f"{f.message} {f.hint}".strip() for f in explain(error, whole, LinkFault))
            ) from None
        facts = Impairment(settings.state, **settings.values()).facts()
        return facts | ({"for": 0.0} if settings.state == "reset" and settings.lasting is None else {})

    def tags(self, _target: str, _fault: str, _parameters: Mapping[str, Any]) -> Sequence[str]:
        """None."""
        return ()

    def begin(self, number: int, target: str, fault: str, parameters: Mapping[str, Any]) -> None:
        """Put a link into a state."""
        settings = LinkSettings.model_validate({"state": fault, **parameters})
        assert settings.state is not None, "it was given"
        link, impairment = self._link(target.removeprefix(PREFIX)), Impairment(settings.state, **settings.values())
        self._running[number] = link, impairment
        link.begin(impairment)

    def end(self, number: int) -> None:
        """End a state."""
        link, impairment = self._running.pop(number)
        link.end(impairment)

    def shut(self) -> None:
        """Make every link good at once, because the endpoints are about to close."""
        self._running.clear()
        for link in self._links:
            link.shut()

    def _link(self, name: str) -> Link:
        if name not in self.names:
            raise UnknownNameError("link", PREFIX + name, self.targets)
        return self._links[self.names[name]]
