"""Looks at a wheel before anybody installs it: what is in it, and what it asks of a machine.

Usage: check_wheel.py [--any-glibc] WHEEL...

It prints what is wrong and fails, or says what each wheel asks for. With --any-glibc symbols may be
newer than the limits: of a wheel that is for the machine that built it.

The limits stand below. A wheel whose platform is `linux_*`, as `pip wheel .` makes it, names the
system's libcurl and libcrypto; one whose platform is `manylinux_*` has them inside (`make wheel`).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import re
import sys
import tempfile
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from functools import cached_property
from pathlib import Path

from shared_library import SharedLibrary, read_shared_library

PACKAGE = "sagemaker_tensorflow"
SOURCE = Path(__file__).resolve().parent.parent
LIBRARIES = f"{PACKAGE}.libs"  # where auditwheel puts what it copies

# The newest versions of symbols that anything in a wheel may ask for: those of Ubuntu 22.04, which
# Debian 12 and whatever is younger have too. GCC 12's condition_variable::wait is GLIBCXX_3.4.30.
CEILINGS = {"GLIBC": (2, 35), "GLIBCXX": (3, 4, 30), "CXXABI": (1, 3, 13), "GCC": (7, 0, 0)}

# What every Linux machine with glibc has.
SYSTEM = frozenset(
    {
        "ld-linux-aarch64.so.1",
        "ld-linux-x86-64.so.2",
        "libc.so.6",
        "libgcc_s.so.1",
        "libm.so.6",
        "libresolv.so.2",
        "libstdc++.so.6",
    }
)
# What PEP 600's policies take for granted, so that auditwheel does not copy them.
NAMED = frozenset({"libz.so.1", "libexpat.so.1"})
# What a wheel without copies names beside them.
ENGINE = frozenset({"libcurl.so.4", "libcrypto.so.3"})
TENSORFLOW = "libtensorflow_framework.so.2"

_MODULES = {"_core": SYSTEM, "_prefetch": SYSTEM | NAMED, "_pipe_op": SYSTEM | {TENSORFLOW}}
_NAME = re.compile(
    rf"{PACKAGE}-(?P<version>[^-]+)-(?P<python>cp3\d+)-(?P<abi>cp3\d+)-(?P<platform>[\w.]+)\.whl"
)
_BUILT_FOR = re.compile(rb"smtf-built-for-tensorflow:(\d+\.\d+)")  # csrc/ops/built_for.cc


@dataclass(frozen=True)
class Wheel:
    """An unpacked wheel and what its file name says."""

    root: Path
    names: frozenset[str]
    version: str
    python: str
    platform: str

    @property
    def minor(self) -> str:
        """The TensorFlow of its version: "2.21", or "" without one."""
        return self.version.partition("+tf")[2]

    @property
    def info(self) -> str:
        """Its folder of metadata."""
        return f"{PACKAGE}-{self.version}.dist-info"

    @property
    def has_copies(self) -> bool:
        """Whether it brings libcurl and what belongs to it along."""
        return self.platform.startswith("manylinux")

    @cached_property
    def modules(self) -> dict[str, SharedLibrary]:
        """The native modules by their names in Python."""
        paths = sorted((self.root / PACKAGE).glob("*.so"))
        return {path.name.partition(".")[0]: read_shared_library(path) for path in paths}

    @cached_property
    def copies(self) -> dict[str, SharedLibrary]:
        """The libraries that auditwheel copied, by their file names."""
        paths = sorted((self.root / LIBRARIES).glob("*"))
        return {path.name: read_shared_library(path) for path in paths}

    def headers(self, name: str) -> Message:
        """A file of its metadata that has the format of mails."""
        return Parser().parsestr((self.root / self.info / name).read_text("utf-8"))


def open_wheel(path: Path, root: Path) -> Wheel:
    """Unpacks a wheel into `root`.

    Raises:
        ValueError: The file name is not one of this package's wheels.
    """
    match = _NAME.fullmatch(path.name)
    if match is None or match["python"] != match["abi"]:
        raise ValueError(
            f"{path.name} is not named {PACKAGE}-VERSION+tfMINOR-cp3XX-cp3XX-PLATFORM.whl"
        )
    with zipfile.ZipFile(path) as archive:
        archive.extractall(root)
        names = frozenset(name for name in archive.namelist() if not name.endswith("/"))
    return Wheel(root, names, match["version"], match["python"], match["platform"])


def problems(wheel: Wheel, *, any_glibc: bool = False) -> Iterator[str]:
    """Everything that is wrong with it, a sentence each."""
    yield from _wrong_files(wheel)
    yield from _wrong_hashes(wheel)
    if {"_core", "_prefetch", "_pipe_op"} != set(wheel.modules):
        yield f"the native modules are {sorted(wheel.modules)}, not _core, _pipe_op and _prefetch"
        return
    yield from _wrong_metadata(wheel)
    for name, module in wheel.modules.items():
        yield from _wrong_module(wheel, name, module)
    yield from _wrong_copies(wheel)
    if any_glibc:
        return
    for library in [*wheel.modules.values(), *wheel.copies.values()]:
        yield from _wrong_library(library)


def _wrong_files(wheel: Wheel) -> Iterator[str]:
    """The package's Python files are those of the source tree, and nothing else is there."""
    patterns = ("*.py", "*.pyi", "py.typed")
    expected = {
        file.relative_to(SOURCE).as_posix()
        for pattern in patterns
        for file in (SOURCE / PACKAGE).rglob(pattern)
    }
    suffix = f".cpython-{wheel.python.removeprefix('cp')}-"
    for name in sorted(expected - wheel.names):
        yield f"{name} is missing"
    for name in sorted(wheel.names - expected):
        folder, _, file = name.rpartition("/")
        is_module = folder == PACKAGE and (suffix in file or file == "_pipe_op.so")
        is_metadata = folder.split("/")[0] == wheel.info
        is_copy = wheel.has_copies and folder == LIBRARIES and ".so" in file
        if not (is_metadata or is_copy or (is_module and file.endswith(".so"))):
            yield f"{name} does not belong there"
        if "tensorflow" in file and ".so" in file:
            yield f"{name} is TensorFlow's own library, which the user's TensorFlow has"


def _wrong_hashes(wheel: Wheel) -> Iterator[str]:
    """RECORD names every file with the hash that it has."""
    with (wheel.root / wheel.info / "RECORD").open(newline="") as file:
        recorded = {row[0]: row[1] for row in csv.reader(file)}
    for name in sorted(wheel.names.symmetric_difference(recorded)):
        yield f"{name} is in only one of the wheel and its RECORD"
    for name in sorted(wheel.names & set(recorded) - {f"{wheel.info}/RECORD"}):
        digest = hashlib.sha256((wheel.root / name).read_bytes()).digest()
        text = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if recorded[name] != f"sha256={text}":
            yield f"{name} is not the file whose hash RECORD has"


def _wrong_metadata(wheel: Wheel) -> Iterator[str]:
    """Version, tag, extras and the op agree on Python, platform and TensorFlow."""
    metadata = wheel.headers("METADATA")
    if metadata["Version"] != wheel.version:
        yield f"METADATA has version {metadata['Version']}, the file name {wheel.version}"
    built_for = _BUILT_FOR.search(wheel.modules["_pipe_op"].path.read_bytes())
    if built_for is None or built_for[1].decode() != wheel.minor:
        found = built_for[1].decode() if built_for else "unknown"
        yield f"_pipe_op.so is built for TensorFlow {found}, the version says {wheel.version}"
    tags = {f"{wheel.python}-{wheel.python}-{tag}" for tag in wheel.platform.split(".")}
    if set(wheel.headers("WHEEL").get_all("Tag", [])) != tags:
        yield f"WHEEL has the tags {wheel.headers('WHEEL').get_all('Tag')}, the file name {tags}"
    required = metadata.get_all("Requires-Dist", [])
    for extra, name in {"tensorflow": "tensorflow", "cpu": "tensorflow-cpu"}.items():
        pinned = [
            text
            for text in required
            if re.match(rf"{name} ?\(?=={re.escape(wheel.minor)}\.\*", text)
            and re.search(rf"extra == ['\"]{extra}['\"]", text)
        ]
        if not pinned:
            yield f"the extra {extra} does not ask for {name}=={wheel.minor}.*: {required}"


def _wrong_module(wheel: Wheel, name: str, module: SharedLibrary) -> Iterator[str]:
    """Only _prefetch is bound to libcurl, only _pipe_op to TensorFlow; neither knows a place."""
    allowed = _MODULES[name]
    if name == "_prefetch":
        allowed |= frozenset(wheel.copies) if wheel.has_copies else ENGINE
        if not any(library.startswith("libcurl") for library in module.needed):
            yield "_prefetch is not bound to a libcurl"
    for library in sorted(module.needed - allowed):
        yield f"{name} needs {library}, which is neither in the wheel nor on its list"
    for place in module.search_paths:
        if not (wheel.has_copies and place == f"$ORIGIN/../{LIBRARIES}"):
            yield f"{name} looks for libraries in {place}"
    for path in module.source_paths():
        yield f"{name} has the path {path} of the machine that built it"
    for place in _places_of_this_machine():
        if module.mentions(f"{place}/"):
            yield f"{name} has the path {place} of this machine"
    if module.has_debug_info:
        yield f"{name} has debug information"


def _places_of_this_machine() -> list[str]:
    """Where it compiles; not those that are on every machine."""
    places = {SOURCE, Path.home(), Path(sys.prefix)} - {Path("/"), Path("/usr")}
    return sorted(map(str, places))


def _wrong_copies(wheel: Wheel) -> Iterator[str]:
    """Copies find each other and nothing elsewhere, and each is there for another."""
    wanted = set().union(*(one.needed for one in [*wheel.modules.values(), *wheel.copies.values()]))
    for name, copy in wheel.copies.items():
        for library in sorted(copy.needed - SYSTEM - NAMED - set(wheel.copies)):
            yield f"{LIBRARIES}/{name} needs {library}, which is not in the wheel"
        for place in set(copy.search_paths) - {"$ORIGIN"}:
            yield f"{LIBRARIES}/{name} looks for libraries in {place}"
        if name not in wanted:
            yield f"nothing needs {LIBRARIES}/{name}"
    if wheel.copies and not (wheel.root / wheel.info / "licenses" / "copies").is_dir():
        yield f"the licenses of what is in {LIBRARIES} are missing: use tools/copy_licenses.py"


def _wrong_library(library: SharedLibrary) -> Iterator[str]:
    """It asks for no newer symbols than the limits."""
    for family, limit in CEILINGS.items():
        asked = library.ceilings.get(family, limit)
        if asked > limit:
            yield (
                f"{library.path.name} asks for {family}_{_dotted(asked)}, newer than "
                f"{family}_{_dotted(limit)}: build on Debian 12, Ubuntu 22.04 or older"
            )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def summary(wheel: Wheel) -> Iterator[str]:
    """What each module asks for, a line each, and what the copies do together."""
    for module in wheel.modules.values():
        needed = ", ".join(sorted(module.needed - SYSTEM)) or "no more"
        yield f"  {module.path.name}: {_newest([module])}; needs {needed}"
    if wheel.copies:
        yield f"  {len(wheel.copies)} copies, together: {_newest(wheel.copies.values())}"


def _newest(libraries: Collection[SharedLibrary]) -> str:
    asked = {
        family: max((one.ceilings.get(family, ()) for one in libraries), default=())
        for family in CEILINGS
    }
    return " ".join(f"{family}_{_dotted(one)}" for family, one in asked.items() if one)


def main(arguments: list[str]) -> int:
    """Checks each wheel; returns the exit status."""
    any_glibc = "--any-glibc" in arguments
    paths = [argument for argument in arguments if argument != "--any-glibc"]
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    failed = False
    for path in paths:
        with tempfile.TemporaryDirectory() as root:
            wheel = open_wheel(Path(path), Path(root))
            found = list(problems(wheel, any_glibc=any_glibc))
            print(f"{path}: {len(found) or 'no'} problem{'' if len(found) == 1 else 's'}")
            print("\n".join(f"  {text}" for text in found) if found else "\n".join(summary(wheel)))
            failed = failed or bool(found)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
