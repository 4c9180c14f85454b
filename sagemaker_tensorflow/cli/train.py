"""``smtf train``: a training script over channels of data.

Exit status: 0 the job is Completed; 1 it is Failed, or could not begin; 124 it ran longer than
``--max-run``; 130 it was interrupted, and stopped as SageMaker stops jobs: SIGTERM, and SIGKILL
after 120 s or a second Ctrl-C; 2 wrong usage.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.cli.loudness_flags import add_loudness_flags
from sagemaker_tensorflow.cli.ray_flags import add_ray_flags, given_ray_options
from sagemaker_tensorflow.cli.s3_flags import add_s3_flags, given_s3_options
from sagemaker_tensorflow.cli.training_flags import add_training_flags, spec_from_flags

if TYPE_CHECKING:
    from sagemaker_tensorflow.training.job import TrainingResult

_EXIT_STATUS = {"Completed": 0, "Stopped": 130, "MaxRuntimeExceeded": 124}


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the command's syntax."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "train",
        help="run a training script over channels of data",
        description="Run a training script as SageMaker's containers do: with channels streamed "
        "into named pipes or downloaded, hyperparameters as arguments, and a model.tar.gz at the "
        "end.",
    )
    add_training_flags(parser)
    add_ray_flags(parser)
    add_s3_flags(parser)
    add_loudness_flags(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Runs the job; what its script prints goes to stdout."""
    import logging
    import signal

    from sagemaker_tensorflow.training.job import TrainingJob

    spec = spec_from_flags(args)
    level = logging.ERROR if args.quiet else logging.DEBUG if args.verbose else logging.INFO
    # Without a progress line, which the script's own output would tear.
    logging.basicConfig(format="smtf: %(levelname)s %(message)s")
    logging.getLogger("sagemaker_tensorflow").setLevel(level)
    job = TrainingJob(
        spec,
        s3_options=given_s3_options(args),
        jobs_dir=args.jobs_dir,
        ray=given_ray_options(args),
    )
    # What Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    job.start()
    try:
        result = job.wait(logs=not args.quiet)
    except KeyboardInterrupt:
        result = job.result()
    _log_result(result)
    status = _EXIT_STATUS.get(result.secondary_status, 1)
    if job.was_left_behind:
        _leave(status)
    return status


def _leave(status: int) -> None:
    """Ends this process without its threads, as one may wait for S3; wardens see to the rest."""
    import contextlib
    import os
    import sys

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(status)


def _log_result(result: TrainingResult) -> None:
    import logging

    log = logging.getLogger(__name__)
    if result.status == "Failed":
        log.error("%s: Failed: %s", result.job_name, result.failure_reason)
    else:
        log.info("%s: %s", result.job_name, result.secondary_status)
    for name, uri in (("model", result.model_uri), ("output", result.output_uri)):
        if uri is not None:
            log.info("  %s: %s", name, uri)
    log.info("  log: %s", result.log_path)
