"""Commands that run modules of this package in processes of their own.

``python -m`` and ``python -c`` look for modules in the current directory first, which is the
user's: a ``json.py`` there would be imported instead of Python's own. ``python -P`` does not, from
Python 3.11 on. So this file is what is run: it takes its own folder, which Python puts there
instead, out of the way, and runs the module.
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
from pathlib import Path

_PACKAGE = Path(__file__).absolute().parent


def module_command(module: str, *arguments: str) -> list[str]:
    """How a module is run as ``python -m`` would, by this Python, from this copy of the package.

    PYTHONPATH, the user's packages and ``.pth`` files count in it; the current directory does not.

    Args:
        module: Its full name, which is seen in lists of processes.
        arguments: Of it.
    """
    return [sys.executable, __file__, module, *arguments]


def main() -> None:
    """Runs the module that the first argument names, with the arguments behind it."""
    if not getattr(sys.flags, "safe_path", False):  # PYTHONSAFEPATH, from Python 3.11 on
        del sys.path[0]
    _import_package()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _import_package() -> None:
    """This copy, as the process that starts this one may have found it in its current directory."""
    spec = importlib.util.spec_from_file_location(_PACKAGE.name, _PACKAGE / "__init__.py")
    assert spec and spec.loader  # noqa: S101 - for mypy
    sys.modules[spec.name] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)


if __name__ == "__main__":
    main()
