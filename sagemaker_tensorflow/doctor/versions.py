"""The software that streams: versions, and whether the native modules load."""

from __future__ import annotations

import ctypes
import importlib
import platform
from importlib.metadata import PackageNotFoundError, version

from sagemaker_tensorflow.doctor.check import Check, ok, problem

_REINSTALL = (
    "install the package again: in a clone of the repository, pip install --force-reinstall "
    "--no-deps ."
)


def check_versions() -> list[Check]:
    """Everything but TensorFlow, which must never be in the process that loads the engine."""
    return [_check_package(), _check_boto3(), _check_native_modules()]


def _check_package() -> Check:
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    python = f"Python {platform.python_version()}"
    try:
        package = version("sagemaker-tensorflow")
    except PackageNotFoundError:
        return problem(
            "package", f"sagemaker-tensorflow is not installed; {python}, {system}", _REINSTALL
        )
    return ok("package", f"sagemaker_tensorflow {package}, {python}, {system}")


def _check_boto3() -> Check:
    try:
        return ok("boto3", f"boto3 {version('boto3')}, botocore {version('botocore')}")
    except PackageNotFoundError as error:
        return problem("boto3", f"{error.name} is not installed", "pip install boto3")


def _check_native_modules() -> Check:
    for name in ("_core", "_prefetch"):
        try:
            module = importlib.import_module(f"sagemaker_tensorflow.{name}")
        except ImportError as error:
            return problem("engine", f"{name} does not load: {error}", _REINSTALL)
    assert module.__file__ is not None  # noqa: S101 - for mypy: it was loaded from a file
    return ok("engine", ", ".join(["_core and _prefetch load", *_libcurl(module.__file__)]))


def _libcurl(library: str) -> list[str]:
    """What the libcurl that `library` is bound to says of itself and its TLS library."""
    try:
        # dlsym looks into the libraries that this one was linked with, too.
        curl_version = ctypes.CDLL(library).curl_version
    except (OSError, AttributeError):
        return []  # linked statically, and not exported
    curl_version.restype = ctypes.c_char_p
    text: bytes = curl_version()
    return text.decode().split()[:2]  # "libcurl/7.88.1", "OpenSSL/3.0.17", zlib, ...
