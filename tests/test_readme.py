"""Does what the README says: every command, every snippet, in its order, in one directory.

Exceptions: the targets of make, which CI runs by themselves (here only their names are looked up),
and the installation, of which only the part before the compiler is tried.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import boto3
import pytest

from tests.pipes import wait_until

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
MAKEFILE = ROOT / "Makefile"
# A language, a body, and the output that is shown behind it, if one is.
FENCE = re.compile(r"^```(python|sh)\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", re.M | re.S)
RECORDS = 100

# Writes the objects of s3://my-bucket/train/. A process of its own, because it loads TensorFlow.
WRITE_EXAMPLES = """
import sys
import tensorflow as tf
feature = tf.train.Feature
with tf.io.TFRecordWriter(sys.argv[1]) as writer:
    for index in range(int(sys.argv[2])):
        image = feature(float_list=tf.train.FloatList(value=[index % 10] * 64))
        label = feature(int64_list=tf.train.Int64List(value=[index % 10]))
        features = tf.train.Features(feature={"image": image, "label": label})
        writer.write(tf.train.Example(features=features).SerializeToString())
"""


class Block(NamedTuple):
    """A fenced block of the README."""

    line: int
    language: str
    body: str
    output: str | None


def blocks() -> list[Block]:
    text = README.read_text()
    return [
        Block(text.count("\n", 0, found.start()) + 1, found[1], found[2], found[3])
        for found in FENCE.finditer(text)
    ]


class Reader:
    """Somebody who follows the README in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT),
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "SAGEMAKER_TENSORFLOW_HOME": str(directory / "home"),
        }
        self.streaming: subprocess.Popen[str] | None = None

    def follow(self, block: Block) -> None:
        if block.language == "python":
            self.run_python(block)
        elif block.body.startswith("make "):
            assert block.body.split()[1] in make_targets(), block
        elif block.body.startswith("pip "):
            self.run_pip(block)
        elif block.body.startswith("smtf stream "):
            self.begin_streaming(block)
        else:
            self.expect(block, ["bash", "-euc", block.body])

    def run_python(self, block: Block) -> None:
        name = re.match(r"# (\w+\.py)\n", block.body)
        script = self.directory / (name[1] if name else "snippet.py")
        script.write_text(block.body)
        if not name:  # the others are named because a command runs them
            self.expect(block, [sys.executable, str(script)])

    def run_pip(self, block: Block) -> None:
        """In the clone, with flags that leave out the network and the compiler."""
        argv = [sys.executable, "-m", *shlex.split(block.body), "--dry-run", "--no-index"]
        argv += ["--no-build-isolation", "--disable-pip-version-check"]
        ran = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        assert "sagemaker-tensorflow" in ran.stdout
        assert re.search(r"\[\w+\]", block.body), block
        assert "does not provide the extra" not in ran.stderr, block  # of which pip only warns

    def begin_streaming(self, block: Block) -> None:
        argv = shlex.split(block.body)
        self.streaming = subprocess.Popen(
            argv, cwd=self.directory, env=self.environment, stderr=subprocess.PIPE, text=True
        )
        config = self.directory / argv[argv.index("--config-dir") + 1] / "inputdataconfig.json"
        wait_until(config.exists, f"{config} is made")

    def end_streaming(self) -> None:
        """Ctrl-C in the other terminal."""
        assert self.streaming is not None, "the README streams nothing"
        self.streaming.send_signal(signal.SIGINT)
        _, log = self.streaming.communicate()
        assert self.streaming.returncode == 0, log

    def expect(self, block: Block, argv: list[str]) -> None:
        ran = subprocess.run(
            argv, cwd=self.directory, env=self.environment, capture_output=True, text=True
        )
        where = f"README.md:{block.line}"
        assert ran.returncode == 0, f"{where}\n{ran.stdout}\n{ran.stderr}"
        if block.output is not None:
            shown = ".*".join(map(re.escape, block.output.split("...")))
            assert re.fullmatch(shown, ran.stdout, re.S), f"{where} printed\n{ran.stdout}"


def make_targets() -> set[str]:
    phony = re.search(r"^\.PHONY:(.*)$", MAKEFILE.read_text(), re.M)
    assert phony is not None
    return set(phony[1].split())


@pytest.fixture
def reader(aws: str, tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path / "reader")
    reader.directory.mkdir()
    records = tmp_path / "part-0.tfrecord"
    subprocess.run([sys.executable, "-c", WRITE_EXAMPLES, records, str(RECORDS)], check=True)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="my-bucket")
    s3.upload_file(str(records), "my-bucket", "train/part-0.tfrecord")
    yield reader
    if reader.streaming is not None and reader.streaming.poll() is None:
        reader.streaming.kill()
        reader.streaming.communicate()


@pytest.mark.timeout(600)
def test_every_snippet_and_command_does_what_it_says(reader: Reader) -> None:
    followed = blocks()
    assert {block.language for block in followed} == {"python", "sh"}
    for block in followed:
        reader.follow(block)
    reader.end_streaming()


def test_every_other_block_is_output_or_a_picture() -> None:
    languages = set(re.findall(r"^```(\w+)$", README.read_text(), re.M))
    assert languages == {"python", "sh", "text", "mermaid"}


def test_first_batch_takes_at_most_eight_lines() -> None:
    first = next(block for block in blocks() if block.language == "python")
    assert len([line for line in first.body.splitlines() if line]) <= 8
    assert "s3://" not in first.body


def test_targets_of_make_exist() -> None:
    named = set(re.findall(r"make ([a-z]+)`", README.read_text()))
    assert named >= {"demo", "test", "lint", "sanitize", "fuzz", "bench"}
    assert named <= make_targets()


@pytest.mark.parametrize("command", ["stream", "inspect", "train", "jobs", "transform", "doctor"])
def test_help_that_the_readme_points_to(command: str, reader: Reader) -> None:
    assert f"`smtf {command} --help`" in README.read_text()
    reader.expect(Block(0, "sh", "", None), ["smtf", command, "--help"])


@pytest.mark.parametrize("page", [README, *sorted((ROOT / "docs").glob("*.md"))], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert links or page != README
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


def test_figures_of_the_first_screen_are_those_of_the_tables() -> None:
    """The tables are checked against the results; whoever measures anew changes both."""
    text = README.read_text()
    beginning = text.partition("\n## ")[0]
    tables = "".join(re.findall(r"<!-- figures: .*?<!-- /figures -->", text, re.S))
    figures = re.findall(r"(\d+\.\d+) (times|%)", " ".join(beginning.split()))
    assert len(figures) == 4
    missing = [
        figure
        for figure, unit in figures
        if not re.search(re.escape(figure) + (" %" if unit == "%" else r" \("), tables)
    ]
    assert not missing


def test_figures_are_those_of_the_results() -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "report.py", "--check"],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr


def test_messages_in_the_troubleshooting_page_are_real() -> None:
    sources = [*(ROOT / "csrc").rglob("*.cc"), *(ROOT / "sagemaker_tensorflow").rglob("*.py")]
    # As the compiler and the interpreter see them: neighbouring literals are one.
    joined = re.sub(r'"\s*f?"', "", "\n".join(source.read_text() for source in sources))
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    quoted = [
        re.sub(r"\s+", " ", message) for message in re.findall(r"\*\*`(.+?)`\*\*", page, re.S)
    ]
    assert quoted
    assert not [message for message in quoted if message not in joined]
