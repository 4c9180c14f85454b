"""``python -m s3_clients.versions``: which of the clients' packages this interpreter has."""

from __future__ import annotations

import importlib.metadata
import json

_PACKAGES = ("boto3", "obstore", "s3torchconnectorclient", "awscrt")


def main() -> None:
    """Prints their versions as JSON."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "none"
    print(json.dumps(found))


if __name__ == "__main__":
    main()
