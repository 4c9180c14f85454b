"""What a job reads on this machine, looked at before the job is recorded.

A slip of the pen should not use up the job's name. What is in S3 is looked for when the job runs.
"""

from __future__ import annotations

from sagemaker_tensorflow.errors import NotFoundError
from sagemaker_tensorflow.locations import LocalLocation
from sagemaker_tensorflow.training.script_files import check_script
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training_input import TrainingInput


def check_local_inputs(spec: TrainingSpec, *, channels: bool = True) -> None:
    """Holds that the script, what goes beside it, and local channels are there.

    Args:
        spec: Of the job.
        channels: Also the channels; not if they are read on other machines.

    Raises:
        NotFoundError: Something is not; says what was looked for.
        InvalidArgumentError: Something of the script is in S3 that cannot be.
    """
    check_script(spec)
    for channel in spec.channels if channels else ():
        given = channel.input
        location = given.location if isinstance(given, TrainingInput) else None
        if isinstance(location, LocalLocation) and not location.path.exists():
            raise NotFoundError(f"channel {channel.name}: there is nothing at {location.path}")
