"""Where faults happen: a layer knows what may happen to its targets, and does it.

Here are those of the plant and of endpoints; `labsim.lab.links` and `labsim.lab.rogue.layer` have the other two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from labsim.endpoints.endpoint import Endpoint, FailingEndpoint
from labsim.endpoints.fault_table import ENDPOINT_FAULTS
from labsim.errors import UnknownNameError
from labsim.plant.fault_spec import FaultSpec
from labsim.plant.faults import concerned, faults_of_device, faults_of_tag
from labsim.plant.plant import Plant


class Layer(Protocol):
    """Where faults happen."""

    @property
    def prefix(self) -> str:
        """What its targets begin with; "" for those of the plant."""
        ...

    @property
    def targets(self) -> Sequence[str]:
        """Names of what may fail."""
        ...

    def place(self, target: str) -> str:
        """The same for every name of one target."""
        ...

    def faults(self, target: str) -> Mapping[str, FaultSpec]:
        """What may happen to a target."""
        ...

    def parse(self, target: str, fault: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters, complete.

        Raises:
            UnknownNameError: no such fault or parameter.
            InputError: a value that a parameter does not take.
        """
        ...

    def tags(self, target: str, fault: str, parameters: Mapping[str, Any]) -> Sequence[str]:
        """Paths of the single tags that show something else then; evidence names them."""
        ...

    def begin(self, number: int, target: str, fault: str, parameters: Mapping[str, Any]) -> None:
        """Let it happen."""
        ...

    def end(self, number: int) -> None:
        """End it."""
        ...


class PlantFaults:
    """The layer of tags (``oven1.zone1_temperature``) and devices (``oven1``)."""

    prefix = ""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    @property
    def targets(self) -> list[str]:
        """Every device and every tag of it."""
        devices = self._plant.devices
        return [*devices, *(f"{path}.{tag}" for path, device in devices.items() for tag in device.tags)]

    def place(self, target: str) -> str:
        """A target has one name."""
        return target

    def faults(self, target: str) -> Mapping[str, FaultSpec]:
        """What may happen to a device or a tag."""
        device, tag = self._plant.faults.split(target)
        return faults_of_tag(device.tags[tag].type) if tag else faults_of_device(device.interface)

    def parse(self, target: str, fault: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """See `Layer`."""
        return dict(self._plant.faults.parse(target, fault, given))

    def tags(self, target: str, fault: str, parameters: Mapping[str, Any]) -> Sequence[str]:
        """A fault of a tag concerns it, and the one that it is swapped with."""
        device, tag = self._plant.faults.split(target)
        return concerned(device.interface, device.path, tag, fault, parameters) if tag else ()

    def begin(self, number: int, target: str, fault: str, parameters: Mapping[str, Any]) -> None:
        """See `Layer`."""
        self._plant.faults.begin(number, target, fault, parameters)

    def end(self, number: int) -> None:
        """See `Layer`."""
        self._plant.faults.end(number)


class EndpointFaults:
    """The layer of endpoints (``endpoint.opcua``).

    Args:
        endpoints: The lab's endpoints, in the order of the scenario.
        names: Number of the endpoint by each name of it, as links have them.
    """

    prefix = "endpoint."

    def __init__(self, endpoints: Sequence[Endpoint], names: Mapping[str, int]) -> None:
        self._endpoints, self._names = endpoints, names
        self._running: dict[int, tuple[FailingEndpoint, str]] = {}

    @property
    def targets(self) -> list[str]:
        """Every name of every endpoint."""
        return [self.prefix + name for name in self._names]

    def place(self, target: str) -> str:
        """The same for every name of one endpoint."""
        return str(self._names[target.removeprefix(self.prefix)])

    def faults(self, target: str) -> Mapping[str, FaultSpec]:
        """What may happen to an endpoint as it is set up."""
        endpoint = self._endpoints[self._names[target.removeprefix(self.prefix)]]
        able = endpoint.faults if isinstance(endpoint, FailingEndpoint) else ()
        return {name: spec for name, spec in ENDPOINT_FAULTS.get(endpoint.protocol, {}).items() if name in able}

    def parse(self, target: str, fault: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """See `Layer`."""
        known = self.faults(target)
        if fault not in known:
            raise UnknownNameError(f"fault of {target}", fault, known)
        return dict(known[fault].parse(given))

    def tags(self, _target: str, _fault: str, _parameters: Mapping[str, Any]) -> Sequence[str]:
        """None."""
        return ()

    def begin(self, number: int, target: str, fault: str, parameters: Mapping[str, Any]) -> None:
        """See `Layer`."""
        endpoint = self._endpoints[self._names[target.removeprefix(self.prefix)]]
        assert isinstance(endpoint, FailingEndpoint), "it has the fault"
        self._running[number] = endpoint, fault
        endpoint.begin_fault(fault, parameters)

    def end(self, number: int) -> None:
        """See `Layer`; a fault that has begun twice is over with its first end."""
        endpoint, fault = self._running.pop(number)
        endpoint.end_fault(fault)
