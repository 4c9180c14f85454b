"""What a shared library asks of the machine that loads it, as readelf tells it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_DYNAMIC = re.compile(r"\((NEEDED|RUNPATH|RPATH)\).*\[(.*)\]")
_VERSION = re.compile(r"Name: ([A-Z]+)_(\d[\d.]*)\b")
# An absolute path of a source file, on whichever machine it was: __FILE__ puts them there.
_SOURCE_PATH = re.compile(rb"(?<![\w.+-])(?:/[\w.+-]+)+\.(?:c|cc|cpp|cxx|h|hpp|inc|ipp)\b")


@dataclass(frozen=True)
class SharedLibrary:
    """One ELF file.

    Attributes:
        path: The file.
        needed: The libraries that it names.
        search_paths: Where it has the loader look for them, before the system's places.
        ceilings: For each family of versioned symbols (GLIBC, GLIBCXX, CXXABI, ...), the newest
            version that the file asks for.
        has_debug_info: It has sections for a debugger, which tell of the machine's files.
    """

    path: Path
    needed: frozenset[str]
    search_paths: tuple[str, ...]
    ceilings: dict[str, tuple[int, ...]]
    has_debug_info: bool

    def source_paths(self) -> list[str]:
        """The absolute paths of source files in it, which are of the machine that compiled it."""
        return sorted({found.decode() for found in _SOURCE_PATH.findall(self.path.read_bytes())})

    def mentions(self, text: str) -> bool:
        """Whether its bytes have `text`."""
        return text.encode() in self.path.read_bytes()


def read_shared_library(path: Path) -> SharedLibrary:
    """Asks readelf.

    Raises:
        subprocess.CalledProcessError: `path` is no ELF file.
    """
    dynamic = _DYNAMIC.findall(_readelf("--dynamic", path))
    ceilings: dict[str, tuple[int, ...]] = {}
    for family, text in _VERSION.findall(_needed_versions(_readelf("--version-info", path))):
        version = tuple(int(part) for part in text.rstrip(".").split("."))
        ceilings[family] = max(version, ceilings.get(family, version))
    return SharedLibrary(
        path=path,
        needed=frozenset(value for tag, value in dynamic if tag == "NEEDED"),
        search_paths=tuple(
            entry for tag, value in dynamic if tag != "NEEDED" for entry in value.split(":")
        ),
        ceilings=ceilings,
        has_debug_info=".debug_info" in _readelf("--section-headers", path),
    )


def _needed_versions(text: str) -> str:
    """The part about what is asked for; before it stands what the file itself defines."""
    return text.partition("Version needs section")[2]


def _readelf(what: str, path: Path) -> str:
    return subprocess.run(
        ["readelf", "--wide", what, str(path)], capture_output=True, text=True, check=True
    ).stdout
