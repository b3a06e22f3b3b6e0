"""Clients of ours that misbehave: real ones over the lab's own sockets, from an address of their own."""
