"""What soak.py streams: channels of several kinds, and what each epoch of them has to be."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sagemaker_tensorflow.records import encode_record, open_records
from sagemaker_tensorflow.training_input import ShuffleConfig, TrainingInput
from tests.faulty_s3 import FaultyS3

_MIB = 1 << 20


def _digest(data: bytes) -> str:
    return f"{len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}"


def _digest_of_records(data: bytes) -> str:
    """The same for every order of the RecordIO records."""
    with open_records(data, "RecordIO") as records:
        return _digest_of_set(records)


def _digest_of_set(records: Iterable[bytes]) -> str:
    digests = sorted(hashlib.sha256(record).digest() for record in records)
    return f"{len(digests)} records, {_digest(b''.join(digests))}"


@dataclass(frozen=True)
class SoakChannel:
    """`digest` makes of an epoch's bytes what has to be `truth`."""

    name: str
    input: TrainingInput
    truth: str
    digest: Callable[[bytes], str] = _digest


class SoakData:
    """The objects on the server. `bytes_stored` is their size together."""

    def __init__(self, s3: FaultyS3, seed: int) -> None:
        self._s3 = s3
        dice = random.Random(seed)
        # An empty object, odd ones, and some of several parts.
        large = [0, 1, 3 * _MIB, *(dice.randrange(6 * _MIB) for _ in range(13))]
        self._large = {f"large/{n:02}": size for n, size in enumerate(large)}
        self._small = {f"small/{n:03}": dice.randrange(60_000) for n in range(500)}
        self._plain = [_compressible(dice, dice.randrange(2 * _MIB)) for _ in range(12)]
        zipped = {f"zipped/{n:02}.gz": _gzip(dice, text) for n, text in enumerate(self._plain)}
        s3.add(self._large)
        s3.add(self._small)
        s3.put(zipped)
        sizes = [*self._large.values(), *self._small.values(), *map(len, zipped.values())]
        self.bytes_stored = sum(sizes)

    def channels(self) -> list[SoakChannel]:
        """Raw objects, objects as records in order and shuffled, and gzip."""
        return [self._raw("raw"), self._wrapped(), self._shuffled(), self._unzipped("gzip")]

    def cached_channels(self) -> list[SoakChannel]:
        """For a prefetcher with a cache."""
        return [self._raw("cached-raw"), self._unzipped("cached-gzip")]

    def _raw(self, name: str) -> SoakChannel:
        where = TrainingInput(f"{self._s3.uri}/large/")
        return SoakChannel(name, where, _digest(self._s3.truth("large/")))

    def _wrapped(self) -> SoakChannel:
        records = b"".join(encode_record("RecordIO", self._s3.truth(key)) for key in self._large)
        where = TrainingInput(f"{self._s3.uri}/large/", record_wrapping="RecordIO")
        return SoakChannel("wrapped", where, _digest(records))

    def _shuffled(self) -> SoakChannel:
        where = TrainingInput(
            f"{self._s3.uri}/small/", record_wrapping="RecordIO", shuffle_config=ShuffleConfig(7)
        )
        truth = _digest_of_set(self._s3.truth(key) for key in self._small)
        return SoakChannel("shuffled", where, truth, _digest_of_records)

    def _unzipped(self, name: str) -> SoakChannel:
        where = TrainingInput(f"{self._s3.uri}/zipped/", compression="Gzip")
        return SoakChannel(name, where, _digest(b"".join(self._plain)))


def _compressible(dice: random.Random, size: int) -> bytes:
    """Bytes that gzip makes about half of."""
    words = [dice.randbytes(dice.randrange(1, 12)) for _ in range(2000)]
    return b"".join(dice.choices(words, k=size // 6))


def _gzip(dice: random.Random, text: bytes) -> bytes:
    """One member or two."""
    cut = dice.choice([0, len(text) // 3])
    members = (text[:cut], text[cut:]) if cut else (text,)
    return b"".join(gzip.compress(member, compresslevel=1) for member in members)
