"""A job's hosts as processes of this machine, each with a directory and a prefetcher of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from sagemaker_tensorflow.training.distribution import (
    HostAddress,
    requested_distribution,
    tf_configs,
)
from sagemaker_tensorflow.training.free_ports import free_ports
from sagemaker_tensorflow.training.gpus import shares_of_gpus, visible_gpus
from sagemaker_tensorflow.training.host import Host, HostListener
from sagemaker_tensorflow.training.host_run import HostRun
from sagemaker_tensorflow.training.job_plan import JobPlan

_LOOPBACK = "127.0.0.1"


@contextlib.contextmanager
def local_hosts(plan: JobPlan, listener: HostListener) -> Iterator[Sequence[Host]]:
    """Makes the hosts; nothing of them is left at the context's end.

    Args:
        plan: Of the job.
        listener: Is told how far they are.
    """
    hosts = plan.spec.hosts
    ports = iter(free_ports(2 * len(hosts)))
    addresses = [HostAddress(_LOOPBACK, next(ports), next(ports)) for _ in hosts]
    distribution = requested_distribution(plan.spec.hyperparameters)
    gpus = shares_of_gpus(visible_gpus(), len(hosts)) if len(hosts) > 1 else [None]
    with contextlib.ExitStack() as stack:
        made: list[Host] = []
        for index, host in enumerate(hosts):
            configs = tf_configs(distribution, addresses, index)
            run = HostRun(plan.orders(host, configs, gpus[index]), listener)
            made.append(stack.enter_context(run))
        yield made
