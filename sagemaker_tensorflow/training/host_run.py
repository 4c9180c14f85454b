"""What one host of a training job does, from an empty directory to an exit status."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_tensorflow.errors import CancelledError, InternalError, PipeModeDatasetException
from sagemaker_tensorflow.training.failure import error_reason, failure_reason
from sagemaker_tensorflow.training.host import HostEnd, HostListener, HostOrders, HostResults
from sagemaker_tensorflow.training.host_channels import HostChannels
from sagemaker_tensorflow.training.job_directory import MlDirectory
from sagemaker_tensorflow.training.parameter_server import parameter_server_command
from sagemaker_tensorflow.training.requirements_install import install_command, install_failure
from sagemaker_tensorflow.training.script_files import place_script, script_name
from sagemaker_tensorflow.training.script_mode import script_command
from sagemaker_tensorflow.training.script_process import ScriptCommand, ScriptProcess
from sagemaker_tensorflow.training.script_view import show_ml

if TYPE_CHECKING:
    from sagemaker_tensorflow.training.checkpoints.sync import CheckpointSync

_log = logging.getLogger(__name__)

# How often a process that runs is looked at by who waits for it.
_TICK_SECONDS = 0.2
_SERVER = "the parameter server"


class _FailedError(Exception):
    """The host failed, for a reason that is a FailureReason as it is."""


class _CheckpointsError(_FailedError):
    """The script did well, and its checkpoints could not be stored."""


class HostRun:
    """A `Host` of this process. A context manager; at its end its directory and processes are gone.

    Args:
        orders: What to do.
        listener: Is told how far it is.
    """

    def __init__(self, orders: HostOrders, listener: HostListener) -> None:
        self._orders = orders
        self._spec = orders.spec
        self._ml = orders.ml
        self._listener = listener
        self._open = contextlib.ExitStack()
        self._channels = HostChannels(orders)
        # Of what `stop` has to reach.
        self._lock = threading.Lock()
        self._stopped = False
        self._process: ScriptProcess | None = None
        self._checkpoints: CheckpointSync | None = None
        self._server: ScriptProcess | None = None  # a parameter server
        self._server_failure = ""
        self._exit_status: int | None = None

    def __enter__(self) -> HostRun:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def name(self) -> str:
        """As in ``resourceconfig.json``."""
        return self._orders.host

    def stop(self) -> None:
        """Has the script stopped, or what comes before it. Returns at once."""
        with self._lock:
            if self._stopped or self._exit_status is not None:
                return
            self._stopped = True
            self._channels.cancel()
            if self._process is not None:
                self._process.stop(self._orders.stop_seconds)
            elif self._checkpoints is not None:
                self._checkpoints.cancel_start()

    def kill(self) -> None:
        """Has the script killed, and what follows it broken off."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
            if self._checkpoints is not None:
                self._checkpoints.give_up()

    def results(self) -> HostResults:
        """The folders themselves; they are there until the context ends."""
        for folder in (self._ml.model, self._ml.output_data):
            with contextlib.suppress(OSError):  # who reads them says what is wrong
                folder.mkdir(parents=True, exist_ok=True)  # the script may have removed it
        return HostResults(self._ml.model, self._ml.output_data)

    def run(self) -> HostEnd:
        """Does everything; the errors are in what it returns."""
        try:
            return self._work()
        except CancelledError:
            return HostEnd(self.name, "Stopped", exit_status=self._exit_status)
        except _FailedError as error:
            has_model = isinstance(error, _CheckpointsError)
            return self._failed(str(error), has_model=has_model)
        except PipeModeDatasetException as error:
            return self._failed(error_reason(error), lost=isinstance(error, InternalError))
        except Exception as error:  # a bug; a thread has nobody to raise it to
            _log.exception("job %s, %s", self._spec.job_name, self.name)
            return self._failed(f"InternalServerError: {error!r}", lost=True)

    def _work(self) -> HostEnd:
        script = self._begin_process()
        self._open.callback(shutil.rmtree, self._ml.root, ignore_errors=True)
        seen = self._prepare(script)
        self._install_requirements()
        with contextlib.ExitStack() as around:
            checkpoints = self._begin_checkpoints(around)
            if self._spec.channels_in("File"):
                self._enter("Downloading")
            self._channels.download()
            around.callback(script.unmount)
            self._channels.mount(script, seen)
            around.enter_context(self._channels.pipes(script))
            self._enter("Training")
            self._begin_parameter_server()
            status = self._run_process(script, self._command(seen))
            self._exit_status = status
            if checkpoints is not None:
                self._keep_checkpoints(checkpoints, status)
        return self._end(status)

    def _begin_process(self) -> ScriptProcess:
        """Begins what ends with the context, and sees to the directory if this process dies."""
        return self._open.enter_context(ScriptProcess(self._ml.root, self._orders.output))

    def _prepare(self, script: ScriptProcess) -> MlDirectory:
        """Returns the host's directory as the script finds it."""
        orders = self._orders
        self._ml.make()
        place_script(self._spec, self._ml.code, orders.s3_options)
        seen = show_ml(script, self._ml, orders.addresses, orders.log)
        self._ml.write_config(self._spec, orders.hyperparameters(seen), orders.resources)
        return seen

    def _install_requirements(self) -> None:
        self._check_stopped()
        command = install_command(self._ml)
        if command is None:
            return
        with ScriptProcess(self._ml.root, self._orders.output) as installer:
            status = self._run_process(installer, command)
        self._check_stopped()
        if status != 0:
            raise _FailedError(install_failure(status, self._orders.log))

    def _begin_checkpoints(self, around: contextlib.ExitStack) -> CheckpointSync | None:
        if self._spec.checkpoint_s3_uri is None:
            return None
        from sagemaker_tensorflow.training.checkpoints.sync import CheckpointPlaces, CheckpointSync

        path = self._spec.checkpoint_local_path
        places = CheckpointPlaces(
            uri=self._spec.checkpoint_s3_uri,
            folder=self._ml.checkpoints if path is None else self._ml.place_of(path),
            rescue=self._orders.rescue,
            first_host=self._orders.resources.index == 0,
        )
        checkpoints = CheckpointSync(
            places, s3_options=self._orders.s3_options, prefetch=self._orders.prefetch
        )
        with self._lock:
            self._check_stopped()
            self._checkpoints = checkpoints
        around.callback(checkpoints.finish, None)  # nothing, if it was called by then
        checkpoints.start()
        return checkpoints

    def _keep_checkpoints(self, checkpoints: CheckpointSync, status: int) -> None:
        try:
            through_shell = not script_name(self._spec).endswith(".py")
            checkpoints.finish(status, through_shell)
        except PipeModeDatasetException as error:
            if status == 0 or self._stopped:
                raise _CheckpointsError(f"ClientError: {error}") from error
            _log.error("%s: %s", self.name, error)  # a script that failed has the first word

    def _begin_parameter_server(self) -> None:
        """It serves until the context ends, as the scripts of other hosts need it that long."""
        config = self._orders.tf_configs.parameter_server
        if config:
            self._server = self._begin_process()
            pid = self._server.run(
                parameter_server_command(_tf_config(config), self._ml.code), self._orders.log
            )
            _log.info("%s: the parameter server is process %d", self.name, pid)

    def _command(self, seen: MlDirectory) -> ScriptCommand:
        return script_command(
            self._spec.job_name,
            self._ml,
            self._orders.resources,
            script_name(self._spec),
            self._orders.hyperparameters(seen),
            {**_tf_config(self._orders.tf_configs.script), **self._spec.environment},
            seen,
        )

    def _run_process(self, process: ScriptProcess, command: ScriptCommand) -> int:
        """Runs a command to its end; returns its exit status."""
        pid = process.run(command, self._orders.log)
        _log.info(
            "job %s, %s: %s is process %d", self._spec.job_name, self.name, command.argv[1], pid
        )
        with self._lock:
            self._process = process
            if self._stopped:  # since it was looked at last
                process.stop(self._orders.stop_seconds)
        try:
            while (status := process.wait(_TICK_SECONDS)) is None:
                if self._server_has_failed():
                    process.stop(self._orders.stop_seconds)
            if status != 0:  # perhaps for lack of it
                self._server_has_failed()
        finally:
            with self._lock:
                self._process = None
        return status

    def _server_has_failed(self) -> bool:
        """Whether there was a parameter server, which ends after the script; notes why it ended."""
        if self._server is not None and not self._server_failure:
            status = self._server.wait(0)
            if status is not None:
                words = failure_reason(status, _SERVER, Path(os.devnull), self._orders.log)
                self._server_failure = words
        return bool(self._server_failure)

    def _end(self, status: int) -> HostEnd:
        if self._stopped:
            return HostEnd(self.name, "Stopped", exit_status=status)
        if status == 0:
            return HostEnd(self.name, "Completed", exit_status=status)
        if self._server_failure:
            return self._failed(self._server_failure)
        name = script_name(self._spec)
        return self._failed(failure_reason(status, name, self._ml.failure, self._orders.log))

    def _failed(self, reason: str, lost: bool = False, has_model: bool = False) -> HostEnd:
        return HostEnd(self.name, "Failed", reason, self._exit_status, lost, has_model)

    def _enter(self, stage: str) -> None:
        self._check_stopped()
        self._listener.entered(self.name, stage)

    def _check_stopped(self) -> None:
        if self._stopped:
            raise CancelledError(f"job {self._spec.job_name} was stopped")


def _tf_config(value: str) -> dict[str, str]:
    return {"TF_CONFIG": value} if value else {}
