"""Entry point of ``labsim`` and ``python -m labsim``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    from labsim.cli.main import run_command

    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
