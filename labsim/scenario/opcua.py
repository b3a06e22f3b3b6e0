"""What a scenario says about an OPC UA server: its devices and users, security, rights and limits."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from labsim.scenario.part import Account, Part, Path_, Port, Role

Policy = Literal["None", "Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"]
Mode = Literal["None", "Sign", "SignAndEncrypt"]
Suppressible = Literal[
    "BadCertificatePolicyCheckFailed",
    "BadCertificateTimeInvalid",
    "BadCertificateIssuerTimeInvalid",
    "BadCertificateUseNotAllowed",
    "BadCertificateIssuerUseNotAllowed",
    "BadCertificateRevocationUnknown",
    "BadCertificateIssuerRevocationUnknown",
]
Rights: TypeAlias = dict[Literal["browse", "read", "write", "history", "events", "call"], tuple[Role, ...]]
"""By operation, the only roles that may."""


def _inside(name: str) -> str:
    """A file's name with ``/`` that stays below its folder and is not hidden there."""
    parts = name.split("/")
    if not name.endswith(".xml") or "\\" in name or ":" in name or any(not p or p.startswith(".") for p in parts):
        raise ValueError(f"{name!r} is no XML file below the scenario's folder")
    return name


NodesetFile = Annotated[str, Field(max_length=200), AfterValidator(_inside)]
_Count = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class OpcuaSecurity(Part):
    """How clients and users have to prove themselves.

    Attributes:
        policies: Security policies that are offered.
        modes: Message security modes that are offered.
        trust: ``any``: every client certificate with a strong key that is in time is accepted. ``list``: only those that
            ``pki/trusted`` in the attempt's folder lets in; others land in ``pki/rejected``, and whoever moves the file
            gets in.
        suppress: Errors of a client's certificate that are overlooked.
        plain_passwords: Also take passwords that the client does not encrypt.
        user_certificates: Role of a user who proves himself by a certificate that ``pki/users/trusted`` lets in; null
            refuses such users.
        certificate: What is wrong with the server's own certificate.
    """

    policies: tuple[Policy, ...] = ("None", "Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss")
    modes: tuple[Mode, ...] = ("None", "Sign", "SignAndEncrypt")
    trust: Literal["any", "list"] = "any"
    suppress: tuple[Suppressible, ...] = ()
    plain_passwords: bool = False
    user_certificates: Role | None = None
    certificate: Literal["good", "expired", "not-yet-valid", "wrong-uri", "short-key"] = "good"

    @model_validator(mode="after")
    def _some(self) -> OpcuaSecurity:
        if not self.offered:
            raise ValueError(
                "no policy is left for these modes: the policy None goes with the mode None, all others not"
            )
        return self

    @property
    def offered(self) -> tuple[tuple[str, str], ...]:
        """Pairs of policy and mode."""
        return tuple((p, m) for p in self.policies for m in self.modes if (p == "None") == (m == "None"))


class OpcuaLimits(Part):
    """What the server grants at most; what is not given stays as it is.

    Attributes:
        unactivated_sessions: Those that were created and not yet activated.
        sessions: Sessions at a time; ``unactivated_sessions`` those that were created and not yet activated.
        channels: Connections at a time.
        subscriptions: Subscriptions of all sessions together.
        items: Monitored items of all subscriptions together.
        operations: Nodes, items or methods in one request of any service.
        requests_per_s: Requests of one connection in a second.
        wrong_logins: Failed log-ins of one host in a minute.
    """

    sessions: _Count | None = None
    unactivated_sessions: _Count | None = None
    channels: _Count | None = None
    subscriptions: _Count | None = None
    items: _Count | None = None
    operations: _Count | None = None
    requests_per_s: _Count | None = None
    wrong_logins: _Count | None = None


class OpcuaSpec(Part):
    """An OPC UA server over some devices. ``anonymous`` is the role of a client without a user, or null to refuse it.

    Attributes:
        port: TCP port.
        devices: Devices in its address space.
        anonymous: The role of a client without a user; null refuses it.
        users: The users.
        name: What the server calls itself.
        security: How clients and users prove themselves.
        limits: What it grants at most.
        rights: Which roles may do what, by device (``mill1``), tag (``mill1.speed``) or node (``mill1/Program/Start``); it
            holds for all below, and the nearest decides.
        namespaces: ``given``: those of the devices come first, in their order. ``drawn``: the order differs from seat to
            seat, so that a client has to look a namespace up by its URI.
        node_ids: Of the devices' nodes: ``string`` speaks (``mill1.speed``), ``numeric`` and ``guid`` are drawn per seat, so
            that a client has to browse; ``drawn``: the kind differs from seat to seat too.
        nodesets: Files of companion models in the scenario's folder (UANodeSet), each after those it builds upon.
    """

    port: Port = 4840
    devices: tuple[Path_, ...]
    anonymous: Role | None = "Observer"
    users: tuple[Account, ...] = ()
    name: str = "labsim"
    security: OpcuaSecurity = OpcuaSecurity()
    rights: dict[str, Rights] = Field(default_factory=dict)
    limits: OpcuaLimits = OpcuaLimits()
    namespaces: Literal["given", "drawn"] = "given"
    node_ids: Literal["string", "numeric", "guid", "drawn"] = "string"
    nodesets: tuple[NodesetFile, ...] = ()

    @model_validator(mode="after")
    def _rights_of_devices(self) -> OpcuaSpec:
        for name in self.rights:
            if re.split("[./]", name, maxsplit=1)[0] not in self.devices:
                raise ValueError(f"'rights' are of this server's devices {', '.join(self.devices)}, not of {name!r}")
        return self
