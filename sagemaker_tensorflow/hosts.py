"""Which of a training job's hosts this one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sagemaker_tensorflow.errors import InvalidArgumentError


@dataclass(frozen=True)
class HostPlace:
    """One host among those of a job.

    Attributes:
        index: From 0.
        count: How many hosts there are.
    """

    index: int = 0
    count: int = 1

    @classmethod
    def among(cls, hosts: Sequence[str] | None, current_host: str | None) -> HostPlace:
        """Finds the place of `current_host`; without either there is one host.

        The names are those of ``resourceconfig.json`` (SM_HOSTS and SM_CURRENT_HOST). They are
        sorted, so that it does not matter in which order each host gives them.

        Raises:
            InvalidArgumentError: One is given without the other, or they do not fit together.
        """
        if hosts is None and current_host is None:
            return cls()
        if hosts is None or current_host is None:
            raise InvalidArgumentError(
                f"hosts={hosts!r} and current_host={current_host!r}: give both or neither"
            )
        if isinstance(hosts, str) or len(set(hosts)) != len(hosts):
            raise InvalidArgumentError(f"hosts={hosts!r}: give a list with each host's name once")
        if current_host not in hosts:
            raise InvalidArgumentError(
                f"current_host={current_host!r} is none of hosts: {', '.join(hosts) or '(none)'}"
            )
        return cls(sorted(hosts).index(current_host), len(hosts))
