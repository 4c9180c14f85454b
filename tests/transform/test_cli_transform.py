"""``smtf transform``: what it prints and how it exits."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagemaker_tensorflow.cli import main
from tests.conftest import PutObjects
from tests.pipes import PATIENCE_SECONDS, wait_until
from tests.servers import free_port
from tests.transform.whole_jobs import csv_flags, save_doubler, smtf, write_files, written

FILES = {"a.csv": b"1,2\n3,4\n", "b.csv": b"5,6\n"}
RESULTS = {"a.csv.out": b"2.0,4.0\n6.0,8.0\n", "b.csv.out": b"10.0,12.0\n"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_doubler(tmp_path_factory.mktemp("doubler"))


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """The command sets up the package's logger for the process."""
    logger = logging.getLogger("sagemaker_tensorflow")
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers, logger.level = handlers, level


def test_completed(model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data, out = write_files(tmp_path / "data", FILES), tmp_path / "out"
    assert main(["transform", *csv_flags(model, data, out)]) == 0
    told = capfd.readouterr()
    assert told.out == ""
    assert "test: Completed\n  2 of 2 objects, 3 records; " in told.err
    assert f"report: {out / '.smtf-transform/test/report.html'}\n" in told.err
    assert written(out) == RESULTS
    assert main(["transform", *csv_flags(model, data, out)]) == 0
    assert "0 of 2 objects, 2 finished before, 0 records\n" in capfd.readouterr().err


@pytest.mark.parametrize(("on_error", "status"), [("object", 1), ("record", 3)])
def test_bad_records(
    on_error: str, status: int, model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = write_files(tmp_path / "data", {**FILES, "bad.csv": b"1,2\nx,y\n"})
    flags = csv_flags(model, data, tmp_path / "out", "--on-error", on_error)
    assert main(["transform", *flags]) == status
    told = capfd.readouterr().err
    assert "test: " + ("Failed" if status == 1 else "CompletedWithErrors") in told
    assert f"{(data / 'bad.csv').as_uri()}: " in told
    assert "record 1 at byte 4: " in told
    assert "Traceback" not in told


def test_many_failures_are_not_all_told(
    model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = write_files(tmp_path / "data", {f"{n}.csv": b"x\n" for n in range(9)})
    assert main(["transform", *csv_flags(model, data, tmp_path / "out")]) == 1
    told = capfd.readouterr().err
    assert told.count("failed: record 0 at byte 0") == 5
    assert re.search(r"\.\.\. \S+/job\.json has the others", told)


def test_describe(model: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["transform", "--model", model, "--describe"]) == 0
    told = capfd.readouterr().out
    assert "signature serving_default" in told
    assert re.search(r"x +float32 +\[\?, 2\]", told)


REQUEST = {
    "TransformJobName": "described",
    "ModelName": "doubler",
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": ""}},
        "ContentType": "text/csv",
        "SplitType": "Line",
    },
    "TransformOutput": {"S3OutputPath": "", "Accept": "text/csv", "AssembleWith": "Line"},
    "TransformResources": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
}


def test_a_jobs_description(
    model: str, put_objects: PutObjects, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    uri = put_objects({f"data/{name}": body for name, body in FILES.items()})
    request = json.loads(json.dumps(REQUEST))
    request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] = f"{uri}/data/"
    request["TransformOutput"]["S3OutputPath"] = (tmp_path / "out").as_uri()
    (tmp_path / "job.json").write_text(json.dumps(request))
    status = main(["transform", "--model", model, "--job", str(tmp_path / "job.json")])
    told = capfd.readouterr().err
    assert status == 0, told
    assert "described: Completed" in told
    assert written(tmp_path / "out") == RESULTS


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ([], "--input is missing; --output is missing"),
        (["--max-payload", "101"], "--max-payload is 101 MB"),
        (["--timeout", "0"], "--timeout is 0, allowed is 1 to 3600"),
        (["--env", "X"], "--env 'X': give NAME=VALUE"),
        (["--job-name", "../../x"], "--job-name='../../x' is not"),
        (["--job", "/no/such/file"], "/no/such/file"),
        (
            ["--job", "x", "--timeout=9", "--env=A=1", "--split-type=None", "--input-filter=$"],
            "--job x and --timeout, --env, --split-type, --input-filter: a request has members for",
        ),
        (["--job", "{text}"], "is not JSON"),
        (["--job", "{list}"], "CreateTransformJob: "),
        (["--job", "{empty}"], "TransformInput is missing"),
        (["--job", "{binary}"], "is not JSON"),
        (["--input", "ftp://x", "--output", "out"], "ftp://x"),
        (["--input", "nowhere/", "--output", "out"], "nowhere"),
        (["--input", "no-files/", "--output", "out"], "nothing to transform under no-files/"),
        (["--input", "data/", "--output", "out", "--accept", "image/png"], "image/png"),
        (["--input", "data/", "--output", "out", "--signature", "none"], "serving_default"),
        (["--input", "data/", "--output", "out", "--input-filter", "x"], "InputFilter"),
        (["--input", "data/", "--output", "out", "--metrics-port", "99999"], "99999"),
        (["--input", "data/", "--output", "data/out"], "would be an input of the next run"),
    ],
)
def test_what_cannot_be_done(
    flags: list[str],
    reason: str,
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A line that says why, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no-files").mkdir()
    write_files(tmp_path / "data", FILES)
    texts = {"text": b"{", "list": b"[1]", "empty": b"{}", "binary": b"\xff\xfe\x00"}
    write_files(tmp_path, texts)
    given = [flag.strip("{}") if flag.startswith("{") else flag for flag in flags]
    assert main(["transform", "--model", model, *given]) == 1
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith("smtf: error: ")
    assert reason in last
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("flags", [["--split-type", "Word"], ["--batch-size", "x"], ["--nonsense"]])
def test_wrong_usage(flags: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["transform", "--model", "m", *flags])
    assert ended.value.code == 2
    assert "usage: smtf " in capfd.readouterr().err


def test_nothing_is_told_but_what_was_asked_for(model: str) -> None:
    """TensorFlow has a lot to say about the processor as it is loaded."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    described = smtf("--model", model, "--describe", env=environment)
    told, aside = described.communicate(timeout=PATIENCE_SECONDS)
    assert told.startswith("signature serving_default\n")
    assert aside == ""


def test_an_object_of_another_format(
    model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is named once, and the setting by a name that the command line has."""
    data = write_files(tmp_path / "data", {"a.csv": b"1,2\n" * 9})
    flags = csv_flags(model, data, tmp_path / "out")
    flags[flags.index("Line")] = "TFRecord"
    assert main(["transform", *flags]) == 1
    (line,) = (line for line in capfd.readouterr().err.splitlines() if "TFRecord" in line)
    assert line.count((data / "a.csv").as_uri()) == 1
    assert "check split_type" in line


def test_a_model_that_is_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_files(tmp_path / "folder", {"saved_model.pb": b"nothing"})
    write_files(tmp_path, {"model.tar.gz": b"no archive", "model.keras": b"no zip"})
    for name in ("folder", "model.tar.gz", "model.keras", "nowhere"):
        assert main(["transform", "--model", str(tmp_path / name), "--describe"]) == 1
        told = capfd.readouterr().err
        assert "Traceback" not in told
        assert str(tmp_path / name) in told.partition("smtf: error: ")[2]


def test_metrics_while_it_runs(model: str, tmp_path: Path) -> None:
    """In a process of its own; interrupted, it ends at once and says nothing more."""
    data = write_files(tmp_path / "data", {f"{n}.csv": b"1,2\n" * 500 for n in range(400)})
    port = free_port()
    flags = csv_flags(model, data, tmp_path / "out", f"--metrics-port={port}", "--batch-size=1")
    job = smtf(*flags)
    texts: list[str] = []

    def scraped() -> bool:
        assert job.poll() is None, job.stderr and job.stderr.read()
        try:
            url = f"http://127.0.0.1:{port}/metrics"
            with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
                texts.append(answer.read().decode())
        except ConnectionError:
            return False
        except OSError as error:  # urllib wraps what it met with
            assert "refused" in str(error)
            return False
        return bool(re.search(r"^smtf_transform_records_total [1-9]", texts[-1], re.MULTILINE))

    wait_until(scraped, "records are counted")
    assert "smtf_transform_objects 400\n" in texts[-1]
    job.send_signal(signal.SIGINT)
    _, told = job.communicate(timeout=PATIENCE_SECONDS)
    assert job.returncode == 130
    assert "Traceback" not in told
    assert told.endswith("smtf: stopped; run the same command to go on where it was\n")
