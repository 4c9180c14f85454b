"""Where models are found, and which archives are refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import DataLossError, InvalidArgumentError, NotFoundError
from sagemaker_tensorflow.transform.model_archives import unpack
from sagemaker_tensorflow.transform.model_files import fetch_model, find_model
from tests.conftest import PutObjects

# Only the name is looked at here; what is in it concerns TensorFlow.
PB = "saved_model.pb"


def write(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


def tar_of(path: Path, *names: str, mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:
        for name in names:
            add(tar, name, name.encode())
    return path


def add(tar: tarfile.TarFile, name: str, body: bytes = b"x") -> None:
    member = tarfile.TarInfo(name)
    member.size = len(body)
    tar.addfile(member, io.BytesIO(body))


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([PB, "variables/variables.index"], "."),
        (["saved_model.pbtxt"], "."),
        ([f"1/{PB}", f"9/{PB}", f"10/{PB}"], "10"),
        ([f"1/{PB}", "2/readme.txt"], "1"),
        ([f"export/Servo/1543/{PB}"], "export/Servo/1543"),
        ([f"half_plus_two/00000123/{PB}", "code/inference.py"], "half_plus_two/00000123"),
        ([f"model/{PB}", f"code/1/{PB}", f".hidden/{PB}"], "model"),
        (["model.keras", "notes.txt"], "model.keras"),
        ([f"3/{PB}", "model.keras"], "3"),
    ],
)
def test_layouts(tmp_path: Path, names: list[str], found: str) -> None:
    assert find_model(write(tmp_path, *names)) == tmp_path / found


def test_a_folder_without_a_model_is_listed(tmp_path: Path) -> None:
    write(tmp_path, "a/b/c/saved_model.pb", "model.h5")
    with pytest.raises(NotFoundError, match=r"no saved_model.pb .*it holds a/, model.h5"):
        find_model(tmp_path)


@pytest.mark.parametrize("names", [[f"a/{PB}", f"b/1/{PB}"], ["a.keras", "b.keras"]])
def test_several_models_are_named(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(InvalidArgumentError, match="there are several, give one of them: a"):
        find_model(write(tmp_path, *names))


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is nothing at"):
        fetch_model(str(tmp_path / "none"), tmp_path / "into")


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    write(tmp_path, "model.h5")
    with pytest.raises(InvalidArgumentError, match=r"'model.h5' is no model"):
        fetch_model(str(tmp_path / "model.h5"), tmp_path / "into")


def test_local_folders_and_files_are_used_where_they_lie(tmp_path: Path) -> None:
    write(tmp_path, f"folder/1/{PB}", "folder/code/inference.py", "m.keras")
    files = fetch_model((tmp_path / "folder").as_uri(), tmp_path / "into")
    assert files.model == tmp_path / "folder" / "1"
    assert files.script == tmp_path / "folder" / "code" / "inference.py"
    assert fetch_model(str(tmp_path / "m.keras"), tmp_path / "into").model == tmp_path / "m.keras"
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize(
    ("name", "mode"), [("m.tar.gz", "w:gz"), ("m.tgz", "w:gz"), ("m.tar", "w")]
)
def test_an_archive_is_unpacked(tmp_path: Path, name: str, mode: str) -> None:
    archive = tar_of(
        tmp_path / name, f"./m/1/{PB}", "./m/1/assets/vocab", "code/inference.py", mode=mode
    )
    files = fetch_model(str(archive), tmp_path / "into")
    assert (files.model / "assets" / "vocab").read_bytes() == b"./m/1/assets/vocab"
    assert files.script is not None
    assert files.script.read_bytes() == b"code/inference.py"
    assert archive.exists()


def test_models_in_s3(tmp_path: Path, put_objects: PutObjects) -> None:
    archive = tar_of(tmp_path / "model.tar.gz", f"1/{PB}", "code/inference.py")
    uri = put_objects(
        {
            "models/m/1/saved_model.pb": b"graph",
            "models/m/1/variables/variables.index": b"i" * 100_000,
            "models/m/code/inference.py": b"code",
            "models/m2/1/saved_model.pb": b"another model",
            "jobs/model.tar.gz": archive.read_bytes(),
            "jobs/model.keras": b"zip",
        }
    )
    for number, name in enumerate(["models/m", "models/m/"]):
        into = tmp_path / str(number)
        files = fetch_model(f"{uri}/{name}", into)
        assert (files.model / PB).read_bytes() == b"graph"
        assert (files.model / "variables/variables.index").stat().st_size == 100_000
        assert files.script is not None
        assert sum(path.is_file() for path in into.rglob("*")) == 3
    files = fetch_model(f"{uri}/jobs/model.tar.gz", tmp_path / "archive")
    assert files.model.name == "1"
    assert files.script is not None
    assert not list((tmp_path / "archive").rglob("*.tar.gz"))
    assert fetch_model(f"{uri}/jobs/model.keras", tmp_path / "k").model.read_bytes() == b"zip"


def test_what_is_not_in_s3(tmp_path: Path, put_objects: PutObjects) -> None:
    uri = put_objects({"other": b"x"})
    with pytest.raises(NotFoundError, match="begins with 'models/m/'"):
        fetch_model(f"{uri}/models/m", tmp_path / "a")
    with pytest.raises(NotFoundError, match=r"downloading model .*: 404"):
        fetch_model(f"{uri}/model.tar.gz", tmp_path / "b")


def test_a_key_that_leads_out_of_the_folder_is_refused(
    tmp_path: Path, put_objects: PutObjects
) -> None:
    uri = put_objects({"m/1/../../../escaped": b"x"})
    with pytest.raises(InvalidArgumentError, match=r'has a "\.\."'):
        fetch_model(f"{uri}/m", tmp_path / "a" / "b")
    assert not list(tmp_path.rglob("escaped"))


def link(kind: bytes, name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member


def absolute(tar: tarfile.TarFile) -> None:
    add(tar, "/tmp/escaped")


def upwards(tar: tarfile.TarFile) -> None:
    add(tar, "a/../../escaped")


def symlink(tar: tarfile.TarFile) -> None:
    tar.addfile(link(tarfile.SYMTYPE, "a", ".."))
    add(tar, "a/escaped")


def inner_symlink(tar: tarfile.TarFile) -> None:
    add(tar, "saved_model.pb")
    tar.addfile(link(tarfile.SYMTYPE, "b", "saved_model.pb"))


def hard_link(tar: tarfile.TarFile) -> None:
    tar.addfile(link(tarfile.LNKTYPE, "a", "/etc/passwd"))


def device(tar: tarfile.TarFile) -> None:
    tar.addfile(link(tarfile.CHRTYPE, "a", ""))


def pipe(tar: tarfile.TarFile) -> None:
    tar.addfile(link(tarfile.FIFOTYPE, "a", ""))


@pytest.mark.parametrize(
    ("write_members", "reason"),
    [
        (absolute, "has an absolute path"),
        (upwards, r'has a "\.\." in its path'),
        (symlink, r"is a link to '\.\.'"),
        (inner_symlink, "is a link to 'saved_model.pb'"),
        (hard_link, "is a link to '/etc/passwd'"),
        (device, "is neither a file nor a folder"),
        (pipe, "is neither a file nor a folder"),
    ],
)
def test_archives_that_reach_out_are_refused(
    tmp_path: Path, write_members: Callable[[tarfile.TarFile], None], reason: str
) -> None:
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        write_members(tar)
    with pytest.raises(InvalidArgumentError, match=reason):
        unpack(archive, tmp_path / "deep" / "into")
    assert not list(tmp_path.rglob("escaped"))
    assert not Path("/tmp/escaped").exists()


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for number in range(20):
            add(tar, f"zeros-{number}", bytes(1 << 20))
    assert archive.stat().st_size < 1 << 16
    with pytest.raises(InvalidArgumentError, match="more than 10485760 bytes"):
        unpack(archive, tmp_path / "into", limit=10 << 20)
    assert sum(file.stat().st_size for file in (tmp_path / "into").iterdir()) <= 10 << 20


@pytest.mark.parametrize("damage", ["text", "cut", "flipped", "empty"])
def test_broken_archives(tmp_path: Path, damage: str) -> None:
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        add(tar, "noise", bytes(n * n % 251 for n in range(200_000)))
    good = archive.read_bytes()
    flipped = bytearray(good)
    flipped[-6] ^= 0xFF  # in gzip's checksum
    archive.write_bytes(
        {"text": b"404 not found", "cut": good[: len(good) // 2], "empty": b""}.get(damage, flipped)
    )
    with pytest.raises(DataLossError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "into")
