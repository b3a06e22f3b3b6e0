"""A Python that has the client libraries loaded already: what a short script costs is mostly loading them.

This file is also a program, started by its path, so that nothing of labsim is in it. As a server it loads public libraries and
forks a child for every client, which becomes a script as if Python had been started with it; scripts share nothing but what was
loaded. As a client it stands where ``python`` would: it hands its command line, input and output to the server, ends as the
script ends, and the script ends with it. Linux only: forking what has loaded macOS' frameworks is not safe, Windows cannot.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys

_LIBRARIES = ("asyncua", "asyncua.crypto.security_policies", "paho.mqtt.client", "pymodbus.client", "urllib.request")
_LONGEST = 65536


def _serve(address: str, listener: socket.socket) -> list[str] | None:
    """Fork for each client, until whoever started this has ended; in a child that is to be a script, its command line."""
    for name in _LIBRARIES:
        importlib.import_module(name)
    gc.freeze()  # a child that collects garbage would copy every page of the libraries
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those that mind scripts are waited for by nobody
    while 0 not in select.select([listener.fileno(), 0], [], [])[0]:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return _mind(client)
        client.close()
    os.unlink(address)  # noqa: PTH108 - no library more than needed, so that a client starts at once
    os.rmdir(os.path.dirname(address))  # noqa: PTH106, PTH120
    return None


def _mind(client: socket.socket) -> list[str] | None:
    """Fork a script for a client: its command line in the child; else wait for the end of either, and tell or end the other."""
    message, files, _, _ = socket.recv_fds(client, _LONGEST, 3)
    script = os.fork()
    if script == 0:
        client.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        command: list[str] = json.loads(message)
        return command
    for file in files:
        os.close(file)
    ended = os.pidfd_open(script)
    if ended not in select.select([client.fileno(), ended], [], [])[0]:
        os.kill(script, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(script, 0)[1])
    with contextlib.suppress(OSError):  # the client may be gone
        client.sendall(str(code).encode())
    return None


def _run(address: str, command: list[str]) -> int:
    """Have a script run by the server; its exit code."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        socket.send_fds(server, [json.dumps(command).encode()], [0, 1, 2])
        code = int(server.recv(_LONGEST) or 1)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        signal.raise_signal(-code)
    return code


if __name__ == "__main__":
    if sys.argv[1] == "run":
        sys.exit(_run(sys.argv[2], sys.argv[3:]))
    found = _serve(sys.argv[2], socket.socket(fileno=int(sys.argv[3])))
    if found is not None:
        sys.argv, sys.path[0] = found, os.path.dirname(found[0])  # noqa: PTH120 - as Python itself begins
        runpy.run_path(found[0], run_name="__main__")
