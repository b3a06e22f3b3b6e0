"""What a scenario says about a REST endpoint: its devices and who may ask them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from labsim.scenario.part import Account, Part, Path_, Port


class HttpSpec(Part):
    """An HTTP endpoint.

    Attributes:
        port: Port to listen on.
        devices: Devices whose routes are answered here.
        users: Accounts, for HTTP Basic.
        anonymous: Whether a request without an account is answered, where its route asks for no role.
    """

    port: Port = 8080
    devices: Annotated[tuple[Path_, ...], Field(min_length=1)]
    users: tuple[Account, ...] = ()
    anonymous: bool = True
