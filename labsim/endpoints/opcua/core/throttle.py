"""A brake for those who try passwords (OPC 10000-2 §6.15)."""

from __future__ import annotations

from collections import OrderedDict, deque

from labsim.endpoints.opcua.core.status import Bad, S

_MAX_HOSTS = 1000


class Throttle:
    """Counts failed log-ins by host: after ``most`` of them within ``window_s`` seconds it refuses to look at another."""

    def __init__(self, most: int, window_s: float) -> None:
        self._most, self._window_s = most, window_s
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, host: str, now: float) -> None:
        """Whether the host may try.

        Raises:
            Bad: BadUserAccessDenied, whatever the password is.
        """
        failures = self._failures.get(host)
        if failures is None:
            return
        while failures and failures[0] <= now - self._window_s:
            failures.popleft()
        if not failures:
            del self._failures[host]
        elif len(failures) >= self._most:
            wait = failures[0] + self._window_s - now
            raise Bad(
                S.BadUserAccessDenied, f"too many failed log-ins from {host}; the next is looked at in {wait:.0f} s"
            )

    def failed(self, host: str, now: float) -> None:
        """A log-in failed."""
        self._failures.setdefault(host, deque(maxlen=self._most)).append(now)
        self._failures.move_to_end(host)
        if len(self._failures) > _MAX_HOSTS:
            self._failures.popitem(last=False)
