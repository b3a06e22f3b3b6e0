"""Whom a client trusts over TLS, and who it is itself."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from labsim.probe.error import ProbeError


@dataclass(frozen=True, slots=True)
class Credentials:
    """What TLS needs: who is trusted (the system's authorities by default), and our own certificate and key."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    insecure: bool = False

    def context(self) -> ssl.SSLContext:
        """The context of a client.

        Raises:
            ProbeError: a file cannot be read.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.insecure:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except OSError as error:  # ssl.SSLError is one
            names = ", ".join(str(path) for path in (self.ca, self.certificate, self.key) if path)
            raise ProbeError(f"{names} cannot be used: {error.strerror or error}.") from error
        return context
