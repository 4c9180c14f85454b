"""Which TensorFlow a build is made for: the one that SMTF_TENSORFLOW names, or the newest."""

import os
import re

VARIABLE = "SMTF_TENSORFLOW"
NEWEST = "2.21"


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
