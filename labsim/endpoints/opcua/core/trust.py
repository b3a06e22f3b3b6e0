"""Trust on disk: folders a person can move certificates between while the server runs (OPC 10000-12 §7.8.2)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from labsim.endpoints.opcua.core.certificate import (
    common_name,
    der_of,
    read_certificates,
    read_revocation_list,
    thumbprint_of,
)
from labsim.endpoints.opcua.core.judgement import TrustList

_log = logging.getLogger(__name__)
T = TypeVar("T")
_State: TypeAlias = tuple[int, int]
"""Time and size of a file, by which a change is seen."""
TRUSTED, TRUSTED_CRL = "trusted/certs", "trusted/crl"
ISSUERS, ISSUER_CRL = "issuer/certs", "issuer/crl"
REJECTED = "rejected"
_MAX_FILES, _MAX_SIZE = 500, 1 << 20
_MAX_REJECTED = 50  # anybody can be rejected, so the folder must not grow without end
_UNFIT = re.compile(r"[^A-Za-z0-9 ._-]")


class TrustFolders:
    """The folders ``trusted/certs``, ``trusted/crl``, ``issuer/certs``, ``issuer/crl`` and ``rejected``.

    Files may be DER or PEM, whatever they are called. They are looked at again for every judgement, so that moving a
    file takes effect at once; only files that are new or changed are read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, dict[Path, tuple[_State, list[Any]]]] = {}

    def make(self) -> None:
        """Make the folders that are not there.

        Raises:
            OSError: it cannot be done.
        """
        for name in (TRUSTED, TRUSTED_CRL, ISSUERS, ISSUER_CRL, REJECTED):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def load(self) -> TrustList:
        """What the folders hold now. A file that cannot be read is told in the log and left out."""

        def revocation_list(data: bytes) -> list[x509.CertificateRevocationList]:
            return [read_revocation_list(data)]

        return TrustList(
            self._contents(TRUSTED, read_certificates),
            self._contents(ISSUERS, read_certificates),
            self._contents(TRUSTED_CRL, revocation_list),
            self._contents(ISSUER_CRL, revocation_list),
        )

    def changed_ns(self) -> int:
        """When something in the lists was added, taken away or replaced last, in ns since 1970; 0 when nothing is there."""
        latest = 0
        for name in (TRUSTED, TRUSTED_CRL, ISSUERS, ISSUER_CRL):
            for path in (self.folder / name, *self._files(name)):
                try:
                    latest = max(latest, path.stat().st_mtime_ns)
                except FileNotFoundError:  # taken away between two looks
                    continue
        return latest

    def _files(self, name: str) -> list[Path]:
        try:
            return sorted(path for path in (self.folder / name).iterdir() if path.is_file())[:_MAX_FILES]
        except FileNotFoundError:  # somebody took the folder away: it holds nothing
            return []

    def _contents(self, name: str, read: Callable[[bytes], list[T]]) -> list[T]:
        return [one for found in self._by_file(name, read).values() for one in found]

    def _by_file(self, name: str, read: Callable[[bytes], list[T]]) -> dict[Path, list[T]]:
        """What each file of a folder holds."""
        known = self._known.get(name, {})
        now = {path: _read_file(path, known.get(path), read) for path in self._files(name)}
        self._known[name] = now
        return {path: found for path, (_, found) in now.items()}

    def _holding(self, name: str, thumbprint: str) -> list[Path]:
        """The files of a folder with the certificate of this SHA-1 in hexadecimal."""
        by_file = self._by_file(name, read_certificates)
        return [
            path for path, found in by_file.items() if any(thumbprint_of(one) == thumbprint.lower() for one in found)
        ]

    # ---- the rejected ----

    def reject(self, certificate: x509.Certificate) -> None:
        """Keep a refused certificate where a person can find it; the oldest gives way."""
        folder = self.folder / REJECTED
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / file_name(certificate)
            if not path.exists():
                path.write_bytes(der_of(certificate))
            by_age = sorted((one for one in folder.iterdir() if one.is_file()), key=lambda one: one.stat().st_mtime_ns)
            for old in by_age[:-_MAX_REJECTED]:
                old.unlink(missing_ok=True)
        except OSError as error:  # a full disk must not let anybody in, nor end the server
            _log.warning("a rejected certificate could not be kept: %s", error)

    def rejected(self) -> list[x509.Certificate]:
        """The refused certificates."""
        return self._contents(REJECTED, read_certificates)

    def accept(self, thumbprint: str) -> bool:
        """Move a refused certificate to the trusted ones; whether there was one with this SHA-1 in hexadecimal."""
        found = self._holding(REJECTED, thumbprint)
        (self.folder / TRUSTED).mkdir(parents=True, exist_ok=True)
        for path in found:
            path.replace(self.folder / TRUSTED / path.name)
        return bool(found)

    # ---- changes by a management client ----

    def add(self, certificate: x509.Certificate, trusted: bool = True) -> None:
        """Trust a certificate, or know it as an issuer."""
        folder = self.folder / (TRUSTED if trusted else ISSUERS)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file_name(certificate)).write_bytes(der_of(certificate))

    def remove(self, thumbprint: str, trusted: bool = True) -> bool:
        """Trust a certificate no more; whether there was one with this SHA-1 in hexadecimal."""
        found = self._holding(TRUSTED if trusted else ISSUERS, thumbprint)
        for path in found:
            path.unlink(missing_ok=True)
        return bool(found)

    def replace_certificates(self, certificates: Iterable[x509.Certificate], trusted: bool) -> None:
        """Have these certificates and no others."""
        self._replace(TRUSTED if trusted else ISSUERS, {file_name(one): der_of(one) for one in certificates})

    def replace_crls(self, crls: Iterable[x509.CertificateRevocationList], trusted: bool) -> None:
        """Have these revocation lists and no others."""
        files = {
            f"{number:03} {_fit(crl.issuer.rfc4514_string())}.crl": crl.public_bytes(serialization.Encoding.DER)
            for number, crl in enumerate(crls)
        }
        self._replace(TRUSTED_CRL if trusted else ISSUER_CRL, files)

    def _replace(self, name: str, files: dict[str, bytes]) -> None:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        for path in self._files(name):
            if path.name not in files:
                path.unlink(missing_ok=True)
        for file, data in files.items():
            (folder / file).write_bytes(data)


def file_name(certificate: x509.Certificate) -> str:
    """``UaExpert [0A1B…].der``: who it is, and the thumbprint that tells it from others of the name."""
    return f"{_fit(common_name(certificate)) or 'certificate'} [{thumbprint_of(certificate).upper()}].der"


def _fit(name: str) -> str:
    """As much of a name as every file system takes."""
    return _UNFIT.sub("_", name)[:60].strip(" .")


def _read_file(
    path: Path, known: tuple[_State, list[T]] | None, read: Callable[[bytes], list[T]]
) -> tuple[_State, list[T]]:
    """What a file holds; nothing, with a line in the log, when it cannot be read."""
    state = (-1, -1)
    try:
        stat = path.stat()
        state = (stat.st_mtime_ns, stat.st_size)
        if known is not None and known[0] == state:
            return known
        if stat.st_size > _MAX_SIZE:
            raise ValueError("it is too large")
        return state, read(path.read_bytes())
    except (OSError, ValueError) as error:
        _log.warning("%s is left out: %s", path, error)
        return state, []
