"""The server's own certificate and its judgement of others (OPC 10000-4 §6.1.3, OPC 10000-12 §7.8)."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Collection, Sequence
from pathlib import Path

from cryptography import x509

from labsim.endpoints.opcua.core.certificate import (
    Flaw,
    Pair,
    application_uri,
    key_pem,
    make_pair,
    process_key,
    read_certificates,
    read_private_key,
    thumbprint_of,
)
from labsim.endpoints.opcua.core.judgement import judge_alone, judge_chain
from labsim.endpoints.opcua.core.status import GOOD
from labsim.endpoints.opcua.core.trust import TrustFolders

OWN, CERTIFICATE_FILE, KEY_FILE = "own", "server-cert.der", "server-key.pem"
USERS = "users"


class Pki:
    """One server's pair of certificate and key, made when first needed, and who is let in.

    Args:
        uri: The server's application URI.
        name: Common name of the certificate.
        folder: Where the pair and the trust folders are kept; None keeps the pair in memory.
        hosts: Names and addresses the certificate is good for.
        listed: Only clients that the trust folders let in are; otherwise every client with a strong key and a
            certificate that is in time is.
        suppressed: Errors of a client's certificate that are overlooked.
        flaw: What is made wrong with the server's own certificate.

    Attributes:
        trust: The trust folders; None without `folder`.
        users: The trust folders of user certificates; None without `folder`.
        lent: A pair that is shown for a time in place of the server's own.
    """

    def __init__(
        self,
        uri: str,
        name: str,
        folder: Path | None = None,
        hosts: Sequence[str] = ("localhost",),
        *,
        listed: bool = False,
        suppressed: Collection[int] = (),
        flaw: Flaw | None = None,
    ) -> None:
        assert folder is not None or not listed
        self.uri, self.name, self.folder, self.hosts = uri, name, folder, tuple(hosts)
        self.listed, self._suppressed, self._flaw = listed, frozenset(suppressed), flaw
        self.trust = TrustFolders(folder) if folder is not None else None
        self.users = TrustFolders(folder / USERS) if folder is not None else None
        self._pair: Pair | None = None
        self.lent: Pair | None = None
        self._making = threading.Lock()
        self._in_force: set[str] = set()
        self._seen_ns: tuple[int, int] | None = None

    # ---- the server's own ----

    @property
    def own(self) -> Pair:
        """The server's pair; the first call may take a tenth of a second, in which other threads go on.

        Raises:
            OSError: the folder cannot be used.
            ValueError: what it holds is not a certificate or key.
        """
        if self.lent is not None:
            return self.lent
        with self._making:
            if self._pair is None:
                self._pair = self._load() if self.folder is not None else self._make()
            return self._pair

    def prepare(self) -> None:
        """Begin to make the pair in another thread, so that the first secure client need not wait for all of it."""
        threading.Thread(target=lambda: self.own, name="opcua-key", daemon=True).start()

    def replace(self, pair: Pair) -> None:
        """Go on with another pair: new channels have it, open ones keep theirs until they are renewed.

        Raises:
            OSError: it cannot be kept.
        """
        with self._making:
            if self.folder is not None:
                self._save(self.folder / OWN, pair)
            self._pair = pair

    def _make(self) -> Pair:
        """A certificate of its own; the key too where it is kept in a folder or has to be a special one."""
        shared = process_key() if self.folder is None and self._flaw is None else None
        return make_pair(self.uri, self.name, self.hosts, self._flaw, shared)

    def _load(self) -> Pair:
        assert self.folder is not None
        assert self.trust is not None
        assert self.users is not None
        self.trust.make()
        self.users.make()
        folder = self.folder / OWN
        certificate, key = folder / CERTIFICATE_FILE, folder / KEY_FILE
        if certificate.exists() and key.exists():
            pair = Pair(read_certificates(certificate.read_bytes())[0], read_private_key(key.read_bytes()))
            # Another application's is of no use: no client would take it for this server's.
            if self._flaw is not None or application_uri(pair.certificate) == self.uri:
                return pair
        pair = self._make()
        self._save(folder, pair)
        return pair

    def _save(self, folder: Path, pair: Pair) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(folder / KEY_FILE, flags, 0o600), "wb") as file:
            file.write(key_pem(pair.key))
        (folder / CERTIFICATE_FILE).write_bytes(pair.der)

    def judge_own(self, certificate: x509.Certificate) -> int:
        """Good, or why a certificate is of no use as the server's own: key length, validity."""
        return judge_alone(certificate, dt.datetime.now(dt.UTC))

    # ---- others ----

    def judge(self, chain: Sequence[x509.Certificate]) -> int:
        """Good, or the code that refuses a client's certificate, the first of a chain (OPC 10000-4 §6.1.3)."""
        now = dt.datetime.now(dt.UTC)
        if not self.listed or self.trust is None:
            return judge_alone(chain[0], now, self._suppressed)
        code = judge_chain(chain, self.trust.load(), now, self._suppressed)
        if code != GOOD:
            self._in_force.discard(thumbprint_of(chain[0]))
            self.trust.reject(chain[0])
        return code

    def judge_user(self, chain: Sequence[x509.Certificate]) -> int:
        """The same for a user's certificate, which always has to be listed."""
        assert self.users is not None
        code = judge_chain(chain, self.users.load(), dt.datetime.now(dt.UTC), self._suppressed)
        if code != GOOD:
            self.users.reject(chain[0])
        return code

    def lists_changed(self) -> bool:
        """Whether a list was changed since this was asked last; never where there are no folders."""
        if self.trust is None or self.users is None:
            return False
        seen = (self.trust.changed_ns() if self.listed else 0, self.users.changed_ns())
        changed, self._seen_ns = seen != self._seen_ns, seen
        return changed

    def newly_trusted(self, thumbprint: str) -> bool:
        """Whether an accepted certificate is let in for the first time since it was refused, or at all."""
        if not self.listed or thumbprint in self._in_force:
            return False
        self._in_force.add(thumbprint)
        return True
