"""labsim: a lab in a box for IT/OT integration."""

__version__ = "0.1.0"
