"""How many files this process may have open."""

from __future__ import annotations

import contextlib
import resource


def raise_open_files_limit() -> None:
    """Raises the soft limit to the hard one.

    The soft one is 1024 by default, for the sake of programs that use ``select``; hundreds of
    connections with a socket and an eventfd each need more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
