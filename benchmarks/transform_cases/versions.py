"""``python -m transform_cases.versions``: which rivals this interpreter has."""

from __future__ import annotations

import importlib.metadata
import json

_PACKAGES = ("ray", "pyarrow", "tensorflow-cpu", "tensorflow")


def main() -> None:
    """Prints their versions as JSON."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    print(json.dumps({"rivals": found}))


if __name__ == "__main__":
    main()
