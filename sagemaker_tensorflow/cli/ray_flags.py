"""The options that say where a job runs, which are the same for transform and training jobs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sagemaker_tensorflow.ray_cluster import RayOptions


def add_ray_flags(parser: argparse.ArgumentParser) -> None:
    """Adds ``--engine``, ``--ray-address``, ``--num-cpus`` and ``--num-gpus`` to a command.

    ``--instance-count`` is the command's own.
    """
    add = parser.add_argument_group("Ray").add_argument
    add(
        "--engine",
        default="local",
        choices=("local", "ray"),
        help="run on this machine (default), or with actors on a Ray cluster",
    )
    add(
        "--ray-address",
        metavar="HOST:PORT",
        help="of the cluster's head (default: RAY_ADDRESS, or the cluster of this machine)",
    )
    add("--num-cpus", type=float, metavar="N", help="kept for each actor (1), which uses as many")
    add("--num-gpus", type=float, metavar="N", help="for each actor (0)")


def given_ray_options(
    args: argparse.Namespace, instance_count: int | None = None
) -> RayOptions | None:
    """What these flags say; None for this machine.

    Args:
        args: Of the command line.
        instance_count: Where this machine has one process only.

    Raises:
        InvalidArgumentError: They do not go together.
    """
    from sagemaker_tensorflow.ray_cluster import ray_options

    return ray_options(args.engine, args.ray_address, args.num_cpus, args.num_gpus, instance_count)
