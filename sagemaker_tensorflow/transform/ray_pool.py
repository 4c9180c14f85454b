"""The actors of a job on a Ray cluster, as its driver sees them: made, asked, lost, made again."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from sagemaker_tensorflow.errors import (
    DeadlineExceededError,
    FailedPreconditionError,
    UnavailableError,
)
from sagemaker_tensorflow.ray_cluster import RayCluster, RayOptions, worker_environment
from sagemaker_tensorflow.ray_words import words_of
from sagemaker_tensorflow.transform.coming_objects import Waiting
from sagemaker_tensorflow.transform.quantities import counted
from sagemaker_tensorflow.transform.ray_actor import (
    ActorSettings,
    HandOut,
    Opened,
    TransformActor,
)
from sagemaker_tensorflow.transform.ray_report import Report
from sagemaker_tensorflow.transform.records import InputObject

_log = logging.getLogger(__name__)

# What kills an actor so often, such as a model that needs more memory than there is, will again.
_LIVES = 4
# A cluster that grows by itself takes some minutes for a new machine.
_PLACE_SECONDS = 600.0
_WARN_SECONDS = 15.0
# Within which an actor that is well has let go of what is under way.
_STOP_SECONDS = 15.0


@dataclass
class PoolActor:
    """An actor, or the place of one that died and is made again.

    Attributes:
        name: For messages.
        node: Where it is; "" as long as it has no place.
        opened: Its model; None until it is loaded.
        handed: What it has and has not ended, by index.
        waiting: Of these, what it had not begun with when it last said so.
        unfinished_bytes: That it has read of objects that have not ended.
        lives: How many times more it may be made.
    """

    name: str
    node: str = ""
    opened: Opened | None = None
    handed: dict[int, InputObject] = field(default_factory=dict)
    waiting: Waiting = Waiting()  # noqa: RUF009 - frozen
    unfinished_bytes: int = 0
    lives: int = _LIVES
    handle: Any = None
    call: Any = None  # whose answer is waited for

    @property
    def starves(self) -> bool:
        """It could begin with an object and has none."""
        return self.opened is not None and not self.waiting.objects and self.waiting.room

    def __str__(self) -> str:
        return f"{self.name} on {self.node}" if self.node else self.name


@dataclass(frozen=True)
class Death:
    """An actor is gone; it is made again, unless it died too often.

    Attributes:
        objects: That it has not ended.
        read_bytes: That it had read of them.
    """

    objects: Sequence[InputObject]
    read_bytes: int


class RayPool:
    """Actors on a cluster. A context manager: they are made on entering, and ended on leaving.

    For one thread, which asks an actor one thing at a time: `hand_out`, and then `answers`.

    Args:
        cluster: Where.
        options: What each actor gets of it.
        settings: What each actor is told.
        count: How many.

    Attributes:
        actors: Those that live or may live again.
        deaths: How many actors have died.
    """

    def __init__(
        self, cluster: RayCluster, options: RayOptions, settings: ActorSettings, count: int
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._asks = {"num_cpus": options.num_cpus or 1, "num_gpus": options.num_gpus}
        self._class = cluster.ray.remote(TransformActor).options(
            **self._asks,
            scheduling_strategy="SPREAD",
            max_restarts=0,  # a new actor knows nothing of what the old one had
            runtime_env={"env_vars": worker_environment()},
        )
        self.actors = [PoolActor(f"actor {number}") for number in range(count)]
        self.deaths = 0
        self._placed_at = time.monotonic()
        self._warned = False
        self._identity = ""

    def __enter__(self) -> RayPool:
        for actor in self.actors:
            self._make(actor)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        ray = self._cluster.ray
        try:
            ends = [actor.handle.stop.remote() for actor in self.actors if actor.opened]
            if ends:
                ray.wait(ends, num_returns=len(ends), timeout=_STOP_SECONDS)
        finally:
            for actor in self.actors:
                ray.kill(actor.handle)

    def first_opened(self) -> Opened:
        """Waits until one of them has its model.

        Raises:
            PipeModeDatasetException: It cannot be loaded, or no actor lives long enough.
        """
        while True:
            self.answers()
            for actor in self.actors:
                if actor.opened is not None:
                    return actor.opened

    def idle(self) -> list[PoolActor]:
        """Those that have their model and wait for a `hand_out`; who has least comes first."""
        idle = [actor for actor in self.actors if actor.opened and actor.call is None]
        return sorted(idle, key=lambda actor: (len(actor.handed), actor.waiting.bytes))

    def hand_out(self, actor: PoolActor, hand_out: HandOut) -> None:
        """Gives an idle actor objects; `answers` gets what it has to say."""
        actor.handed.update((obj.index, obj) for obj in hand_out.objects)
        actor.call = actor.handle.exchange.remote(hand_out)

    def answers(self) -> list[tuple[PoolActor, Report | Death]]:
        """What actors had to say; waits for a second at most.

        Raises:
            PipeModeDatasetException: The model cannot be loaded, no actor is left, or none gets a
                place in the cluster.
        """
        calls = {actor.call: actor for actor in self.actors if actor.call is not None}
        self._check_places()
        wait = self._cluster.ray.wait
        wait([*calls], num_returns=1, timeout=1.0)
        ready, _ = wait([*calls], num_returns=len(calls), timeout=0)
        told: list[tuple[PoolActor, Report | Death]] = []
        for call in ready:
            actor = calls[call]
            answer = self._answer(actor, call)
            if isinstance(answer, Report | Death):
                told.append((actor, answer))
        return told

    def _answer(self, actor: PoolActor, call: Any) -> Report | Death | None:
        ray = self._cluster.ray
        try:
            answer = ray.get(call)
        except ray.exceptions.RayTaskError:  # a fault of this code, with its traceback
            raise
        except ray.exceptions.RayError as error:
            return self._bury(actor, words_of(error))
        actor.call = None
        if isinstance(answer, str):
            actor.node = answer
            _log.info("%s: loading the model", actor)
            actor.call = actor.handle.open.remote()
            return None
        if isinstance(answer, Report):
            return answer
        if answer.failure is not None:
            raise answer.failure.error(actor.node)
        self._check_model(actor, answer)
        actor.opened = answer
        return None

    def _make(self, actor: PoolActor) -> None:
        actor.handle = self._class.remote(self._settings)
        actor.call = actor.handle.node.remote()

    def _bury(self, actor: PoolActor, reason: str) -> Death:
        self.deaths += 1
        death = Death([*actor.handed.values()], actor.unfinished_bytes)
        actor.lives -= 1
        _log.warning(
            "%s died; %s will be done again, and %s; %s",
            actor,
            counted(len(death.objects), "object"),
            "another actor is made" if actor.lives else "no other actor is made: it died too often",
            reason,
        )
        self._cluster.ray.kill(actor.handle)
        self.actors = [other for other in self.actors if other is not actor]
        if actor.lives:
            self.actors.append(PoolActor(actor.name, lives=actor.lives))
            self._make(self.actors[-1])
        if not self.actors:
            raise UnavailableError(
                f"no actor is left: each died {_LIVES} times; results that are there stay, and a "
                f"run of this job makes the others; the last one was {actor}: {reason}"
            )
        return death

    def _check_model(self, actor: PoolActor, opened: Opened) -> None:
        self._identity = self._identity or opened.model_identity
        if opened.model_identity != self._identity:
            raise FailedPreconditionError(
                f"model {self._settings.spec.model} is another one on {actor.node} than on other "
                "nodes: its files differ; give an s3:// URI, or the same files on every node"
            )

    def _check_places(self) -> None:
        """Says when nobody can work, and gives up in the end."""
        now = time.monotonic()
        if any(actor.node for actor in self.actors):
            self._placed_at, self._warned = now, False
            return
        waited = now - self._placed_at
        asks = ", ".join(f"{name}={value:g}" for name, value in self._asks.items())
        has = self._cluster.resources()
        if waited > _PLACE_SECONDS:
            raise DeadlineExceededError(
                f"no actor got a place within {_PLACE_SECONDS:.0f} s: each asks for {asks}, the "
                f"cluster is {has}; ask for less, end what else runs there, or add nodes"
            )
        if waited > _WARN_SECONDS and not self._warned:
            self._warned = True
            _log.warning(
                "no actor has a place yet: each asks for %s, the cluster is %s; waiting", asks, has
            )


def threads_of(options: RayOptions) -> int | None:
    """That an actor's TensorFlow computes with; None for those of its node."""
    return None if options.num_cpus is None else max(1, math.floor(options.num_cpus))
