"""stdin, stdout and stderr, however a shell left them."""

from __future__ import annotations

import io
import os
import sys


def prepare_streams() -> None:
    """Makes sure that all three are open, and that stdout takes any text.

    Where one was closed, the next file or socket that is opened would get its number, and what is
    printed would go there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Data and names of files may have characters that a terminal's encoding has not.
        sys.stdout.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Drops what stdout does not take any more; Python would complain when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
