from __future__ import annotations

import socket
from pathlib import Path

from sagemaker_tensorflow.training.free_ports import free_ports


def test_servers_can_listen_on_them() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert not [port for port in ports if low <= port <= high]
    for port in ports:
        with socket.create_server(("127.0.0.1", port)):
            pass
