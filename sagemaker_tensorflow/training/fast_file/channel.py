"""Input mode FastFile: a channel's folder shows all objects, whose bytes are fetched when read.

As in SageMaker the folder is a FUSE mount. The objects are listed before the script starts, and
each is pinned to the ETag that it had then. The mount is made and unmade by the job's warden, in
the script's own namespace where it has one; its server is a process beside the script.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.system_errors import make_directory
from sagemaker_tensorflow.training.channel_files import ChannelFiles, list_channel_files
from sagemaker_tensorflow.training.fast_file.server import ServerOrders, write_list
from sagemaker_tensorflow.training.fast_file.tree import FileObject
from sagemaker_tensorflow.training.script_process import ScriptProcess
from sagemaker_tensorflow.training_input import TrainingInput

# Of memory: what PrefetchConfig allows.
_LEAST_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True)
class FastFileMounts:
    """Where a host's FastFile channels go.

    Attributes:
        script: Of the host, not started yet; the mounts end with it.
        data: The folder for the channels' folders.
        seen_data: The same folder as the script finds it; see `script_view`.
        log: Gets a line for what goes wrong with an object.
        s3_options: How to reach S3.
        config: Connections and retries of each channel; its memory is divided among them.
        host: Whose share of the objects it is, where they are distributed.
    """

    script: ScriptProcess
    data: Path
    seen_data: Path
    log: Path
    s3_options: S3Options
    config: PrefetchConfig
    host: HostPlace

    def add(self, channel: Channel, share: int) -> ChannelFiles:
        """Lists a channel's objects and mounts its folder.

        Args:
            channel: What it is of.
            share: Among how many channels the memory is divided.

        Returns:
            What is in the folder.

        Raises:
            FailedPreconditionError: There is no FUSE here; says what is missing.
            InvalidArgumentError: Its objects cannot be files of one folder; names them.
            PipeModeDatasetException: They cannot be listed.
        """
        given = channel.input
        assert isinstance(given, TrainingInput)  # noqa: S101 - for mypy
        files = list_channel_files(given, self.s3_options, self.host)
        make_directory(self.data / channel.name)
        if not len(files):
            return files  # more hosts than objects
        listed = self.data / f".{channel.name}.smtf-objects"
        objects = (FileObject(*each) for each in files.listed())
        write_list(listed, zip(files.paths(), objects, strict=True))
        orders = ServerOrders(
            channel=channel.name,
            list_path=str(listed),
            bucket=files.bucket,
            s3_options=self.s3_options,
            config=dataclasses.replace(
                self.config, memory_bytes=max(self.config.memory_bytes // share, _LEAST_BYTES)
            ),
        )
        self.script.serve_folder(self.seen_data / channel.name, orders.to_json(), self.log)
        return files
