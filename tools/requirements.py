"""Prints requirements of pyproject.toml, a line each: of the build, the package and its groups.

Usage: requirements.py [--only] GROUP...    with --only those of the groups alone
"""

import os
import sys
from pathlib import Path

try:
    import tomllib
except ImportError:  # Python 3.10, whose pip brings the same parser
    from pip._vendor import tomli as tomllib

from tensorflow_requirement import NEWEST, VARIABLE, tensorflow_requirements

# What the suites of one minor version need beside the group "versions". TensorFlow's own
# requirements hold NumPy, Keras and protobuf to what it was made for.
_OF_ONE_VERSION = {
    "2.16": ["tensorflow-io==0.37.1"],  # the last release; its s3:// files are compared with ours
}


def of_one_version() -> list[str]:
    """What only the TensorFlow that SMTF_TENSORFLOW names is tested with."""
    version = os.environ.get(VARIABLE) or NEWEST
    return _OF_ONE_VERSION.get(".".join(version.split(".")[:2]), [])


def main() -> None:
    """Prints what build and package need, then each dependency group of the command line."""
    only, groups = "--only" in sys.argv, [name for name in sys.argv[1:] if name != "--only"]
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    requirements = []
    if not only:
        requirements += [*project["build-system"]["requires"], *tensorflow_requirements()]
        requirements += project["project"]["dependencies"]
    for group in groups:
        requirements += project["dependency-groups"][group]
        if group == "versions":
            requirements += of_one_version()
    print("\n".join(requirements))


if __name__ == "__main__":
    main()
