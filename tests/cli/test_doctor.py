"""``smtf doctor`` as a process of its own, as it loads the engine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from sagemaker_tensorflow.cli import main
from tests.conftest import ACCESS_KEY, SECRET_KEY, PutObjects
from tests.faulty_s3 import Fault, FaultyS3, ServerOptions, faulty_s3
from tests.pipes import PATIENCE_SECONDS, wait_until
from tests.servers import free_port, moto_server
from tests.streams import SMTF
from tests.test_s3_streaming import TRUST, make_certificate

SHORT = ("--seconds", "0.3")
# Loads in a moment, where TensorFlow takes seconds; tests/test_doctor.py has those of the op.
TENSORFLOW = """
from types import SimpleNamespace
__version__ = '2.21.0'
errors = SimpleNamespace(NotFoundError=OSError)
def load_op_library(path):
    return object()
"""


@pytest.fixture(autouse=True)
def light_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "path" / "tensorflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(TENSORFLOW)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))


def run_doctor(*args: str) -> tuple[int, str]:
    """Runs it; secrets are nowhere, whatever it says."""
    result = subprocess.run([*SMTF, "doctor", *args], capture_output=True, text=True)
    assert result.stderr == ""
    for secret in (SECRET_KEY, ACCESS_KEY, os.environ.get("AWS_SESSION_TOKEN", SECRET_KEY)):
        assert secret not in result.stdout
    return result.returncode, result.stdout


def examine(*args: str, status: int) -> dict[str, Any]:
    """The checks by name."""
    returncode, out = run_doctor(*args, *SHORT, "--json")
    report = json.loads(out)
    checks = {c["name"]: c for section in report["sections"] for c in section["checks"]}
    found = [c["status"] for c in checks.values()]
    assert report["problems"] == found.count("problem")
    assert report["warnings"] == found.count("warning")
    assert returncode == status == (1 if report["problems"] else 0), out
    return checks


def problems(checks: dict[str, Any]) -> set[str]:
    return {name for name, check in checks.items() if check["status"] == "problem"}


def test_everything_is_fine(
    put_objects: PutObjects, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH")  # the real TensorFlow
    uri = put_objects({f"train/{n}": bytes(300_000) for n in range(20)})
    checks = examine(f"{uri}/train/", status=0)
    fine = "package boto3 engine credentials region endpoint clock proxy locate list get latency"
    for name in [*fine.split(), "dataset op", "rate"]:
        assert checks[name]["status"] == "ok", checks[name]
    assert "libcurl/" in checks["engine"]["found"]
    assert f"...{ACCESS_KEY[-4:]} from boto3's provider 'env'" in checks["credentials"]["found"]
    assert f"{aws} (AWS_ENDPOINT_URL)" in checks["endpoint"]["found"]
    assert checks["region"]["found"] == "us-east-1 (AWS_DEFAULT_REGION)"
    assert checks["list"]["numbers"]["objects"] == 20
    assert checks["latency"]["numbers"]["seconds"] > 0
    rate = checks["rate"]["numbers"]
    assert rate["bytes_per_second"] > 0
    assert rate["connections"] > 0
    assert rate["part_bytes"] > 0


def test_one_screen(put_objects: PutObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = put_objects({"train/1": bytes(3_000_000)})
    monkeypatch.setenv("COLUMNS", "132")
    status, out = run_doctor(f"{uri}/train/", *SHORT)
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == "versions"
    assert lines[-1].startswith("problems: 0, ")
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 132
    starts = {line[:11] for line in lines if line.startswith("  ") and line[2] != " "}
    assert starts <= {"  ok       ", "  skipped  ", "  warning  "}


def test_no_credentials(put_objects: PutObjects, aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = put_objects({"train/1": b"x"})
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    checks = examine(uri, status=1)
    assert problems(checks) == {"credentials"}
    assert "--anonymous" in checks["credentials"]["advice"]
    assert checks["endpoint"]["status"] == "ok"
    assert checks["bucket"] == {
        "name": "bucket",
        "status": "skipped",
        "found": "there are no credentials",
        "advice": "",
        "numbers": {},
    }


def test_without_s3(clean_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # So that nothing leaves this machine.
    monkeypatch.setenv("https_proxy", "http://someone:hidden-word@127.0.0.1:9")
    checks = examine(status=0)
    assert checks["credentials"]["status"] == "warning"
    assert checks["endpoint"]["status"] == "warning"
    assert "smtf doctor s3://" in checks["bucket"]["advice"]
    assert "hidden-word" not in str(checks)


def test_an_unknown_profile(aws: str) -> None:
    checks = examine("s3://bucket/", "--profile", "nobody", status=1)
    assert "nobody" in checks["credentials"]["found"]
    assert checks["bucket"]["status"] == "skipped"


def test_a_bucket_that_is_not_there(aws: str) -> None:
    checks = examine("s3://no-such-bucket/x/", status=1)
    assert problems(checks) == {"list"}
    assert "404 NoSuchBucket" in checks["list"]["found"]
    assert "spelling" in checks["list"]["advice"]
    assert checks["rate"]["status"] == "skipped"


def test_an_empty_prefix(put_objects: PutObjects) -> None:
    checks = examine(put_objects({"train/1": b"x"}) + "/trian/", status=1)
    assert problems(checks) == {"list"}
    assert "'trian/'" in checks["list"]["found"]
    assert checks["get"]["status"] == "skipped"


def test_a_prefix_with_a_sibling(put_objects: PutObjects) -> None:
    uri = put_objects({"train/1": b"x", "training/2": b"y"})
    checks = examine(f"{uri}/train", status=0)
    assert checks["list"]["status"] == "warning"
    assert "'training" in checks["list"]["found"]


def test_empty_objects(put_objects: PutObjects) -> None:
    checks = examine(put_objects({"a": b"", "b": b""}), status=1)
    assert problems(checks) == {"list"}
    assert "all are empty" in checks["list"]["found"]
    assert checks["rate"]["status"] == "skipped"


def allow(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": [*actions], "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def strict_server(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A server that checks rights; yields credentials of roles, by what they may do."""
    rights = {"get": ["s3:GetObject"], "list": ["s3:ListBucket"], "nothing": ["s3:PutObject"]}
    with moto_server() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        s3, iam, sts = (boto3.client(name) for name in ("s3", "iam", "sts"))
        s3.create_bucket(Bucket="checked")
        s3.put_object(Bucket="checked", Key="train/1", Body=b"body")
        credentials = {}
        for name, actions in rights.items():
            role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]
            iam.put_role_policy(RoleName=name, PolicyName="s3", PolicyDocument=allow(*actions))
            assumed = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test")
            credentials[name] = assumed["Credentials"]
        request = urllib.request.Request(
            f"{url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"}, method="POST"
        )
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200
        yield credentials


def use(monkeypatch: pytest.MonkeyPatch, credentials: dict[str, Any]) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", credentials["SessionToken"])


def test_no_permission(strict_server: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, strict_server["nothing"])
    checks = examine("s3://checked/train/", status=1)
    assert problems(checks) == {"list"}
    assert "403 AccessDenied" in checks["list"]["found"]
    assert "s3:ListBucket on arn:aws:s3:::checked" in checks["list"]["advice"]
    assert "temporary" in checks["credentials"]["found"]

    use(monkeypatch, strict_server["list"])
    checks = examine("s3://checked/train/", status=1)
    assert problems(checks) == {"get"}
    assert "s3:GetObject on arn:aws:s3:::checked/train/*" in checks["get"]["advice"]
    assert checks["rate"]["status"] == "skipped"

    use(monkeypatch, strict_server["get"])
    checks = examine("s3://checked/train/1", status=1)
    assert problems(checks) == {"list"}
    assert checks["get"]["status"] == "ok"


def test_a_wrong_secret(strict_server: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, {**strict_server["list"], "SecretAccessKey": "wrong"})
    checks = examine("s3://checked/train/", status=1)
    assert "403 SignatureDoesNotMatch" in checks["list"]["found"]
    assert "secret key" in checks["list"]["advice"]


def test_an_endpoint_that_is_down(aws: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    checks = examine("s3://bucket/x", "--endpoint-url", url, status=1)
    assert problems(checks) == {"endpoint"}
    assert "connection refused" in checks["endpoint"]["found"]
    assert checks["bucket"]["found"] == "the endpoint cannot be reached"


def test_an_endpoint_that_is_a_file(aws: str, tmp_path: Path) -> None:
    checks = examine("--endpoint-url", f"file://localhost{tmp_path}", status=1)
    assert problems(checks) == {"endpoint"}
    assert "http" in checks["endpoint"]["advice"]


@pytest.fixture
def black_hole() -> Iterator[str]:
    """Connections open, and nothing ever comes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_black_hole(aws: str, black_hole: str) -> None:
    checks = examine("s3://bucket/x", "--endpoint-url", black_hole, status=1)
    assert problems(checks) == {"endpoint"}
    assert "no answer within" in checks["endpoint"]["found"]
    assert checks["rate"]["status"] == "skipped"


def start_doctor(*args: str) -> subprocess.Popen[str]:
    argv = [*SMTF, "doctor", *args]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_interrupted_while_it_waits(aws: str, black_hole: str) -> None:
    with start_doctor("s3://bucket/x", "--endpoint-url", black_hole) as doctor:
        assert doctor.stdout is not None
        for line in doctor.stdout:
            if "pipes" in line:  # now it looks at S3
                break
        doctor.send_signal(signal.SIGINT)
        _, err = doctor.communicate(timeout=PATIENCE_SECONDS)
    assert (doctor.returncode, err) == (130, "")


def test_interrupted_while_it_measures(
    faulty: FaultyS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    with start_doctor(f"{faulty.uri}/train/", "--seconds", "1000") as doctor:
        # So many that the engine has sent some.
        wait_until(lambda: len(faulty.requests()) > 30, "the doctor streams")
        doctor.send_signal(signal.SIGINT)
        _, err = doctor.communicate(timeout=PATIENCE_SECONDS)
    assert (doctor.returncode, err) == (130, "")
    assert not list((tmp_path / "temporary").iterdir())


def test_certificates(aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").mkdir()
    certificate, key = make_certificate(tmp_path)
    other, _ = make_certificate(tmp_path / "other")
    with moto_server((certificate, key)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="checked")
        s3.put_object(Bucket="checked", Key="1", Body=b"body")
        checks = examine("s3://checked/", status=0)
        assert f"{certificate} (AWS_CA_BUNDLE)" in checks["certificates"]["found"]
        monkeypatch.setenv("AWS_CA_BUNDLE", str(other))
        checks = examine("s3://checked/", status=1)
        assert problems(checks) == {"endpoint"}
        assert "not trusted" in checks["endpoint"]["found"]
        assert "AWS_CA_BUNDLE" in checks["endpoint"]["advice"]


@pytest.fixture
def faulty(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    with faulty_s3(ServerOptions(seed=7)) as s3:
        s3.allow(ACCESS_KEY, SECRET_KEY)
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.url)
        s3.add({"train/1": 8 << 20, "train/2": 8 << 20})
        yield s3


def test_a_stream_that_fails(faulty: FaultyS3) -> None:
    # The first part of an epoch comes.
    faulty.set_faults(Fault("access_denied", from_offset=1))
    checks = examine(f"{faulty.uri}/train/", status=1)
    assert problems(checks) == {"rate"}
    assert "train/" in checks["rate"]["found"]
    assert "403 AccessDenied" in checks["rate"]["found"]


def test_a_stream_that_stalls(faulty: FaultyS3) -> None:
    faulty.set_faults(Fault("stall", from_offset=1), Fault("stall", keys="train/2"))
    checks = examine(f"{faulty.uri}/train/1", status=1)
    assert problems(checks) == {"rate"}
    assert "came to a stop" in checks["rate"]["found"]


def test_a_store_that_throttles(faulty: FaultyS3) -> None:
    faulty.set_faults(Fault("slow_down", from_offset=1, asks=1))
    checks = examine(f"{faulty.uri}/train/", status=0)
    assert checks["rate"]["status"] == "warning"
    assert checks["rate"]["numbers"]["throttled"] > 0


@pytest.mark.parametrize(
    "args",
    [["/a/file"], ["s3://?"], ["--seconds", "0"], ["--seconds", "x"], ["s3://a-b/", "s3://c-d/"]],
)
def test_wrong_usage(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["doctor", *args])
    assert exit_.value.code == 2
    assert "usage" in capsys.readouterr().err
