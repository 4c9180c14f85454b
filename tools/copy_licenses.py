"""Puts the licenses of the libraries that auditwheel copied into a wheel beside them.

Usage: copy_licenses.py WHEEL    on the Debian or Ubuntu machine on which auditwheel copied them

Whoever passes libraries on passes on their licenses too.
"""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

FOLDER = "licenses/copies"
# auditwheel's name of a copy: libldap-2-062bb940.5.so.0.1.8 was libldap-2.5.so.0.1.8.
_COPY = re.compile(r"-[0-9a-f]{8}(?=\.)")


def package_of(copy: str) -> str:
    """The package that a copied library is from.

    Raises:
        subprocess.CalledProcessError: It is of none.
    """
    library = _COPY.sub("", Path(copy).name)
    found = subprocess.run(
        ["dpkg", "--search", f"*/{library}"], capture_output=True, text=True, check=True
    )
    return found.stdout.partition(":")[0]


def license_of(package: str) -> bytes:
    """What the distribution says about a package's authors and licenses.

    Raises:
        FileNotFoundError: The package was installed without its documents.
    """
    return Path("/usr/share/doc", package, "copyright").read_bytes()


def main(wheel: Path) -> None:
    """Adds the files, and names them in RECORD."""
    with zipfile.ZipFile(wheel) as archive:
        entries = {entry.filename: (entry, archive.read(entry)) for entry in archive.infolist()}
    info = next(name for name in entries if name.endswith(".dist-info/RECORD")).rpartition("/")[0]
    packages = sorted({package_of(name) for name in entries if ".libs/lib" in name})
    added = {f"{info}/{FOLDER}/{name}.txt": license_of(name) for name in packages}
    record, body = entries.pop(f"{info}/RECORD")
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries.values():
            archive.writestr(entry, content)
        for name, content in added.items():
            archive.writestr(name, content)
        lines = "".join(
            f"{name},{_record_hash(content)},{len(content)}\n" for name, content in added.items()
        )
        archive.writestr(record, body + lines.encode())


def _record_hash(content: bytes) -> str:
    digest = hashlib.sha256(content).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
