"""Loading the op, and what a process that has it must not have."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

import sagemaker_tensorflow
from sagemaker_tensorflow import op_library

PACKAGE = Path(sagemaker_tensorflow.__file__).parent


def needed(library: Path) -> list[str]:
    """The shared libraries that a library asks for by name."""
    lines = subprocess.run(
        ["readelf", "--dynamic", "--wide", str(library)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [line.split("[")[1].split("]")[0] for line in lines if "(NEEDED)" in line]


def modules(pattern: str) -> list[Path]:
    found = list(PACKAGE.glob(pattern))
    assert found, f"no {pattern} in {PACKAGE}"
    return found


def test_only_the_prefetchers_module_is_linked_with_libcurl() -> None:
    for library in [*modules("_pipe_op.so"), *modules("_core.*.so")]:
        names = needed(library)
        assert not [name for name in names if "curl" in name or "ssl" in name or "crypto" in name]
    assert any(name.startswith("libcurl") for name in needed(modules("_prefetch.*.so")[0]))


def test_only_the_op_is_linked_with_tensorflow() -> None:
    assert "libtensorflow_framework.so.2" in needed(modules("_pipe_op.so")[0])
    for library in [*modules("_core.*.so"), *modules("_prefetch.*.so")]:
        assert not [name for name in needed(library) if "tensorflow" in name]


def test_the_prefetchers_module_refuses_a_process_that_has_tensorflow() -> None:
    assert tf.__version__
    with pytest.raises(ImportError, match="TensorFlow"):
        import sagemaker_tensorflow._prefetch  # noqa: F401


def test_a_process_that_streams_and_trains_never_maps_libcurl(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from sagemaker_tensorflow import PipeModeDataset, Prefetcher
with Prefetcher({"training": sys.argv[1]}) as feed:
    records = list(PipeModeDataset("training", "TextLine", **feed.dirs))
maps = Path("/proc/self/maps").read_text()
assert [r.numpy() for r in records] == [b"one", b"two"], records
assert "libtensorflow_framework" in maps
assert "libcurl" not in maps, [line for line in maps.splitlines() if "libcurl" in line]
"""
    (tmp_path / "data.txt").write_text("one\ntwo\n")
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "data.txt")], check=True)


def test_an_op_built_for_another_tensorflow_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "_pipe_op.so"
    marker = f"smtf-built-for-tensorflow:{tf.__version__}".encode()
    content = (PACKAGE / "_pipe_op.so").read_bytes()
    assert content.count(marker) == 1
    other.write_bytes(content.replace(marker, b"smtf-built-for-tensorflow:2.11.1\0"))
    monkeypatch.setattr(op_library, "_PATH", other)
    with pytest.raises(ImportError, match=rf"TensorFlow 2\.11\.1 .* TensorFlow {tf.__version__}"):
        op_library.load.__wrapped__()


def test_an_op_for_this_tensorflow_that_does_not_load_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "_pipe_op.so"
    broken.write_bytes(f"smtf-built-for-tensorflow:{tf.__version__}\0".encode())
    monkeypatch.setattr(op_library, "_PATH", broken)
    with pytest.raises(ImportError, match=r"does not load .*(file too short|ELF).*; build it"):
        op_library.load.__wrapped__()


def test_a_missing_op_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(op_library, "_PATH", tmp_path / "_pipe_op.so")
    with pytest.raises(ImportError, match="--no-build-isolation"):
        op_library.load.__wrapped__()


@pytest.mark.parametrize("setting", ["", "0"])
def test_malloc_is_tuned_unless_the_user_says_no(setting: str, tmp_path: Path) -> None:
    """A freed 64 MiB of strings stays with the process when malloc is tuned."""
    code = """
import sys
from pathlib import Path
import tensorflow as tf
from sagemaker_tensorflow import PipeModeDataset
d = sys.argv[1]
(Path(d) / "inputdataconfig.json").write_text('{"c": {"TrainingInputMode": "Pipe"}}')
(Path(d) / "c_0").write_text("x" * 262144 + chr(10) + ("y" * 262144 + chr(10)) * 255)
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
ds = PipeModeDataset("c", "TextLine", pipe_dir=d, state_dir=d, config_dir=d, batch_size=256)
batch = next(iter(ds))
held = resident()
del batch
print(held - resident() < 32 << 20)
"""
    environment = {**os.environ, "SMTF_MALLOC_TUNING": setting}
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    shutil.rmtree(tmp_path)
    assert result.stdout.strip() == ("False" if setting == "0" else "True")
