"""The MQTT endpoint: a 3.1.1 broker of our own, so that everything a client does is evidence at the packet.

The core (`broker`, `connection`, `session`, `routing`, `packet`, `topic`) holds no socket and no clock; `shell` gives it both.
"""
