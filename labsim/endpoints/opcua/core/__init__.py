"""An OPC UA server core without sockets: bytes in, bytes out, time by hand.

It stands on asyncua's types, binary codec, security policies and standard nodes, and on nothing of its server. It knows
neither plant nor scenario: live values come from a `store.ValueStore`, and what clients do is told to one observer.

Sections of OPC 10000 are those of release 1.05.07 (docs/opcua-model.md); in others one may stand a number beside.
"""
