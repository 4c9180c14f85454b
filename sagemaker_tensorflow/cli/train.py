"""``smtf train``: a training script over channels of data.

Exit status: 0 the job is Completed; 1 it is Failed, or could not begin; 124 it ran longer than
``--max-run``; 130 it was interrupted, and stopped as SageMaker stops jobs: SIGTERM, and SIGKILL
after 120 s or a second Ctrl-C.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.cli.channel_flags import add_channel_flags, given_channels
from sagemaker_tensorflow.cli.s3_flags import add_s3_flags

if TYPE_CHECKING:
    from sagemaker_tensorflow.training.job import TrainingResult
    from sagemaker_tensorflow.training.spec import TrainingSpec

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
    add = parser.add_argument
    add("--entry-point", metavar="FILE", help="the script, within --source-dir if that is given")
    add("--source-dir", metavar="DIR", help="folder or .tar.gz with the script, here or in S3")
    add("--dependency", action="append", default=[], metavar="PATH", help="put beside it; repeat")
    add("--hp", action="append", default=[], metavar="K=V", help="--K V for the script; repeat")
    add("--env", action="append", default=[], metavar="K=V", help="variable of it; repeat")
    add("--input-mode", default="File", choices=("File", "Pipe"), help="of channels (default File)")
    add_channel_flags(
        parser, required=False, job_help="a CreateTrainingJob request, instead of the flags"
    )
    add("--output-path", metavar="URI", help="s3://bucket/prefix or a folder, for model.tar.gz")
    add(
        "--job-name", metavar="NAME", help="of the job's log and output (default: made of the time)"
    )
    add(
        "--jobs-dir", metavar="DIR", help="of all jobs' logs (default ~/.sagemaker-tensorflow/jobs)"
    )
    add("--max-run", type=int, metavar="S", help="seconds that the script may run (default a day)")
    add("--instance-count", type=int, default=1, metavar="N", help="hosts (1)")
    add("--engine", default="local", choices=("local", "ray"))
    add_s3_flags(parser)
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-v", "--verbose", action="store_true", help="log more")
    loudness.add_argument("-q", "--quiet", action="store_true", help="log errors only")
    return parser


def run(args: argparse.Namespace) -> int:
    """Runs the job; what its script prints goes to stdout."""
    import logging
    import signal

    from sagemaker_tensorflow.s3_options import S3Options
    from sagemaker_tensorflow.training.job import TrainingJob

    spec = _spec(args)
    level = logging.ERROR if args.quiet else logging.DEBUG if args.verbose else logging.INFO
    # Without a progress line, which the script's own output would tear.
    logging.basicConfig(format="smtf: %(levelname)s %(message)s")
    logging.getLogger("sagemaker_tensorflow").setLevel(level)
    job = TrainingJob(
        spec,
        s3_options=S3Options(args.profile, args.region, args.endpoint_url, args.anonymous),
        jobs_dir=args.jobs_dir,
    )
    # What Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    job.start()
    try:
        result = job.wait(logs=not args.quiet)
    except KeyboardInterrupt:
        result = job.result()
    _log_result(result)
    return _EXIT_STATUS.get(result.secondary_status, 1)


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


def _spec(args: argparse.Namespace) -> TrainingSpec:
    from pathlib import Path

    from sagemaker_tensorflow.errors import InvalidArgumentError
    from sagemaker_tensorflow.training.request import request_from_file, spec_from_request
    from sagemaker_tensorflow.training.spec import DEFAULT_MAX_RUN_SECONDS, TrainingSpec
    from sagemaker_tensorflow.transform.transformer import make_job_name

    if args.job:
        return spec_from_request(request_from_file(Path(args.job)))
    if not args.entry_point:
        raise InvalidArgumentError("give --entry-point, or --job with a CreateTrainingJob request")
    return TrainingSpec(
        entry_point=args.entry_point,
        job_name=args.job_name or make_job_name("smtf-train"),
        channels=given_channels(args),
        source_dir=args.source_dir,
        dependencies=tuple(args.dependency),
        hyperparameters=_pairs("--hp", args.hp),
        input_mode=args.input_mode,
        instance_count=args.instance_count,
        output_path=args.output_path,
        environment=_pairs("--env", args.env),
        max_run=args.max_run or DEFAULT_MAX_RUN_SECONDS,
        engine=args.engine,
    )


def _pairs(flag: str, texts: list[str]) -> dict[str, str]:
    from sagemaker_tensorflow.errors import InvalidArgumentError

    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InvalidArgumentError(f"{flag} {text!r}: give NAME=VALUE")
        pairs[name] = value
    return pairs
