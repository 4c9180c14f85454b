"""What a training job does, stage by stage, in a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
from typing import TYPE_CHECKING

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.errors import CancelledError, InternalError, PipeModeDatasetException
from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.prefetcher import Prefetcher
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training.artifacts import upload_archive
from sagemaker_tensorflow.training.environment import region
from sagemaker_tensorflow.training.failure import failure_reason
from sagemaker_tensorflow.training.hyperparameters import of_container
from sagemaker_tensorflow.training.job_directory import JobDirectory
from sagemaker_tensorflow.training.job_output import JobOutput
from sagemaker_tensorflow.training.resources import Resources
from sagemaker_tensorflow.training.script_files import place_script, script_name
from sagemaker_tensorflow.training.script_mode import script_command
from sagemaker_tensorflow.training.script_process import ScriptProcess
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training.status import JobStatus
from sagemaker_tensorflow.training_input import TrainingInput

if TYPE_CHECKING:
    from sagemaker_tensorflow.training.download_progress import DownloadProgress
    from sagemaker_tensorflow.training.file_channel import ChannelDownload

_log = logging.getLogger(__name__)

# How often the script's time is compared with max_run.
_TICK_SECONDS = 0.2
_PROGRESS_SECONDS = 10.0


class JobRun:
    """One run. `run` is for one thread, the other methods for any.

    Attributes:
        hyperparameters: All that are in ``hyperparameters.json``, as texts.
        output_path: Under which there is a folder for the job.
        exit_status: Of the script, once it has ended.
        model_uri: Of ``model.tar.gz``, once it is there.
        output_uri: Of ``output.tar.gz``, once it is there.

    Args:
        spec: What to do.
        directory: Of the job; claimed before `run`.
        status: Is kept up to date.
        resources: Of this host.
        s3_options: How to reach S3.
        prefetch: The prefetcher's numbers.
        stop_seconds: Between SIGTERM and SIGKILL.
    """

    def __init__(
        self,
        spec: TrainingSpec,
        directory: JobDirectory,
        status: JobStatus,
        resources: Resources,
        *,
        s3_options: S3Options,
        prefetch: PrefetchConfig,
        stop_seconds: float,
    ) -> None:
        self._spec = spec
        self._ml = directory.ml
        self._log_path = directory.log(resources.current_host)
        self._status = status
        self._resources = resources
        self._s3_options = s3_options
        self._prefetch = prefetch
        self._stop_seconds = stop_seconds
        # Of what `stop` has to reach.
        self._lock = threading.Lock()
        self._script: ScriptProcess | None = None
        self._download: ChannelDownload | None = None
        self._stopped_as = ""  # a secondary status, once it is to stop
        self.hyperparameters = {
            **of_container(spec.job_name, script_name(spec), str(self._ml.code), region()),
            **spec.hyperparameters,
        }
        self.output_path = spec.output_path or str(directory.path.parent)
        self._output = JobOutput.below(self.output_path, spec.job_name, s3_options)
        self.exit_status: int | None = None
        self.model_uri: str | None = None
        self.output_uri: str | None = None

    def stop(self) -> None:
        """Has the script stopped, or what comes before it. Returns at once."""
        self._stop("Stopped")

    def kill(self) -> None:
        """Has the script killed."""
        with self._lock:
            if self._script is not None:
                self._script.kill()

    def run(self) -> None:
        """Does everything, and notes the outcome in the status."""
        end: tuple[str, str, str]
        try:
            with ScriptProcess(self._ml.root, self._output) as script:
                try:
                    end = self._work(script)
                finally:
                    shutil.rmtree(self._ml.root, ignore_errors=True)
        except CancelledError:
            end = "Stopped", self._stopped_as, ""
        except PipeModeDatasetException as error:
            whose = "InternalServerError" if isinstance(error, InternalError) else "ClientError"
            end = "Failed", "Failed", f"{whose}: {error}"
        except Exception as error:  # a bug; a thread has nobody to raise it to
            _log.exception("job %s", self._spec.job_name)
            end = "Failed", "Failed", f"InternalServerError: {error!r}"
        self._status.finish(*end)

    def _work(self, script: ScriptProcess) -> tuple[str, str, str]:
        """Returns status, secondary status and reason."""
        self._prepare()
        for channel in self._spec.channels_in("File"):
            self._enter("Downloading")
            self._download_files(channel)
        self.exit_status = self._train(script)
        end = self._outcome(self.exit_status)
        self._status.enter("Uploading")
        self._keep_artifacts(with_model=end[0] != "Failed")
        return end

    def _prepare(self) -> None:
        self._ml.make()
        place_script(self._spec, self._ml.code, self._s3_options)
        self._ml.write_config(self._spec, self.hyperparameters, self._resources)

    def _download_files(self, channel: Channel) -> None:
        from sagemaker_tensorflow.training.file_channel import ChannelDownload

        assert isinstance(channel.input, TrainingInput)  # noqa: S101 - for mypy
        download = ChannelDownload(
            channel.input,
            self._ml.data / channel.name,
            s3_options=self._s3_options,
            prefetch_config=self._prefetch,
            progress=_Progress(channel.name),
            host=self._place,
        )
        with self._lock:
            self._download = download
        try:
            self._check_stopped()
            stats = download.run()
        finally:
            with self._lock:
                self._download = None
        _log.info("channel %s: %d objects, %d bytes", channel.name, stats.objects, stats.bytes)

    def _train(self, script: ScriptProcess) -> int:
        """Returns the script's exit status."""
        with self._pipes(script):
            command = script_command(
                self._spec.job_name,
                self._ml,
                self._resources,
                script_name(self._spec),
                self.hyperparameters,
                self._spec.environment,
            )
            self._enter("Training")
            pid = script.run(command, self._log_path)
            _log.info("job %s: %s is process %d", self._spec.job_name, command.argv[1], pid)
            with self._lock:
                self._script = script
                if self._stopped_as:  # since it was looked at last
                    script.stop(self._stop_seconds)
            try:
                return self._wait(script)
            finally:
                with self._lock:
                    self._script = None

    def _pipes(self, script: ScriptProcess) -> contextlib.AbstractContextManager[object]:
        channels = self._spec.channels_in("Pipe")
        if not channels:
            return contextlib.nullcontext()
        options = self._s3_options
        return Prefetcher(
            channels,
            pipe_dir=self._ml.data,
            config_dir=self._ml.config,
            state_dir=self._ml.pipe_state,
            config=self._prefetch,
            profile=options.profile,
            region=options.region,
            endpoint_url=options.endpoint_url,
            anonymous=options.anonymous,
            hosts=self._resources.hosts,
            current_host=self._resources.current_host,
            pass_fds=(script.life_fd,),
        )

    def _wait(self, script: ScriptProcess) -> int:
        deadline = time.monotonic() + self._spec.max_run
        while (status := script.wait(_TICK_SECONDS)) is None:
            if time.monotonic() > deadline:
                self._stop("MaxRuntimeExceeded")
        return status

    def _outcome(self, exit_status: int) -> tuple[str, str, str]:
        if self._stopped_as:
            return "Stopped", self._stopped_as, ""
        if exit_status == 0:
            return "Completed", "Completed", ""
        script = script_name(self._spec)
        reason = failure_reason(exit_status, script, self._ml.failure, self._log_path)
        return "Failed", "Failed", reason

    def _keep_artifacts(self, with_model: bool) -> None:
        """As in SageMaker, a script that failed has output, and a model only if it was stopped."""
        with contextlib.closing(self._output.open()) as store:
            self.output_uri = upload_archive(self._ml.output_data, store, "output.tar.gz")
            if with_model:
                self.model_uri = upload_archive(self._ml.model, store, "model.tar.gz")
                if self.model_uri is None:
                    _log.warning(
                        "job %s: the script left nothing in SM_MODEL_DIR (%s), so there is no "
                        "model.tar.gz",
                        self._spec.job_name,
                        self._ml.model,
                    )

    def _stop(self, secondary: str) -> None:
        with self._lock:
            if self._stopped_as or self.exit_status is not None:
                return
            self._stopped_as = secondary
            self._status.begin_stopping()
            if self._download is not None:
                self._download.cancel()
            if self._script is not None:
                self._script.stop(self._stop_seconds)

    def _enter(self, stage: str) -> None:
        self._check_stopped()
        self._status.enter(stage)

    def _check_stopped(self) -> None:
        if self._stopped_as:
            raise CancelledError(f"job {self._spec.job_name} was stopped")

    @property
    def _place(self) -> HostPlace:
        return HostPlace.among(self._resources.hosts, self._resources.current_host)


class _Progress:
    """Logs how far a download is, now and then."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._next = time.monotonic() + _PROGRESS_SECONDS

    def __call__(self, progress: DownloadProgress) -> None:
        if time.monotonic() >= self._next:
            self._next += _PROGRESS_SECONDS
            _log.info("channel %s: %s", self._channel, progress)
