"""The MQTT endpoint: a broker of our own for 3.1.1 and 5, so that everything a client does is evidence at the packet.

The core (`broker`, `connection`, `session`, `routing`, `decode`, `encode`, `topic`) holds no socket and no clock; `shell` gives
it both, and `link` and `weblink` are one socket each.
"""
