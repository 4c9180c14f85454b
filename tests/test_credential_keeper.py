from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path

import pytest
from botocore.credentials import Credentials

from sagemaker_tensorflow.credential_keeper import CredentialKeeper
from sagemaker_tensorflow.s3_session import S3Session
from tests.pipes import PATIENCE_SECONDS, wait_until

Given = tuple[str, str, str]


class Sink:
    """Keeps what it is given, in order; says that S3 refuses what it has when told to."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._refused = False
        self.given: list[Given] = []

    def set_credentials(self, access_key: str, secret_key: str, session_token: str = "") -> None:
        with self._changed:
            self.given.append((access_key, secret_key, session_token))
            self._refused = False
            self._changed.notify_all()

    def wait_refused(self, timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._refused, timeout)

    def refuse(self) -> None:
        with self._changed:
            self._refused = True
            self._changed.notify_all()

    def wait_answered(self) -> Given:
        with self._changed:
            assert self._changed.wait_for(lambda: not self._refused, PATIENCE_SECONDS)
            return self.given[-1]

    def wait_given(self, count: int) -> list[Given]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.given) >= count, PATIENCE_SECONDS)
            return list(self.given)


# A credential provider whose credentials are always about to expire: each call has other ones.
PROVIDER = """
import datetime, json, pathlib, sys
count = pathlib.Path(sys.argv[1])
number = int(count.read_text()) if count.exists() else 0
if number == 5:
    count.write_text("6")
    sys.exit("the provider is out of order")
count.write_text(str(number + 1))
end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)
print(json.dumps({"Version": 1, "AccessKeyId": f"key{number}", "SecretAccessKey": "hidden",
                  "SessionToken": f"token{number}", "Expiration": end.isoformat()}))
"""


def test_credentials_are_refreshed(
    clean_aws: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Through botocore and a real provider, which fails once on the way."""
    provider, count = tmp_path / "provider.py", tmp_path / "count"
    provider.write_text(PROVIDER)
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(
        f"[default]\nregion = us-east-1\ncredential_process = {sys.executable} {provider} {count}\n"
    )
    first, second = Sink(), Sink()
    with caplog.at_level(logging.DEBUG, "sagemaker_tensorflow"):
        session = S3Session.from_environment(refresh_seconds=0.01)
        session.keep_fresh(first)
        session.keep_fresh(second)
        seen, others = first.wait_given(8), second.wait_given(5)
        session.close()
    for given in (seen, others):
        assert all(
            secret == "hidden" and token == f"token{key[3:]}" for key, secret, token in given
        )
        numbers = [int(key.removeprefix("key")) for key, _, _ in given]
        assert numbers == sorted(set(numbers))
        assert 5 not in numbers
    assert "cannot refresh the S3 credentials" in caplog.text
    assert "hidden" not in caplog.text


def write_credentials(key: str) -> None:
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(
        f"[default]\naws_access_key_id = {key}\naws_secret_access_key = hidden\n"
    )


def test_refused_credentials_are_read_anew(
    clean_aws: None, caplog: pytest.LogCaptureFixture
) -> None:
    """botocore keeps what a file said for ever; only a new session reads it again."""
    write_credentials("first")
    sink = Sink()
    with caplog.at_level(logging.DEBUG, "sagemaker_tensorflow"):
        session = S3Session.from_environment(region="us-east-1")
        session.keep_fresh(sink)
        assert sink.given == [("first", "hidden", "")]
        before = session.client
        write_credentials("second")
        sink.refuse()
        assert sink.wait_answered() == ("second", "hidden", "")
        session.close()
    assert len(sink.given) == 2
    assert session.client is not before, "listings go on with the old credentials"
    assert "hidden" not in caplog.text


def test_the_same_credentials_are_an_answer_too(clean_aws: None) -> None:
    write_credentials("only")
    sink = Sink()
    session = S3Session.from_environment(region="us-east-1")
    session.keep_fresh(sink)
    for count in (2, 3):
        sink.refuse()
        assert sink.wait_answered() == ("only", "hidden", "")
        assert len(sink.given) == count
    session.close()


def test_no_other_credentials(clean_aws: None, caplog: pytest.LogCaptureFixture) -> None:
    write_credentials("only")
    sink = Sink()
    session = S3Session.from_environment(region="us-east-1")
    session.keep_fresh(sink)
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).unlink()
    sink.refuse()
    assert sink.wait_answered() == ("only", "hidden", "")
    session.close()
    assert "S3 refused the credentials and others cannot be had: no AWS credentials" in caplog.text


def test_one_refusal_leads_to_one_attempt(caplog: pytest.LogCaptureFixture) -> None:
    """Two sinks see that their common credentials are refused, while those are being resolved."""
    resolving, go_on = threading.Event(), threading.Event()
    resolved = []

    def resolve() -> Credentials:
        resolving.set()
        assert go_on.wait(PATIENCE_SECONDS)
        resolved.append(f"new{len(resolved)}")
        return Credentials(resolved[-1], "hidden")

    keeper = CredentialKeeper(Credentials("old", "hidden"), resolve)
    first, second = Sink(), Sink()
    keeper.keep(first)
    keeper.keep(second)
    first.refuse()
    assert resolving.wait(PATIENCE_SECONDS)
    second.refuse()
    go_on.set()
    assert first.wait_answered() == ("new0", "hidden", "")
    assert second.wait_answered() == ("new0", "hidden", "")
    assert resolved == ["new0"]
    # Those are refused too: that is another refusal.
    second.refuse()
    assert second.wait_answered() == ("new1", "hidden", "")
    keeper.close()


def test_close_ends_the_threads() -> None:
    keeper = CredentialKeeper(Credentials("key", "hidden"), lambda: Credentials("x", "y"))
    before = threading.active_count()
    sink = Sink()
    keeper.keep(sink)
    assert threading.active_count() == before + 1
    keeper.close()
    keeper.close()
    wait_until(lambda: threading.active_count() == before, "the thread ends")
    sink.refuse()
    assert sink.wait_refused(0), "somebody still answers"


def test_anonymous_sources_get_no_credentials(clean_aws: None) -> None:
    sink = Sink()
    S3Session.from_environment(region="us-east-1", anonymous=True).keep_fresh(sink)
    assert sink.given == []
