"""The engine's sources of a prefetcher: one for each bucket, whatever the number of channels."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagemaker_tensorflow import _prefetch
from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options

if TYPE_CHECKING:
    from sagemaker_tensorflow._prefetch import Source
    from sagemaker_tensorflow.s3_session import BucketAddress, S3Session


@dataclass(frozen=True)
class Bucket:
    """A bucket as the engine sees it.

    Attributes:
        s3: For listings and HEAD requests.
        source: Of the objects' bytes; with a cache before it, if there is one.
    """

    s3: _prefetch.S3Source
    source: Source


class SourcePool:
    """Makes sources, each once. Thread-safe."""

    def __init__(self, config: PrefetchConfig, s3_options: S3Options) -> None:
        self._config = config
        self._s3_options = s3_options
        self._lock = threading.Lock()
        self._session: S3Session | None = None
        self._buckets: dict[str, Bucket] = {}

    @property
    def session(self) -> S3Session:
        """boto3's side; made when it is first asked for.

        Raises:
            PipeModeDatasetException: There are no credentials, or the configuration is wrong.
        """
        # boto3 takes as long to load as the rest of a prefetcher, and local files do not need it.
        from sagemaker_tensorflow.s3_session import S3Session

        with self._lock:
            if self._session is None:
                self._session = S3Session.from_options(self._s3_options)
            return self._session

    def bucket(self, name: str, address: BucketAddress) -> Bucket:
        """The bucket `name`, which is at `address`."""
        session = self.session
        with self._lock:
            if name not in self._buckets:
                s3 = session.source(address, name, self._config.checksums)
                self._buckets[name] = Bucket(s3, self._cached(s3, name, address))
            return self._buckets[name]

    def bucket_of(self, location: S3Location, may_be_denied: bool = False) -> Bucket:
        """The bucket of an object, which is asked for to find out where that is.

        Args:
            location: Of the object, which need not be there.
            may_be_denied: That it may not be read is no error.

        Raises:
            PipeModeDatasetException: It cannot be asked for.
        """
        with self._lock:
            known = self._buckets.get(location.bucket)
        return known or self.bucket(
            location.bucket, self.session.locate_object(location, may_be_denied)
        )

    def close(self) -> None:
        """Stops refreshing credentials. Idempotent."""
        session = self._session  # without the lock: whoever holds it may wait for a provider
        if session is not None:
            session.close()

    def _cached(self, s3: _prefetch.S3Source, name: str, address: BucketAddress) -> Source:
        if self._config.cache_dir is None:
            return s3
        return _prefetch.CachedSource(
            s3,
            namespace=f"{address.endpoint_url}/{name}",
            cache_dir=self._config.cache_dir,
            cache_bytes=self._config.cache_bytes,
        )
