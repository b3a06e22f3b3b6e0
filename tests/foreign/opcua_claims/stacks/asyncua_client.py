"""asyncua's client as a program that makes requests: one JSON line in, one out; values in the JSON of OPC 10000-6 §5.4."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import datetime as dt
import enum
import functools
import json
import sys
import typing
from typing import Any

from asyncua import Client, ua
from asyncua.crypto import security_policies as policies
from asyncua.ua.ua_binary import struct_from_binary

STRUCTURES = {
    one.data_type.to_string(): one
    for one in vars(ua).values()
    if dataclasses.is_dataclass(one) and hasattr(one, "data_type")
}
TEXTS = (ua.NodeId, ua.ExpandedNodeId)


def qualified(text: str | None) -> Any:
    """``2:Name``."""
    index, colon, name = (text or "").partition(":")
    return ua.QualifiedName(name, int(index)) if colon and index.isdigit() else ua.QualifiedName(text, 0)


def variant(made: Any) -> Any:
    """A Variant of its UaType and Value."""
    kind = ua.VariantType(made.get("UaType", 0))
    value = made.get("Value")
    one = PLAIN.get(kind.name, float if kind.name in ("Float", "Double") else lambda plain: plain)
    is_array = isinstance(value, list)
    return ua.Variant(
        [one(part) for part in value] if is_array else None if value is None else one(value), kind, is_array=is_array
    )


def data_value(made: dict[str, Any]) -> Any:
    """A DataValue; its value stands in it as a Variant does."""
    times = {key: time_of(made[key]) for key in ("SourceTimestamp", "ServerTimestamp") if key in made}
    status = ua.StatusCode(made["Status"]["Code"]) if "Status" in made else None
    return ua.DataValue(variant(made), status, **times)


def time_of(text: str) -> Any:
    """A UTC time."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC).replace(tzinfo=None)


def extension(made: dict[str, Any] | None) -> Any:
    """The structure that UaTypeId names."""
    return structure(STRUCTURES[made["UaTypeId"]], made) if made else None


PLAIN: dict[str, Any] = {
    "NodeId": ua.NodeId.from_string, "ExpandedNodeId": ua.ExpandedNodeId.from_string, "QualifiedName": qualified,
    "LocalizedText": lambda made: ua.LocalizedText(made.get("Text"), made.get("Locale")), "Variant": variant,
    "DataValue": data_value, "DateTime": time_of, "datetime": time_of, "ByteString": base64.b64decode,
    "bytes": base64.b64decode, "ExtensionObject": extension, "StatusCode": lambda made: ua.StatusCode(made["Code"]),
    "Int64": int, "UInt64": int,
}  # fmt: skip


def value_of(hint: Any, made: Any) -> Any:
    """A value of a field's type."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is list:
        return [value_of(arguments[0], one) for one in made]
    if arguments:  # optional
        return value_of(arguments[0], made)
    if hint.__name__ in PLAIN:
        return PLAIN[hint.__name__](made)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(made)
    if dataclasses.is_dataclass(hint):
        return structure(hint, made)
    return float(made) if hint.__name__ in ("Double", "Float", "float") else made


@functools.cache
def hints_of(kind: Any) -> dict[str, Any]:
    """Types of the fields of a structure."""
    return typing.get_type_hints(
        kind, vars(ua) | {"ua": ua, "Optional": typing.Optional, "List": list, "Union": typing.Union}
    )


def structure(kind: Any, made: dict[str, Any]) -> Any:
    """A structure of its fields."""
    one, hints = kind(), hints_of(kind)
    for name, plain in made.items():
        if name != "UaTypeId" and plain is not None:
            own = name if name in hints else name + "_"
            setattr(one, own, value_of(hints[own], plain))
    return one


def shown(value: Any) -> Any:
    """A value as JSON."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, float):
        return value if value - value == 0 else {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat() + "Z" if value.year > 1601 else None
    if isinstance(value, TEXTS):
        return value.to_string()
    if isinstance(value, ua.StatusCode):
        return {"Code": value.value}
    if isinstance(value, ua.QualifiedName):
        return f"{value.NamespaceIndex}:{value.Name}" if value.NamespaceIndex else value.Name
    if isinstance(value, ua.Variant):
        return {"UaType": value.VariantType.value, "Value": shown(value.Value)}
    if isinstance(value, ua.DataValue):
        beside = {
            "Status": value.StatusCode,
            "SourceTimestamp": value.SourceTimestamp,
            "ServerTimestamp": value.ServerTimestamp,
        }
        return (shown(value.Value) if value.Value else {}) | {
            key: shown(one) for key, one in beside.items() if one is not None
        }
    if isinstance(value, list | tuple):
        return [shown(one) for one in value]
    if dataclasses.is_dataclass(value):
        kind = getattr(value, "data_type", None)
        fields = {one.name.rstrip("_"): shown(getattr(value, one.name)) for one in dataclasses.fields(value)}
        return fields if kind is None else {"UaTypeId": kind.to_string(), **fields}
    return str(value)


class Clients:
    """The connections by their names."""

    def __init__(self) -> None:
        self.clients: dict[str, Any] = {}

    async def connect(self, asked: dict[str, Any]) -> Any:
        """Open a channel, and a session unless told otherwise."""
        client = Client(asked["url"], timeout=60)
        client.application_uri = asked["applicationUri"]
        if asked.get("user"):
            client.set_user(asked["user"])
            client.set_password(asked["password"])
        if asked.get("x509"):
            await client.load_client_certificate(asked[asked["x509"]]["der"])
            await client.load_private_key(asked[asked["x509"]]["key"])
        if asked["policy"] != "None":
            policy = getattr(policies, "SecurityPolicy" + asked["policy"].replace("_", ""))
            mode = ua.MessageSecurityMode(asked["mode"])
            await client.set_security(policy, asked["client"]["der"], asked["client"]["key"], mode=mode)
        try:
            if asked.get("session", True):
                await client.connect()
            else:
                await client.connect_socket()
                await client.send_hello()
                await client.open_secure_channel()
        except ua.UaStatusCodeError as error:
            return {"ResponseHeader": {"ServiceResult": {"Code": error.code}}}
        client.has_session = asked.get("session", True)
        self.clients[asked["connection"]] = client
        return {}

    async def disconnect(self, asked: dict[str, Any]) -> Any:
        """Close."""
        client = self.clients.pop(asked["connection"])
        if client.has_session:
            await client.disconnect()
        else:
            client.disconnect_socket()
        return {}

    async def send(self, asked: dict[str, Any]) -> Any:
        """Send a request; its response."""
        message = getattr(ua, asked["service"] + "Request")()
        holder = message.Parameters if hasattr(message, "Parameters") else message
        filled = structure(type(holder), asked["request"])
        if holder is message:
            message = filled
        else:
            message.Parameters = filled
        try:
            data = await self.clients[asked["connection"]].uaclient.protocol.send_request(message)
        except ua.UaStatusCodeError as error:
            return {"ResponseHeader": {"ServiceResult": {"Code": error.code}}}
        response = shown(struct_from_binary(getattr(ua, asked["service"] + "Response"), data))
        return response | (response.pop("Parameters", None) or {})


async def main() -> None:
    """Do what each line asks for."""
    clients = Clients()
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        try:
            told = {"response": await getattr(clients, asked["do"])(asked)}
        except Exception as error:  # noqa: BLE001 - what the stack does not send is told
            told = {"error": repr(error)}
        print(json.dumps(told), flush=True)  # noqa: T201 - its answer


asyncio.run(main())
