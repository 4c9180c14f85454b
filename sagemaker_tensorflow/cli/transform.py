"""``smtf transform``: a SavedModel over the objects of a prefix, a manifest or a folder.

Exit status: 0 the job is Completed; 1 it is Failed, or could not begin; 3 it is
CompletedWithErrors, which only ``--on-error record`` allows; 130 it was interrupted. Run again, it
does only what is missing.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.cli.s3_flags import add_s3_flags

if TYPE_CHECKING:
    from sagemaker_tensorflow.s3_options import S3Options
    from sagemaker_tensorflow.transform.spec import TransformSpec

_EXIT_STATUS = {"Completed": 0, "CompletedWithErrors": 3, "Stopped": 130}


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the command's syntax."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "transform",
        help="run a SavedModel over the objects of a prefix, manifest or folder",
        description="Run a SavedModel over every object of a prefix, manifest or folder and write "
        "one result per object, as SageMaker Batch Transform does. A job that was stopped goes on "
        "where it was when it is run again.",
    )
    add = parser.add_argument
    add("--model", required=True, metavar="URI", help="SavedModel folder, model.tar.gz or .keras")
    add("--describe", action="store_true", help="print the model's signatures and end")
    add("--signature", default="serving_default", metavar="NAME", help="of the model")
    _add_input_flags(parser)
    _add_output_flags(parser)
    _add_running_flags(parser)
    add_s3_flags(parser)
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-v", "--verbose", action="store_true", help="log more")
    loudness.add_argument("-q", "--quiet", action="store_true", help="log errors only")
    return parser


def _add_input_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("input").add_argument
    add("--input", metavar="URI", help="key prefix, object, folder, file or manifest")
    add("--data-type", default="S3Prefix", choices=("S3Prefix", "ManifestFile"))
    add("--content-type", default="", metavar="MIME", help="default: what fits the model's inputs")
    add("--compression", default="None", choices=("None", "Gzip"))
    add("--split-type", default="None", choices=("None", "Line", "RecordIO", "TFRecord"))
    add("--strategy", default="MultiRecord", choices=("MultiRecord", "SingleRecord"))
    add("--max-payload", type=int, metavar="MB", help="bound on a payload, 0 for none (default 6)")
    add("--input-filter", default="$", metavar="JSONPATH", help="what the model gets of a record")
    add("--job", metavar="FILE", help="a CreateTransformJob request as JSON, instead of the flags")


def _add_output_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("output").add_argument
    add("--output", metavar="URI", help="s3://bucket/prefix or a folder")
    add("--accept", default="", metavar="MIME", help="of the results (default application/json)")
    add("--assemble-with", default="None", choices=("None", "Line"))
    add("--join-source", default="None", choices=("None", "Input"))
    add("--output-filter", default="$", metavar="JSONPATH", help="what is written of a result")
    add(
        "--on-error", default="object", choices=("object", "record"), help="what a bad record costs"
    )
    add("--overwrite", action="store_true", help="do finished objects again")


def _add_running_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("running").add_argument
    add("--job-name", metavar="NAME", help="of the job's log and record")
    add("--batch-size", type=int, default=0, metavar="N", help="instances per call (default auto)")
    add("--max-concurrent-transforms", type=int, default=0, metavar="N", help="of inference.py")
    add("--timeout", type=float, default=600, metavar="S", help="of a call of the model")
    add("--max-retries", type=int, default=3, metavar="N", help="of a call of the model")
    add("--jit-compile", action="store_true", help="compile the model with XLA")
    add("--mixed-precision", action="store_true", help="compute in 16 bits, where the model allows")
    add("--env", action="append", default=[], metavar="K=V", help="for inference.py; repeat")
    add("--metrics-port", type=int, metavar="PORT", help="serve Prometheus metrics on loopback")


def run(args: argparse.Namespace) -> int:
    """Runs the job, or describes its model."""
    import signal
    import sys

    from sagemaker_tensorflow.cli.logging_setup import set_up_logging
    from sagemaker_tensorflow.s3_options import S3Options

    _quieten_tensorflow(args)
    s3_options = S3Options(args.profile, args.region, args.endpoint_url, args.anonymous)
    if args.describe:
        return _describe(args.model, s3_options)
    spec = _spec(args)
    progress = set_up_logging(args)
    from sagemaker_tensorflow.transform.job import TransformJob

    job = TransformJob(
        spec,
        s3_options=s3_options,
        metrics_port=args.metrics_port,
        progress=progress,
        progress_stream=None if args.quiet else sys.stderr,
    )
    # What SIGINT does: the job is Stopped, and can go on later.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    result = job.run()
    return _EXIT_STATUS.get(result.status, 1)


def _quieten_tensorflow(args: argparse.Namespace) -> None:
    """Its notes on the processor and the like; before it is loaded, and unless somebody chose."""
    import os

    if not args.verbose:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def _describe(model: str, s3_options: S3Options) -> int:
    from sagemaker_tensorflow.transform.job import describe_model

    print(describe_model(model, s3_options))
    return 0


def _spec(args: argparse.Namespace) -> TransformSpec:
    from sagemaker_tensorflow.transform.spec import DataProcessing, TransformSpec
    from sagemaker_tensorflow.transform.transform_request import check_spec, payload_bytes
    from sagemaker_tensorflow.transform.transformer import base_name_of_model, make_job_name

    if args.job:
        return _spec_from_file(args)
    spec = TransformSpec(
        model=args.model,
        input_uri=args.input or "",
        output_uri=args.output or "",
        job_name=args.job_name or make_job_name(base_name_of_model(args.model)),
        signature=args.signature,
        data_type=args.data_type,
        content_type=args.content_type,
        compression=args.compression,
        split_type=args.split_type,
        strategy=args.strategy,
        max_payload_bytes=payload_bytes(args.max_payload),
        max_concurrent_transforms=args.max_concurrent_transforms,
        accept=args.accept,
        assemble_with=args.assemble_with,
        data_processing=DataProcessing(args.input_filter, args.output_filter, args.join_source),
        timeout_seconds=args.timeout,
        max_retries=args.max_retries,
        on_error=args.on_error,
        batch_size=args.batch_size,
        overwrite=args.overwrite,
        jit_compile=args.jit_compile,
        mixed_precision=args.mixed_precision,
        environment=tuple(_variable(text) for text in args.env),
    )
    check_spec(spec)
    return spec


def _spec_from_file(args: argparse.Namespace) -> TransformSpec:
    import dataclasses
    import json
    from pathlib import Path

    from sagemaker_tensorflow.errors import InvalidArgumentError
    from sagemaker_tensorflow.system_errors import translated_os_errors
    from sagemaker_tensorflow.transform.transform_request import spec_from_request

    with translated_os_errors("reading a job's description"):
        data = Path(args.job).read_bytes()
    try:
        request = json.loads(data)
    except ValueError as error:
        raise InvalidArgumentError(f"{args.job} is not JSON: {error}") from error
    # What the request has no member for is taken from the flags.
    return dataclasses.replace(
        spec_from_request(request, args.model),
        signature=args.signature,
        on_error=args.on_error,
        batch_size=args.batch_size,
        overwrite=args.overwrite,
        jit_compile=args.jit_compile,
        mixed_precision=args.mixed_precision,
    )


def _variable(text: str) -> tuple[str, str]:
    from sagemaker_tensorflow.errors import InvalidArgumentError

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidArgumentError(f"--env {text!r}: give NAME=VALUE")
    return name, value
