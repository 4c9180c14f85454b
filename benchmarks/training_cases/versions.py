"""``python -m training_cases.versions``: TensorFlow's version, and what its import brings in here.

Keras imports other packages where they are installed, which can double the time that it takes.
"""

from __future__ import annotations

import importlib.util
import json
import platform

import harness

_IMPORTED_BY_KERAS = ("pandas", "scipy", "sklearn")


def main() -> None:
    """Prints JSON."""
    versions = {
        "python": platform.python_version(),
        "tensorflow": harness.tensorflow_version(),
        "imported_by_keras": [
            name for name in _IMPORTED_BY_KERAS if importlib.util.find_spec(name)
        ],
    }
    print(json.dumps(versions))


if __name__ == "__main__":
    main()
