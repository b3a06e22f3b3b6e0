"""The lock of an attempt folder: one host at a time."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from labsim.errors import AttemptError

if sys.platform == "win32":
    import msvcrt

    def _take(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
NAME = "lock"


class FolderLock:
    """Holds ``<folder>/lock`` until `release` or the end of the process, however it ends.

    The operating system keeps the lock; the file stays and means nothing by itself.

    Raises:
        AttemptError: another host holds it, or the file system cannot lock.
    """

    def __init__(self, folder: Path) -> None:
        try:
            fd = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise AttemptError(f"{folder / NAME} cannot be opened ({error.strerror}): make it writable.") from error
        try:
            _take(fd)
        except OSError as error:
            os.close(fd)
            if error.errno in _HELD:
                raise AttemptError(
                    f"{folder} is held by a lab that is still running: stop that lab, or use another folder."
                ) from error
            raise AttemptError(
                f"{folder} is on a file system that cannot lock files ({error.strerror}): use a folder on a local disk."
            ) from error
        self._fd = fd

    def release(self) -> None:
        """Let others in; releasing twice is harmless."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
