"""Sparkplug B 3.0: payloads, topics, the state of a host. Bytes and text only; who sends them, and when, is not known here."""
