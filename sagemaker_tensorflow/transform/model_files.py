"""Brings a model here from wherever it is, and finds the SavedModel in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_tensorflow.errors import InvalidArgumentError, NotFoundError, UnavailableError
from sagemaker_tensorflow.locations import S3Location, parse_location
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.transform.model_archives import is_archive, unpack, unsafe_name

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# tf.saved_model's two encodings of the same message.
_SAVED_MODELS = ("saved_model.pb", "saved_model.pbtxt")
_KERAS = ".keras"
# Where the SageMaker TensorFlow Serving container has the user's script, in the archive's root.
_SCRIPT = Path("code", "inference.py")
# Where the estimators of TF 1 put their exports, and SageMaker's first containers looked for them.
_SERVO = Path("export", "Servo")
_LISTED_NAMES = 12


@dataclass(frozen=True)
class ModelFiles:
    """A model on this machine.

    Attributes:
        model: A SavedModel's folder, or a ``.keras`` file.
        script: ``code/inference.py`` of the archive or folder that the model was found in.
    """

    model: Path
    script: Path | None


def fetch_model(uri: str, into: Path, s3_options: S3Options | None = None) -> ModelFiles:
    """Makes a model's files local: downloads and unpacks them where that is needed.

    A local folder or ``.keras`` file is used where it lies. What is searched is the archive's root,
    or the folder; see `find_model`.

    Args:
        uri: Of a folder, an archive (``.tar.gz``, ``.tgz``, ``.tar``) or a ``.keras`` file:
            ``s3://``, ``file://`` or a path. A folder of S3 is a prefix with a slash behind it,
            written or not.
        into: A folder of the caller's, for what is downloaded or unpacked. Made if need be.
        s3_options: How to reach S3.

    Raises:
        NotFoundError: There is nothing at `uri`, or no model in it; says what is there.
        InvalidArgumentError: The archive was refused (`model_archives.unpack`), or there are
            several models to choose from.
        PipeModeDatasetException: S3's answer, or the system's.
    """
    location = parse_location(uri)
    if isinstance(location, S3Location):
        root = _download(location, into, s3_options or S3Options())
    else:
        root = location.path
    if not root.exists():
        raise NotFoundError(f"model {uri}: there is nothing at {root}")
    if root.is_file() and is_archive(root.name):
        unpack(root, into / "unpacked")
        if isinstance(location, S3Location):
            root.unlink()
        root = into / "unpacked"
    script = root / _SCRIPT
    return ModelFiles(find_model(root, uri), script if script.is_file() else None)


def find_model(root: Path, uri: str = "") -> Path:
    """Finds the model in a folder, or says that a file is one.

    Looked for in this order: `root` itself; the highest numbered folder in it, as TensorFlow
    Serving chooses versions; the same of ``export/Servo``; a ``.keras`` file; then all of these
    once more in the folders of `root`, but for ``code``, of which only one may have a model.

    Raises:
        NotFoundError: There is none.
        InvalidArgumentError: There are several, or the file is no model.
    """
    name = uri or str(root)
    if root.is_file():
        if root.suffix == _KERAS:
            return root
        raise InvalidArgumentError(
            f"model {name}: {root.name!r} is no model; give a SavedModel's folder, an archive "
            "(.tar.gz, .tgz, .tar) or a .keras file"
        )
    found = _model_of(root, name)
    if found is not None:
        return found
    models = [model for folder in _folders(root) if (model := _model_of(folder, name))]
    if len(models) > 1:
        raise InvalidArgumentError(
            f"model {name}: there are several, give one of them: "
            + ", ".join(str(model.relative_to(root)) for model in models)
        )
    if not models:
        raise NotFoundError(
            f"model {name}: no {_SAVED_MODELS[0]} in it, in a numbered folder of it, in "
            f"{_SERVO}/<number> or one folder below, and no {_KERAS} file; it holds {_listed(root)}"
        )
    return models[0]


def _model_of(folder: Path, name: str) -> Path | None:
    if _is_saved_model(folder):
        return folder
    numbered = _highest_version(folder) or _highest_version(folder / _SERVO)
    if numbered is not None:
        return numbered
    files = sorted(folder.glob(f"*{_KERAS}"))
    if len(files) > 1:
        raise InvalidArgumentError(
            f"model {name}: there are several, give one of them: "
            + ", ".join(file.name for file in files)
        )
    return files[0] if files else None


def _is_saved_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _SAVED_MODELS)


def _highest_version(folder: Path) -> Path | None:
    versions = [
        child
        for child in _folders(folder)
        if child.name.isascii() and child.name.isdigit() and _is_saved_model(child)
    ]
    return max(versions, key=lambda child: int(child.name), default=None)


def _folders(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for child in sorted(folder.iterdir()):
        if child.is_dir() and child.name != _SCRIPT.parts[0] and not child.name.startswith("."):
            yield child


def _listed(root: Path) -> str:
    names = sorted(child.name + "/" * child.is_dir() for child in root.iterdir())
    more = f" and {len(names) - _LISTED_NAMES} more" if len(names) > _LISTED_NAMES else ""
    return (", ".join(names[:_LISTED_NAMES]) or "nothing") + more


def _download(location: S3Location, into: Path, options: S3Options) -> Path:
    # boto3 is slow to load, and local models do without.
    from sagemaker_tensorflow.s3_session import S3Session

    target = into / "downloaded"
    session = S3Session.from_options(options)
    try:
        if is_archive(location.prefix) or location.prefix.endswith(_KERAS):
            file = target / location.prefix.rpartition("/")[2]
            _download_object(session.client, location, file)
            return file
        _download_folder(session.client, location, target)
        return target
    finally:
        session.close()


def _download_folder(client: S3Client, location: S3Location, target: Path) -> None:
    from sagemaker_tensorflow.listing import list_s3_objects

    prefix = location.prefix.rstrip("/") + "/" if location.prefix else ""
    for page in list_s3_objects(client, S3Location(location.bucket, prefix)):
        for key, _, _ in page:
            relative = key.removeprefix(prefix)
            problem = unsafe_name(relative)
            if problem:
                raise InvalidArgumentError(f"model {location}: key {key!r} {problem}")
            _download_object(client, S3Location(location.bucket, key), target / relative)


def _download_object(client: S3Client, location: S3Location, target: Path) -> None:
    """Fetches one object with boto3's own transfer: ranges in threads, retried."""
    from boto3.exceptions import Boto3Error

    from sagemaker_tensorflow.s3_errors import translated_s3_errors

    what = f"downloading model {location}"
    with translated_os_errors(what), translated_s3_errors(what):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            client.download_file(location.bucket, location.prefix, str(target))
        except Boto3Error as error:
            raise UnavailableError(f"{what}: {error}") from error
