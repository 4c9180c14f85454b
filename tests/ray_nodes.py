"""A Ray cluster of several nodes on this machine: ``python -m tests.ray_nodes COUNT``.

Writes the head's address when all nodes are there. Each line of its stdin kills a node, which is
not the head, with all of its processes by SIGKILL, and is answered by a line. A line may have the
beginnings of nodes' ids: it is one of these. Ends with its stdin.
"""

from __future__ import annotations

import os
import sys

# No word to anybody about this.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

from ray.cluster_utils import Cluster

_STORE_BYTES = 80 << 20  # about the least that Ray takes; nothing of a job goes through it


def main() -> None:
    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1,
            "object_store_memory": _STORE_BYTES,
            "include_dashboard": False,
        },
    )
    others = [
        cluster.add_node(num_cpus=1, object_store_memory=_STORE_BYTES)
        for _ in range(int(sys.argv[1]) - 1)
    ]
    try:
        print(cluster.address, flush=True)
        for line in sys.stdin:
            ids = tuple(line.split())
            one = next((node for node in others if node.node_id.startswith(ids)), others[-1])
            others.remove(one)
            cluster.remove_node(one, allow_graceful=False)
            print("killed", flush=True)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
