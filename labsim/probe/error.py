"""What goes wrong at a server that one of our clients asks."""

from __future__ import annotations

import ssl

from labsim.errors import LabsimError


class ProbeError(LabsimError):
    """The server did not answer, or refused; names its address."""


def reason(error: OSError) -> str:
    """Why a connection failed, as a part of a sentence."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "there was no answer in time"
    return (error.strerror or str(error)).lower()
