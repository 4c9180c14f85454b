"""What the server holds: one bucket of objects that are made up from a seed, or given.

The bytes of a made-up object depend on the seed, its key and its version only, so a test that knows
the seed knows the truth without asking the server. They are cut from one block of random bytes, at
a place that differs for every stretch of every object: any range costs next to nothing, and bytes
that are missing, swapped or of another object show in a digest.
"""

from __future__ import annotations

import bisect
import hashlib
import random
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_STRETCH = 256 * 1024
_POOL = 8 * 1024 * 1024


class MadeUpBytes:
    """An endless supply of names' bytes, the same for the same seed. Thread-safe."""

    def __init__(self, seed: int) -> None:
        self._seed = str(seed).encode()
        self._pool = memoryview(random.Random(seed).randbytes(_POOL + _STRETCH))

    def pieces(self, name: bytes, begin: int, end: int) -> Iterator[memoryview]:
        """The bytes [begin, end) of what has this name, in pieces that refer to shared memory."""
        named = hashlib.blake2b(name, key=self._seed, digest_size=8)
        while begin < end:
            stretch, inside = divmod(begin, _STRETCH)
            mixed = named.copy()
            mixed.update(b"/%d" % stretch)
            at = int.from_bytes(mixed.digest(), "little") % _POOL + inside
            length = min(end - begin, _STRETCH - inside)
            yield self._pool[at : at + length]
            begin += length


@dataclass(frozen=True)
class StoredObject:
    """One version of an object. `body` is None for one that is made up."""

    key: str
    size: int
    version: int
    body: bytes | None = None

    @property
    def name(self) -> bytes:
        """What tells this version of this object from all others."""
        return b"%d/%s" % (self.version, self.key.encode())

    @property
    def etag(self) -> str:
        """With its quotes."""
        told = hashlib.blake2b(self.name, digest_size=16)
        told.update(self.body or b"%d" % self.size)
        return f'"{told.hexdigest()}"'


class Bucket:
    """The objects by key. Thread-safe."""

    def __init__(self, seed: int) -> None:
        self._made_up = MadeUpBytes(seed)
        self._lock = threading.Lock()
        self._objects: dict[str, StoredObject] = {}
        self._sorted: list[tuple[bytes, str]] | None = None

    def add(self, sizes: Mapping[str, int]) -> None:
        """Adds objects of these sizes in bytes, whose content is made up."""
        self._store(StoredObject(key, size, self._next_version(key)) for key, size in sizes.items())

    def put(self, bodies: Mapping[str, bytes]) -> None:
        """Adds objects with these contents."""
        self._store(
            StoredObject(key, len(body), self._next_version(key), body)
            for key, body in bodies.items()
        )

    def replace(self, key: str) -> None:
        """Makes another object of the same size of it: other bytes, another ETag."""
        self.add({key: self._objects[key].size})

    def delete(self, key: str) -> None:
        with self._lock:
            self._objects.pop(key, None)
            self._sorted = None

    def clear(self) -> None:
        with self._lock:
            self._objects = {}
            self._sorted = None

    def get(self, key: str) -> StoredObject | None:
        return self._objects.get(key)

    def pieces(self, stored: StoredObject, begin: int, end: int) -> Iterator[memoryview]:
        """The object's bytes [begin, end)."""
        if stored.body is None:
            return self._made_up.pieces(stored.name, begin, end)
        return iter((memoryview(stored.body)[begin:end],))

    def content(self, prefix: str = "") -> bytes:
        """All objects with this prefix, one after the other: what a channel streams."""
        objects = self.after(prefix, b"")
        return b"".join(piece for o in objects for piece in self.pieces(o, 0, o.size))

    def after(self, prefix: str, start_after: bytes) -> Iterator[StoredObject]:
        """Objects with this prefix whose key is above `start_after`, in the order of UTF-8 bytes.

        What is deleted or added meanwhile may be seen or not.
        """
        keys = self._keys()
        begins = prefix.encode()
        at = bisect.bisect_left(keys, (begins, ""))
        if start_after >= begins:
            at = max(at, bisect.bisect_right(keys, (start_after, "\U0010ffff")))
        while at < len(keys) and keys[at][0].startswith(begins):
            stored = self._objects.get(keys[at][1])
            at += 1
            if stored is not None:
                yield stored

    def _keys(self) -> list[tuple[bytes, str]]:
        with self._lock:
            if self._sorted is None:
                self._sorted = sorted((key.encode(), key) for key in self._objects)
            return self._sorted

    def _next_version(self, key: str) -> int:
        stored = self._objects.get(key)
        return stored.version + 1 if stored else 0

    def _store(self, objects: Iterable[StoredObject]) -> None:
        made = {stored.key: stored for stored in objects}
        with self._lock:
            self._objects.update(made)
            self._sorted = None
