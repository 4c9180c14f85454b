"""``python -m installed_versions PACKAGE ...``: which of these packages an interpreter has."""

from __future__ import annotations

import importlib.metadata
import json
import sys


def main() -> None:
    """Prints their versions as JSON; those that are missing are left out."""
    found = {}
    for name in sys.argv[1:]:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    print(json.dumps(found))


if __name__ == "__main__":
    main()
