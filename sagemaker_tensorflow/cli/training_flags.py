"""Options of commands about training jobs, and the job that they describe."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.cli.channel_flags import add_channel_flags, given_channels
from sagemaker_tensorflow.cli.pairs import named_value, named_values
from sagemaker_tensorflow.cli.request_flags import given_flags, refuse_flags_beside_job
from sagemaker_tensorflow.training.distribution import (
    DISTRIBUTIONS,
    distribution_hyperparameters,
)
from sagemaker_tensorflow.training_input import INPUT_MODES

if TYPE_CHECKING:
    from sagemaker_tensorflow.training.spec import TrainingSpec

# Flags that are fields of TrainingSpec as they are; a field's default is that of the class.
_SETTINGS = (
    *("source_dir", "input_mode", "output_path", "max_run", "instance_count"),
    *("checkpoint_s3_uri", "checkpoint_local_path", "max_retry_attempts"),
)
# What a CreateTrainingJob request says, and --job allows no flag for.
_IN_REQUEST = (
    *("entry_point", "dependencies", "hyperparameters", "environment", "job_name"),
    *("metrics", "strategy"),
    *_SETTINGS,
)
# What the fields are called here, where that is not their names with hyphens.
_FLAGS = {
    "dependencies": "--dependency",
    "hyperparameters": "--hp",
    "environment": "--env",
    "metrics": "--metric",
}


def add_jobs_dir_flag(parser: Any) -> None:
    """Adds ``--jobs-dir`` to a parser, or to a group of its options."""
    parser.add_argument(
        "--jobs-dir",
        metavar="DIR",
        help="of all jobs' logs and their record (default ~/.sagemaker-tensorflow/jobs, and "
        "jobs.db beside it)",
    )


def add_training_flags(parser: argparse.ArgumentParser) -> None:
    """Adds what describes a training job."""
    _add_script_flags(parser.add_argument_group("script"))
    parser.add_argument(
        "--input-mode", choices=INPUT_MODES, help="of channels that do not say (default File)"
    )
    add_channel_flags(
        parser,
        required=False,
        job_help="a CreateTrainingJob request, instead of the flags",
        input_modes=True,
    )
    _add_output_flags(parser.add_argument_group("output"))
    _add_running_flags(parser.add_argument_group("running"))
    parser.set_defaults(wrong_usage=parser.error)


def _add_script_flags(group: Any) -> None:
    add = group.add_argument
    add("--entry-point", metavar="FILE", help="the script, within --source-dir if that is given")
    add("--source-dir", metavar="DIR", help="folder or .tar.gz with the script, here or in S3")
    many: dict[str, Any] = {"action": "append", "default": []}
    add("--dependency", dest="dependencies", **many, metavar="PATH", help="put beside it; repeat")
    add(
        "--hp",
        dest="hyperparameters",
        **many,
        metavar="K=V",
        help="--K V for it, where V is read as JSON if it is JSON; repeat",
    )
    add("--env", dest="environment", **many, metavar="K=V", help="variable of it; repeat")
    add(
        "--metric",
        dest="metrics",
        **many,
        metavar="NAME=REGEX",
        help="of what it prints, the regex's first group is the metric's value; repeat",
    )


def _add_output_flags(group: Any) -> None:
    add = group.add_argument
    add("--output-path", metavar="URI", help="s3://bucket/prefix or a folder, for model.tar.gz")
    add(
        "--checkpoint-s3-uri",
        metavar="URI",
        help="s3://bucket/prefix or a folder that keeps checkpoints for the next job",
    )
    add(
        "--checkpoint-local-path",
        metavar="DIR",
        help="where the script has them (default /opt/ml/checkpoints)",
    )


def _add_running_flags(group: Any) -> None:
    add = group.add_argument
    add(
        "--job-name", metavar="NAME", help="of the job's log and output (default: made of the time)"
    )
    add_jobs_dir_flag(group)
    add("--max-run", type=int, metavar="S", help="seconds that the script may run (default a day)")
    add("--instance-count", type=int, metavar="N", help="hosts (1)")
    add("--strategy", choices=DISTRIBUTIONS, help="what the hosts' TF_CONFIG is for (default none)")
    add(
        "--max-retry-attempts",
        type=int,
        metavar="N",
        help="how often to begin anew when a host is lost (0)",
    )


def spec_from_flags(args: argparse.Namespace) -> TrainingSpec:
    """The job that the flags describe.

    Raises:
        InvalidArgumentError: They make no sense; or the job's file does not.
        NotFoundError: There is no such file.
        SystemExit: There is neither a script nor a job's file.
    """
    from sagemaker_tensorflow.training.hyperparameters import encoded
    from sagemaker_tensorflow.training.spec import TrainingSpec
    from sagemaker_tensorflow.transform.transformer import make_job_name

    if args.job:
        return _spec_from_file(args)
    if not args.entry_point:
        args.wrong_usage("give --entry-point, or --job with a CreateTrainingJob request")
    strategy = {args.strategy: {"enabled": True}} if args.strategy else None
    return TrainingSpec(
        entry_point=args.entry_point,
        job_name=args.job_name or make_job_name("smtf-train"),
        channels=given_channels(args),
        dependencies=tuple(args.dependencies),
        hyperparameters={
            **encoded(distribution_hyperparameters(strategy)),
            **named_values("--hp", args.hyperparameters),
        },
        environment=named_values("--env", args.environment),
        metric_definitions=tuple(named_value("--metric", text) for text in args.metrics),
        **given_flags(args, _SETTINGS),
    )


def _spec_from_file(args: argparse.Namespace) -> TrainingSpec:
    from pathlib import Path

    from sagemaker_tensorflow.training.request import request_from_file, spec_from_request

    refuse_flags_beside_job(args, _IN_REQUEST, _FLAGS)
    return spec_from_request(request_from_file(Path(args.job)))
