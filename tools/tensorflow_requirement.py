"""Which TensorFlow a build is made for: the one that SMTF_TENSORFLOW names, or the newest.

Usage: tensorflow_requirement.py VERSION    says so, and fails, where this Python has no wheel of it
"""

import os
import re
import sys

VARIABLE = "SMTF_TENSORFLOW"
NEWEST = "2.21"
# Each minor version that the sources are built for, and the newest Python 3 that it has wheels for
# on PyPI. The oldest is this package's.
NEWEST_PYTHON = {
    "2.15": 11,
    "2.16": 12,
    "2.17": 12,
    "2.18": 12,
    "2.19": 12,
    "2.20": 13,
    "2.21": 13,
}
OLDEST_PYTHON = 10


def tensorflow_requirements() -> list[str]:
    """Requirements of a build environment, for any machine: TensorFlow's headers and library.

    SMTF_TENSORFLOW is a minor version (2.16) or a release (2.16.2). The builds for CPUs and for
    GPUs have the same headers; the smaller one is taken where it exists.

    Raises:
        ValueError: SMTF_TENSORFLOW is no such version.
    """
    version = os.environ.get(VARIABLE) or NEWEST
    if not re.fullmatch(r"2\.\d+(\.\d+)?", version):
        raise ValueError(
            f"{VARIABLE} is {version!r}: name a minor version or a release of TensorFlow, as in "
            "2.21 or 2.16.2"
        )
    pin = f"=={version}" if version.count(".") == 2 else f"=={version}.*"
    return [
        f"tensorflow-cpu{pin}; platform_machine == 'x86_64'",
        f"tensorflow{pin}; platform_machine != 'x86_64'",
    ]


def misfit(version: str, python: tuple[int, int]) -> str | None:
    """Why a TensorFlow cannot be had for a Python, and which Pythons it can be had for."""
    newest = NEWEST_PYTHON.get(".".join(version.split(".")[:2]))
    if newest is None:
        return f"TensorFlow {version}: the sources are built for {', '.join(NEWEST_PYTHON)}"
    if (3, OLDEST_PYTHON) <= python <= (3, newest):
        return None
    return (
        f"TensorFlow {version} needs Python 3.{OLDEST_PYTHON} to 3.{newest}, and {sys.executable} "
        f"is {python[0]}.{python[1]}: make ... PYTHON=python3.{newest}"
    )


if __name__ == "__main__":
    sys.exit(misfit(sys.argv[1], sys.version_info[:2]))
