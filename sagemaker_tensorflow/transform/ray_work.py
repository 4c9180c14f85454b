"""Batch transform on a Ray cluster: objects handed out by size to actors, and taken back from slow.

This process, the driver, has the job's lease, lists, hands out, and writes ledger, record and
report. The actors (`ray_actor`) do with objects what a job on one machine does, and write the
results themselves.

- Actors get the largest objects first, a few at a time, and more when little of that is left. When
  nothing is left here, an actor that could begin with another one gets half of what the one with
  the most has not begun with.
- An actor that dies costs what it had not ended: those objects are handed out again, before all
  others. Results are whole or not there, and have a name that only the input decides, so what the
  dead one may have written without saying so is written again, the same.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Iterator, Sequence

from sagemaker_tensorflow.locations import LocalLocation, parse_location
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.ray_cluster import RayCluster, RayOptions, connected_cluster
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.job_progress import JobProgress
from sagemaker_tensorflow.transform.object_queue import ObjectQueue
from sagemaker_tensorflow.transform.object_results import ObjectResults
from sagemaker_tensorflow.transform.opened_work import OpenedWork
from sagemaker_tensorflow.transform.ray_actor import ActorSettings, HandOut, Opened
from sagemaker_tensorflow.transform.ray_pool import (
    Death,
    PoolActor,
    RayPool,
    threads_of,
)
from sagemaker_tensorflow.transform.ray_report import Report
from sagemaker_tensorflow.transform.records import InputObject
from sagemaker_tensorflow.transform.spec import TransformSpec

# What an actor may have waiting besides what it has begun with: half a second of small objects, or
# of large ones over a fast network.
_ENOUGH_OBJECTS = 512
_ENOUGH_BYTES = 128 << 20
# So much of what is left is handed out at a time, over all actors.
_SHARE = 0.5


@contextlib.contextmanager
def open_ray_work(
    spec: TransformSpec, s3_options: S3Options, prefetch: PrefetchConfig, options: RayOptions
) -> Iterator[OpenedWork]:
    """Makes a job's actors and waits for the first to have the model.

    Args:
        spec: What to do; `TransformSpec.instance_count` actors, or one for each node.
        s3_options: How to reach S3, from every node.
        prefetch: The numbers of each actor's prefetcher.
        options: Which cluster, and what each actor gets of it.

    Raises:
        PipeModeDatasetException: The cluster cannot be reached, or has no place; the model is not
            there or cannot be loaded, or settings do not go together.
    """
    spec = dataclasses.replace(  # workers have another current directory
        spec,
        model=_absolute(spec.model),
        input_uri=_absolute(spec.input_uri),
        output_uri=_absolute(spec.output_uri),
    )
    settings = ActorSettings(spec, s3_options, prefetch, threads_of(options))
    with connected_cluster(options.address) as cluster:
        count = spec.instance_count or _nodes_for(cluster, options)
        with RayPool(cluster, options, settings, count) as pool:
            opened = pool.first_opened()
            yield OpenedWork(RayWork(pool, opened), opened.model_identity)


def _absolute(uri: str) -> str:
    location = parse_location(uri)
    return str(location) if isinstance(location, LocalLocation) else uri


def _nodes_for(cluster: RayCluster, options: RayOptions) -> int:
    """How many nodes have room for an actor, if nothing else runs there."""
    cpus, gpus = options.num_cpus or 1, options.num_gpus
    fitting = [
        node
        for node in cluster.nodes()
        if node.resources.get("CPU", 0) >= cpus and node.resources.get("GPU", 0) >= gpus
    ]
    return max(1, len(fitting))


class RayWork:
    """A job's `Work`, done by actors."""

    def __init__(self, pool: RayPool, opened: Opened) -> None:
        self.spec = opened.spec
        self.result_type = opened.result_type
        self.held_back = 0
        self._pool = pool

    def transform(
        self,
        objects: Sequence[InputObject],
        results: ObjectResults,
        progress: JobProgress,
        s3_options: S3Options,
        prefetch: PrefetchConfig,
    ) -> None:
        """See `Work`; how to reach S3 is known to the actors since they were made."""
        _HandingOut(self._pool, ObjectQueue(objects), results, progress).run()
        if self._pool.deaths:
            results.clean_left_overs()  # nobody writes any more


class _HandingOut:
    """Gives actors the objects of a queue until all have ended."""

    def __init__(
        self, pool: RayPool, queue: ObjectQueue, results: ObjectResults, progress: JobProgress
    ) -> None:
        self._pool = pool
        self._queue = queue
        self._results = results
        self._progress = progress

    def run(self) -> None:
        while self._queue or any(actor.handed for actor in self._pool.actors):
            for actor in self._pool.idle():
                self._serve(actor)
            for actor, answer in self._pool.answers():
                if isinstance(answer, Death):
                    self._queue.give_back(answer.objects)
                    self._progress.expect_again(answer.read_bytes)
                else:
                    self._note(actor, answer)

    def _serve(self, actor: PoolActor) -> None:
        objects = self._objects_for(actor)
        if not objects and not actor.handed:
            return  # it has nothing to do or to say
        others = [other for other in self._pool.actors if other is not actor]
        stale = [obj.index for obj in objects if self._results.has_stale_errors(obj)]
        self._pool.hand_out(
            actor,
            HandOut(
                objects,
                frozenset(stale),
                take_back_bytes=self._wanted_back(actor, others),
                more=bool(self._queue) or any(other.waiting.objects for other in others),
                enough_objects=_ENOUGH_OBJECTS // 2,
                enough_bytes=_ENOUGH_BYTES // 2,
            ),
        )

    def _objects_for(self, actor: PoolActor) -> list[InputObject]:
        waiting = actor.waiting
        if waiting.objects and waiting.bytes >= self._queue.bytes:
            return []  # the others are to have what is left
        room = _ENOUGH_OBJECTS - waiting.objects, _ENOUGH_BYTES - waiting.bytes
        if min(room) <= 0:
            return []
        share = _SHARE / len(self._pool.actors)
        return self._queue.take(
            min(room[0], int(len(self._queue) * share)),
            min(room[1], int(self._queue.bytes * share)),
        )

    def _wanted_back(self, actor: PoolActor, others: Sequence[PoolActor]) -> int:
        """Bytes that others are to do, of what this actor has not begun with."""
        if self._queue or not actor.waiting.objects or not any(other.starves for other in others):
            return 0
        if any(other.waiting.bytes > actor.waiting.bytes for other in others):
            return 0
        return max(1, actor.waiting.bytes // 2)

    def _note(self, actor: PoolActor, report: Report) -> None:
        for line in report.log:
            logging.getLogger(line.logger).log(line.level, "%s: %s", actor, line.text)
        report.count_work(self._progress)
        actor.unfinished_bytes += report.read_bytes
        for end in report.ends:
            obj = actor.handed.pop(end.index)
            actor.unfinished_bytes -= obj.size
            self._results.add_end(obj, end)
        self._queue.give_back([actor.handed.pop(index) for index in report.given_back])
        actor.waiting = report.waiting
        if report.failure is not None:
            raise report.failure.error(actor.node)
