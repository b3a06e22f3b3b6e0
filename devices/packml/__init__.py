"""PackML, the language of packaging machines (ISA-TR88.00.02): states, and a machine that lives by them; no device type."""
