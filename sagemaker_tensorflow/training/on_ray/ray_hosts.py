"""A job's hosts as actors of a Ray cluster, spread over its nodes.

The driver ships the script, gives each host the addresses of all, writes their logs as they come,
and fetches what they leave. No actor is restarted by Ray: a job that lost one is begun anew as a
whole by `JobRun`, as the scripts of the others cannot go on without it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sagemaker_tensorflow.ray_cluster import (
    RayCluster,
    RayOptions,
    connected_cluster,
    worker_environment,
)
from sagemaker_tensorflow.system_errors import make_directory
from sagemaker_tensorflow.training.host import Host, HostListener
from sagemaker_tensorflow.training.job_plan import JobPlan
from sagemaker_tensorflow.training.on_ray.ray_host import Meeting, RayHost
from sagemaker_tensorflow.training.on_ray.ray_host_actor import HostActor
from sagemaker_tensorflow.training.on_ray.ray_source import packed_source, spec_for_nodes
from sagemaker_tensorflow.training.script_process import ScriptProcess

_CLOSE_SECONDS = 20.0
# One waits for news, one stops or kills, one fetches; one to spare.
_THREADS = 4
# Ray's setting: else an actor that ends because its node did kills its children first, and those
# of a host are there to tidy up after it (`warden`).
_LIFE_AFTER_ACTOR = {"RAY_kill_child_processes_on_worker_exit": "0"}


@contextlib.contextmanager
def ray_hosts(
    options: RayOptions, plan: JobPlan, listener: HostListener
) -> Iterator[Sequence[Host]]:
    """Makes the hosts; nothing of them is left at the context's end.

    Args:
        options: Which cluster, and what a host gets of it.
        plan: Of the job.
        listener: Is told how far they are.

    Raises:
        FailedPreconditionError: Ray is not installed.
        UnavailableError: There is no cluster.
        PipeModeDatasetException: The script cannot be had.
    """
    source = packed_source(plan.spec, plan.s3_options)
    fetched = plan.directory.path / "fetched"
    asks = {"CPU": options.num_cpus or 1, "GPU": options.num_gpus}
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(connected_cluster(options.address))
        # If this process dies it removes what was fetched, and what is half-written of the results.
        stack.enter_context(ScriptProcess(fetched, plan.output))
        stack.callback(shutil.rmtree, fetched, ignore_errors=True)
        actors = stack.enter_context(_actors(cluster, options, asks, plan, source))
        meeting = Meeting(plan.spec.hosts)
        hosts: list[RayHost] = []
        stack.callback(_close, cluster, hosts)
        for name, actor in actors.items():
            make_directory(fetched / name)
            orders = plan.orders(name)
            said = ", ".join(f"{count:g} {kind}" for kind, count in asks.items())
            hosts.append(RayHost(cluster, actor, orders, listener, meeting, fetched / name, said))
        yield hosts


@contextlib.contextmanager
def _actors(
    cluster: RayCluster,
    options: RayOptions,
    asks: Mapping[str, float],
    plan: JobPlan,
    source: bytes | None,
) -> Iterator[dict[str, Any]]:
    """An actor for each host, by its name, on as many nodes as there are with room."""
    from ray.util.placement_group import placement_group, remove_placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    ray = cluster.ray
    hosts = plan.spec.hosts
    bundle = {kind: count for kind, count in asks.items() if count}
    threads = None if options.num_cpus is None else max(1, math.floor(options.num_cpus))
    shipped = ray.put(source)
    spec = spec_for_nodes(plan.spec)
    made: dict[str, Any] = {}
    group = placement_group([bundle] * len(hosts), strategy="SPREAD")
    try:
        for index, host in enumerate(hosts):
            actor = ray.remote(HostActor).options(
                num_cpus=asks["CPU"],
                num_gpus=asks["GPU"],
                max_concurrency=_THREADS,
                max_restarts=0,
                scheduling_strategy=PlacementGroupSchedulingStrategy(group, index),
                runtime_env={"env_vars": {**worker_environment(), **_LIFE_AFTER_ACTOR}},
            )
            orders = dataclasses.replace(plan.orders(host), spec=spec)
            made[host] = actor.remote(orders, shipped, threads)
        yield made
    finally:
        for actor in made.values():
            ray.kill(actor)
        remove_placement_group(group)


def _close(cluster: RayCluster, hosts: Sequence[RayHost]) -> None:
    ends = [end for end in (host.close() for host in hosts) if end is not None]
    if ends:
        cluster.ray.wait(ends, num_returns=len(ends), timeout=_CLOSE_SECONDS)
