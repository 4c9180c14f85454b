"""A small S3 server that misbehaves on demand, deterministically; standard library only."""

from tests.faulty_s3.faults import Fault
from tests.faulty_s3.handle import FaultyS3, faulty_s3
from tests.faulty_s3.request_log import LoggedRequest
from tests.faulty_s3.server import ServerOptions

__all__ = ["Fault", "FaultyS3", "LoggedRequest", "ServerOptions", "faulty_s3"]
