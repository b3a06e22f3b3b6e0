"""How often something may happen: a bucket that holds a second's worth."""

from __future__ import annotations


class Bucket:
    """Allows ``most`` acts a second, and as many at once after a pause; 0 allows any number."""

    def __init__(self, most: int, now: float) -> None:
        self.most, self._left, self._at = most, float(most), now

    def take(self, now: float) -> bool:
        """Count one act at the monotonic time ``now``; False when it is one too many, which is not counted."""
        if not self.most:
            return True
        self._left = min(float(self.most), self._left + (now - self._at) * self.most)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
