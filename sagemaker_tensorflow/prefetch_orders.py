"""What an owner tells its prefetcher's process."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.outlets import Outlet, outlet_from_json
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options


@dataclass(frozen=True)
class PrefetchOrders:
    """What a prefetcher's process is to do.

    Attributes:
        outlet: Where the streams come out.
        host: Which part of the channels that are sharded is streamed.
        temporary_dir: To remove when the owner ends the process or dies; None where there is none.
            The owner does it too, as the process may have been killed.
        log_level: Of the package's loggers, as a number of `logging`.
    """

    channels: tuple[Channel, ...]
    outlet: Outlet
    config: PrefetchConfig
    s3_options: S3Options
    host: HostPlace
    temporary_dir: Path | None
    log_level: int = logging.WARNING

    def to_json(self) -> dict[str, Any]:
        """The first line on stdin."""
        return {
            "channels": [channel.to_json() for channel in self.channels],
            "outlet": self.outlet.to_json(),
            "config": self.config.to_json(),
            "s3_options": asdict(self.s3_options),
            "host": asdict(self.host),
            "temporary_dir": self.temporary_dir and str(self.temporary_dir),
            "log_level": self.log_level,
        }

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> PrefetchOrders:
        """The reverse."""
        return cls(
            channels=tuple(Channel.from_json(channel) for channel in line["channels"]),
            outlet=outlet_from_json(line["outlet"]),
            config=PrefetchConfig.from_json(line["config"]),
            s3_options=S3Options(**line["s3_options"]),
            host=HostPlace(**line["host"]),
            temporary_dir=line["temporary_dir"] and Path(line["temporary_dir"]),
            log_level=line["log_level"],
        )
