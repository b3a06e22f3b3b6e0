"""Options about the connection that several commands of a client share, taken in at one place and handed on as one value."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from labsim.probe.modbus import ModbusProbe
    from labsim.probe.mqtt import MqttProbe
    from labsim.probe.opcua import OpcuaProbe

Options = Mapping[str, tuple[Any, Any]]
"""Type and typer's default by the name of a parameter."""

TLS: Options = {
    "ca": (
        Path | None,
        typer.Option(None, "--ca", help="TLS: the authorities to trust (PEM); the system's by default."),
    ),
    "cert": (Path | None, typer.Option(None, "--cert", help="TLS: our own certificate (PEM).")),
    "key": (Path | None, typer.Option(None, "--key", help="TLS: its private key (PEM).")),
    "insecure": (bool, typer.Option(False, "--insecure", help="TLS: trust any certificate.")),
}
SESSION: Options = {
    "user": (str, typer.Option("", "--user", "-u", help="User name; it may also stand in TARGET, before the host.")),
    "password": (str, typer.Option("", "--password", "-P", help="Password.")),
    "client_id": (str, typer.Option("", "--id", "-i", help="Client id; the broker gives one by default.")),
    "version": (str, typer.Option("3.1.1", "--mqtt", help="Version of MQTT: 3.1.1 or 5.")),
    "timeout": (float, typer.Option(5.0, "--timeout", min=0.01, help="Seconds to wait for the broker's answers.")),
}
OPCUA: Options = {
    "user": (str, typer.Option("", "--user", "-u", help="User name; it may also stand in TARGET, before the host.")),
    "password": (str, typer.Option("", "--password", "-P", help="Password.")),
    "security": (
        str,
        typer.Option("None", "--security", "-s", help="None, best, Basic256Sha256, Aes128_Sha256_RsaOaep, …"),
    ),
    "mode": (
        str,
        typer.Option("SignAndEncrypt", "--mode", "-m", help="Sign or SignAndEncrypt, when there is security."),
    ),
    "cert": (
        Path | None,
        typer.Option(None, "--cert", help="Our certificate (DER or PEM); one is made on first use by default."),
    ),
    "key": (Path | None, typer.Option(None, "--key", help="Its private key (PEM).")),
    "pki": (Path | None, typer.Option(None, "--pki", help="Folder of the certificate that is made on first use.")),
    "server_cert": (Path | None, typer.Option(None, "--server-cert", help="The only server certificate to accept.")),
    "user_cert": (Path | None, typer.Option(None, "--user-cert", help="Prove the user by this certificate.")),
    "user_key": (Path | None, typer.Option(None, "--user-key", help="Its private key (PEM).")),
    "plain_password": (
        bool,
        typer.Option(False, "--plain-password", help="Send the password even where nothing encrypts it."),
    ),
    "lang": (str, typer.Option("en", "--lang", help="Language of the server's texts.")),
    "timeout": (float, typer.Option(5.0, "--timeout", min=0.01, help="Seconds to wait for an answer.")),
}


@dataclass(frozen=True, slots=True)
class Connection:
    """What was said about the connection."""

    said: Mapping[str, Any]

    def modbus(self, target: str, timeout: float) -> ModbusProbe:
        """A Modbus client for a target."""
        from labsim.probe.modbus import ModbusProbe
        from labsim.probe.target import MODBUS, parse_target

        return ModbusProbe(parse_target(target, MODBUS), timeout, self._credentials())

    def mqtt(self, target: str, in_flight: int = 20) -> MqttProbe:
        """An MQTT client for a target.

        Raises:
            InputError: no such target or version.
        """
        from dataclasses import replace

        from labsim.errors import InputError
        from labsim.probe.mqtt import MqttProbe
        from labsim.probe.target import MQTT, parse_target

        said, where = self.said, parse_target(target, MQTT)
        version = {"3.1.1": 4, "4": 4, "5": 5, "5.0": 5}.get(said["version"])
        if version is None:
            raise InputError(f"--mqtt: {said['version']!r} is not a version that is spoken here. Choose 3.1.1 or 5.")
        if said["user"]:
            where = replace(where, user=said["user"], password=said["password"])
        return MqttProbe(
            where,
            client_id=said["client_id"],
            version=version,
            timeout=said["timeout"],
            credentials=self._credentials(),
            in_flight=in_flight,
        )

    def opcua(self, target: str) -> OpcuaProbe:
        """An OPC UA client for a target.

        Raises:
            InputError: no such target, policy or mode, or a certificate without its key.
        """
        from dataclasses import replace

        from labsim.errors import InputError, did_you_mean
        from labsim.probe.access import MODES, POLICIES, Access
        from labsim.probe.opcua import OpcuaProbe
        from labsim.probe.target import OPCUA, parse_target

        said, where = self.said, parse_target(target, OPCUA)
        for option, known in (("security", ["None", "best", *POLICIES]), ("mode", list(MODES))):
            if said[option] not in known:
                raise InputError(
                    f"--{option}: there is no {said[option]!r}. {did_you_mean(said[option], known)}".strip()
                )
        if said["user"]:
            where = replace(where, user=said["user"], password=said["password"])
        access = Access(
            said["security"],
            said["mode"],
            identity=self._pair("cert", "key"),
            server=said["server_cert"],
            user_certificate=self._pair("user_cert", "user_key"),
            plain_password=said["plain_password"],
            pki=said["pki"],
        )
        return OpcuaProbe(where, access, said["timeout"], [said["lang"]])

    def _pair(self, certificate: str, key: str) -> tuple[Path, Path] | None:
        from labsim.errors import InputError

        files = self.said[certificate], self.said[key]
        if (files[0] is None) != (files[1] is None):
            raise InputError(f"--{certificate.replace('_', '-')} and --{key.replace('_', '-')} go together.")
        return None if files[0] is None else files

    def _credentials(self) -> Any:
        from labsim.probe.credentials import Credentials

        return Credentials(*(self.said[name] for name in TLS))


def connecting(*groups: Options) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a command those options, and the command a `Connection` as its parameter ``connection``."""
    options = {name: option for group in groups for name, option in group.items()}

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def run(**given: Any) -> Any:
            said = {name: given.pop(name) for name in options}
            return command(connection=Connection(said), **given)

        own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "connection"]
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for name, (kind, default) in options.items()
        ]
        # typer reads a command's options from its signature and its annotations
        run.__signature__ = inspect.Signature([*own, *more])  # type: ignore[attr-defined] # a function takes attributes
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *more)}
        return run

    return decorate
