"""The server: its state, and a thread for each connection to one of its two ports."""

from __future__ import annotations

import itertools
import socket
import threading
from dataclasses import dataclass

from tests.faulty_s3.access import Access
from tests.faulty_s3.answers import ObjectAnswers
from tests.faulty_s3.conversation import Conversation
from tests.faulty_s3.faults import FaultPlan
from tests.faulty_s3.http_connection import HttpConnection
from tests.faulty_s3.objects import Bucket
from tests.faulty_s3.request_log import RequestLog


@dataclass(frozen=True)
class ServerOptions:
    """How the server is when it is well.

    Attributes:
        bucket: The name of the one bucket.
        seed: Of contents and faults.
        latency: Seconds before every answer, errors too.
        bytes_per_second: Of each connection; None for as fast as it goes.
        checksum: ``crc32``, ``crc32c``, ``crc64nvme`` or None.
        checksum_of_ranges: Send the whole object's checksum with ranges of it as well. S3 does not;
            some stores do.
        keep_requests: So many of the latest requests are remembered.
    """

    bucket: str = "faulty"
    seed: int = 0
    latency: float = 0.0
    bytes_per_second: float | None = None
    checksum: str | None = None
    checksum_of_ranges: bool = False
    keep_requests: int = 100_000


class FaultyS3Server:
    """Serves one bucket on two ports, which are two hosts to a client.

    Attributes:
        urls: Of both; empty until it listens.
        regions: Those that signatures may name; the second is where "wrong_region" sends to.
    """

    def __init__(self, options: ServerOptions) -> None:
        self.options = options
        self.bucket: Bucket = Bucket(options.seed)
        self.faults = FaultPlan(options.seed)
        self.access: Access = Access()
        self.log: RequestLog = RequestLog(options.keep_requests)
        self.objects = ObjectAnswers(self.bucket, options.checksum, options.checksum_of_ranges)
        self.regions = ("us-east-1", "eu-west-3")
        self.urls: list[str] = []
        self._numbers = itertools.count()

    def listen(self, port: int) -> None:
        """Starts to serve on this port, or any if it is 0, and on another. Returns at once."""
        listeners = [socket.create_server(("127.0.0.1", p), backlog=512) for p in (port, 0)]
        self.urls = ["http://{}:{}".format(*listener.getsockname()) for listener in listeners]
        for host, listener in enumerate(listeners):
            threading.Thread(target=self._accept, args=(listener, host), daemon=True).start()

    def _accept(self, listener: socket.socket, host: int) -> None:
        while True:
            accepted, _ = listener.accept()
            conversation = Conversation(self, HttpConnection(accepted), host, next(self._numbers))
            threading.Thread(target=conversation.run, daemon=True).start()
