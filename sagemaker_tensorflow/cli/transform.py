"""``smtf transform``: a SavedModel over the objects of a prefix, a manifest or a folder.

Exit status: 0 the job is Completed; 1 it is Failed, or could not begin; 3 it is
CompletedWithErrors, which only ``--on-error record`` allows; 130 it was interrupted. Run again, it
does only what is missing.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.cli.loudness_flags import add_loudness_flags
from sagemaker_tensorflow.cli.pairs import named_value
from sagemaker_tensorflow.cli.ray_flags import add_ray_flags, given_ray_options
from sagemaker_tensorflow.cli.request_flags import flag_of, given_flags, refuse_flags_beside_job
from sagemaker_tensorflow.cli.s3_flags import add_s3_flags, given_s3_options

if TYPE_CHECKING:
    from sagemaker_tensorflow.s3_options import S3Options
    from sagemaker_tensorflow.transform.spec import TransformSpec

_EXIT_STATUS = {"Completed": 0, "CompletedWithErrors": 3, "Stopped": 130}
# Flags that are fields of TransformSpec as they are.
_SETTINGS = (
    *("data_type", "content_type", "compression", "split_type", "strategy"),
    *("max_concurrent_transforms", "accept", "assemble_with", "max_retries", "instance_count"),
)
_PROCESSING = ("input_filter", "output_filter", "join_source")
# What a CreateTransformJob request says, and --job allows no flag for.
_IN_REQUEST = (
    *("input", "output", "job_name", "max_payload", "timeout", "env"),
    *_SETTINGS,
    *_PROCESSING,
)
# What the fields of a spec are called here, where that is not their names with hyphens.
_FLAGS = {"input_uri": "--input", "output_uri": "--output", "timeout_seconds": "--timeout"}
_EPILOG = """\
example:
  smtf transform --model model.tar.gz --input s3://bucket/data/ \\
    --output s3://bucket/results --content-type text/csv --split-type Line \\
    --accept application/jsonlines

exit status: 0 Completed; 3 CompletedWithErrors, with --on-error record; 1 Failed,
or the job could not begin or go on; 130 stopped by Ctrl-C or SIGTERM; 2 wrong usage.
"""


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the command's syntax."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "transform",
        help="run a SavedModel over the objects of a prefix, manifest or folder",
        description="Run a SavedModel over every object of a prefix, manifest or folder and write\n"
        "one result per object, as SageMaker Batch Transform does. A job that was stopped\n"
        "goes on where it was when it is run again.",
        usage="%(prog)s --model URI --input URI --output URI [options]\n"
        "       %(prog)s --model URI --job FILE [options]\n"
        "       %(prog)s --model URI --describe",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--model", required=True, metavar="URI", help="SavedModel folder, model.tar.gz or .keras")
    add("--describe", action="store_true", help="print the model's signatures and end")
    add("--signature", default="serving_default", metavar="NAME", help="of the model (%(default)s)")
    _add_input_flags(parser)
    _add_output_flags(parser)
    _add_running_flags(parser)
    add_ray_flags(parser)
    add_s3_flags(parser)
    add_loudness_flags(parser)
    return parser


def _add_input_flags(parser: argparse.ArgumentParser) -> None:
    # What --job allows no flag for has no default here, so that it is seen which were given: the
    # defaults are those of TransformSpec.
    add = parser.add_argument_group("input").add_argument
    add("--input", metavar="URI", help="key prefix, object, folder, file or manifest")
    add(
        "--data-type",
        choices=("S3Prefix", "ManifestFile"),
        help="what --input names: objects (default) or a list of them",
    )
    add(
        "--content-type",
        metavar="MIME",
        help="of the records, such as text/csv (default: what fits --split-type and the model)",
    )
    add("--compression", choices=("None", "Gzip"), help="of the objects")
    add(
        "--split-type",
        choices=("None", "Line", "RecordIO", "TFRecord"),
        help="how objects are cut into records (default: they are not)",
    )
    add(
        "--strategy",
        choices=("MultiRecord", "SingleRecord"),
        help="records that one response answers: as many as --max-payload allows (default), or one",
    )
    add(
        "--max-payload",
        type=int,
        metavar="MB",
        help="bound on the records of a response, and on each (default 6; 0 for none)",
    )
    add("--input-filter", metavar="JSONPATH", help="what the model gets of a record")
    add("--job", metavar="FILE", help="a CreateTransformJob request as JSON, instead of the flags")


def _add_output_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("output").add_argument
    add("--output", metavar="URI", help="s3://bucket/prefix or a folder")
    add("--accept", metavar="MIME", help="of the results (default application/json)")
    add(
        "--assemble-with",
        choices=("None", "Line"),
        help="Line: end each response with a newline",
    )
    add(
        "--join-source",
        choices=("None", "Input"),
        help="Input: write each record with its result",
    )
    add("--output-filter", metavar="JSONPATH", help="what is written of a result")
    add(
        "--on-error",
        default="object",
        choices=("object", "record"),
        help="what a bad record costs: the result of its object (default), or itself alone",
    )
    add("--overwrite", action="store_true", help="do finished objects again")


def _add_running_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("running").add_argument
    add("--job-name", metavar="NAME", help="of the job's log and report (default: by the time)")
    add(
        "--batch-size",
        type=int,
        default=0,
        metavar="N",
        help="instances per call of the model (default: found at run time)",
    )
    add(
        "--max-concurrent-transforms",
        type=int,
        metavar="N",
        help="calls of inference.py at a time (default 1)",
    )
    add("--timeout", type=float, metavar="S", help="of a call of the model (600)")
    add("--max-retries", type=int, metavar="N", help="of a call of the model (3)")
    add("--jit-compile", action="store_true", help="compile the model with XLA")
    add("--mixed-precision", action="store_true", help="compute in 16 bits, where the model allows")
    add("--env", action="append", metavar="K=V", help="for inference.py; repeat")
    add("--instance-count", type=int, metavar="N", help="actors on Ray (default: one on each node)")
    add("--metrics-port", type=int, metavar="PORT", help="serve Prometheus metrics on loopback")


def run(args: argparse.Namespace) -> int:
    """Runs the job, or describes its model."""
    import signal
    import sys

    from sagemaker_tensorflow.cli.logging_setup import set_up_logging
    from sagemaker_tensorflow.cli.tensorflow_notes import leave_out_notes

    if not args.verbose:
        leave_out_notes()
    s3_options = given_s3_options(args)
    if args.describe:
        return _describe(args.model, s3_options)
    spec = _spec(args)
    ray = given_ray_options(args, args.instance_count)
    progress = set_up_logging(args)
    from sagemaker_tensorflow.transform.job import TransformJob

    job = TransformJob(
        spec,
        s3_options=s3_options,
        ray=ray,
        metrics_port=args.metrics_port,
        progress=progress,
        progress_stream=None if args.quiet else sys.stderr,
    )
    # What SIGINT does: the job is Stopped, and can go on later.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = job.run()
    except KeyboardInterrupt:
        if not args.quiet:
            print("smtf: stopped; run the same command to go on where it was", file=sys.stderr)
        return _EXIT_STATUS["Stopped"]
    return _EXIT_STATUS.get(result.status, 1)


def _describe(model: str, s3_options: S3Options) -> int:
    from sagemaker_tensorflow.transform.job import describe_model

    print(describe_model(model, s3_options))
    return 0


def _spec(args: argparse.Namespace) -> TransformSpec:
    import dataclasses

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
        max_payload_bytes=payload_bytes(args.max_payload),
        data_processing=DataProcessing(**given_flags(args, _PROCESSING)),
        environment=tuple(named_value("--env", text) for text in args.env or ()),
        **given_flags(args, _SETTINGS),
        **_beside_a_request(args),
    )
    if args.timeout is not None:
        spec = dataclasses.replace(spec, timeout_seconds=args.timeout)
    fields = [field.name for field in dataclasses.fields(spec)]
    check_spec(
        spec, {name: flag_of(name, _FLAGS) for name in (*fields, "join_source", "max_payload")}
    )
    return spec


def _beside_a_request(args: argparse.Namespace) -> dict[str, Any]:
    """What a CreateTransformJob request has no member for."""
    return {
        "signature": args.signature,
        "on_error": args.on_error,
        "batch_size": args.batch_size,
        "overwrite": args.overwrite,
        "jit_compile": args.jit_compile,
        "mixed_precision": args.mixed_precision,
    }


def _spec_from_file(args: argparse.Namespace) -> TransformSpec:
    import dataclasses
    from pathlib import Path

    from sagemaker_tensorflow.json_file import json_from_file
    from sagemaker_tensorflow.transform.transform_request import spec_from_request

    refuse_flags_beside_job(args, _IN_REQUEST, _FLAGS)
    request = json_from_file(Path(args.job))
    return dataclasses.replace(spec_from_request(request, args.model), **_beside_a_request(args))
