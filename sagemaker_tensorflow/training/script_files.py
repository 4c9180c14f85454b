"""Puts a job's script, and what it needs, where the script runs."""

from __future__ import annotations

import functools
import logging
import shutil
from pathlib import Path

from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
)
from sagemaker_tensorflow.locations import LocalLocation, S3Location, parse_location
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.system_errors import translated_os_errors
from sagemaker_tensorflow.training.resources import FIRST_HOST
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.transform.model_archives import is_archive, unpack

_log = logging.getLogger(__name__)

# The largest source that the service takes is far below; see `model_archives.unpack`.
_MOST_SOURCE_BYTES = 5 << 30
# The record of jobs, where a source holds the jobs' directory, is none of a script's files: it is
# written to meanwhile, and to open it is to lose SQLite's locks on it.
_RECORD = "jobs.db"
_LEFT_OUT = shutil.ignore_patterns("__pycache__", ".git", _RECORD, f"{_RECORD}-journal")
# Of what could not be copied so many are named.
_NAMED_ERRORS = 3


def script_name(spec: TrainingSpec) -> str:
    """The script's path in the folder where it runs."""
    return spec.entry_point if spec.source_dir is not None else Path(spec.entry_point).name


def check_script(spec: TrainingSpec) -> None:
    """Holds that what is not in S3 is there, before anything is made of it.

    Args:
        spec: Of the job.

    Raises:
        NotFoundError: It is not; says what was looked for.
        InvalidArgumentError: Something is in S3 that cannot be.
    """
    dependencies = [_local_path(path, "dependencies") for path in spec.dependencies]
    if spec.source_dir is None:
        script = _local_path(spec.entry_point, "entry_point")
    elif is_archive(spec.source_dir):
        location = parse_location(spec.source_dir)
        if isinstance(location, LocalLocation):
            _check_archive(spec.source_dir, location.path)
        return
    else:
        script = _local_path(spec.source_dir, "source_dir") / spec.entry_point
    name = Path(script_name(spec))
    beside = [path.parent / name for path in dependencies if path.name == name.parts[0]]
    if not any(path.is_file() for path in (script, *beside)):
        raise _no_script(spec)


def place_script(spec: TrainingSpec, code: Path, s3_options: S3Options) -> None:
    """Copies, or fetches and unpacks, what ``entry_point`` and ``source_dir`` name.

    Args:
        spec: Of the job.
        code: An empty folder.
        s3_options: How to reach S3.

    Raises:
        NotFoundError: It is not there; says what was looked for.
        PipeModeDatasetException: It cannot be copied or fetched.
    """
    if spec.source_dir is None:
        _copy(_local_path(spec.entry_point, "entry_point"), code / script_name(spec), code)
    else:
        _place_source(spec.source_dir, code, s3_options)
    for dependency in spec.dependencies:
        path = _local_path(dependency, "dependencies")
        _copy(path, code / path.name, code)
    if not (code / script_name(spec)).is_file():
        raise _no_script(spec)


def _no_script(spec: TrainingSpec) -> NotFoundError:
    place = f"source_dir={spec.source_dir!r}" if spec.source_dir else "the current directory"
    return NotFoundError(f"entry_point={spec.entry_point!r} is no file in {place}")


def _place_source(source_dir: str, code: Path, s3_options: S3Options) -> None:
    location = parse_location(source_dir)
    if not is_archive(source_dir):
        _copy(_local_path(source_dir, "source_dir"), code, code)
        return
    fetched = code.with_name("fetched-source.tar.gz")
    if isinstance(location, S3Location):
        _download(location, fetched, s3_options)
        archive = fetched
    else:
        archive = location.path
        _check_archive(source_dir, archive)
    code.rmdir()  # unpack makes it
    unpack(archive, code, _MOST_SOURCE_BYTES)
    fetched.unlink(missing_ok=True)


def _check_archive(source_dir: str, archive: Path) -> None:
    if not archive.is_file():
        raise NotFoundError(f"source_dir={source_dir!r}: there is no file {archive}")


def _local_path(given: str, name: str) -> Path:
    location = parse_location(given)
    if not isinstance(location, LocalLocation):
        raise InvalidArgumentError(
            f"{name}={given!r}: from S3 the code comes as one source_dir=s3://.../sourcedir.tar.gz"
        )
    if not location.path.exists():
        raise NotFoundError(f"{name}={given!r}: there is nothing at {location.path}")
    return location.path


def _copy(source: Path, target: Path, code: Path) -> None:
    """Copies all but what is none of a script's files."""
    left_out = functools.partial(_left_out, code.parent.parent.resolve())
    with translated_os_errors(f"copying {source}"):
        try:
            if source.is_dir():
                shutil.copytree(source, target, ignore=left_out, dirs_exist_ok=True)
            else:
                shutil.copy2(source, target)
        except shutil.SpecialFileError as error:
            raise FailedPreconditionError(f"copying {source}: {error}") from error
        except shutil.Error as error:  # a list of what could not be copied
            raise FailedPreconditionError(
                f"copying {source}: {_words(error)}; make room, have the files readable, or keep "
                "the script in a folder without them"
            ) from error


def _words(error: shutil.Error) -> str:
    problems = [str(why) for _, _, why in error.args[0]]
    more = len(problems) - _NAMED_ERRORS
    named = "; ".join(problems[:_NAMED_ERRORS])
    return f"{named}; and {more} more" if more > 0 else named


def _left_out(own: Path, folder: str, names: list[str]) -> set[str]:
    """What of a folder is not copied.

    That is the directories of jobs, which the source may hold: with the job's own it would never
    end, and others may be running.
    """
    here = Path(folder)
    left_out = _LEFT_OUT(folder, names)
    if here.resolve() == own.parent or _RECORD in names:
        left_out |= {name for name in names if (here / name / f"{FIRST_HOST}.log").exists()}
        left_out |= {own.name} & set(names)
    special = [name for name in names if name not in left_out and not _is_usual(here / name)]
    if special:
        _log.warning(
            "%s: left out, as neither a file nor a folder: %s", here, ", ".join(sorted(special))
        )
    return left_out.union(special)


def _is_usual(path: Path) -> bool:
    return path.is_file() or path.is_dir()


def _download(location: S3Location, target: Path, s3_options: S3Options) -> None:
    from sagemaker_tensorflow.s3_errors import translated_s3_errors
    from sagemaker_tensorflow.s3_session import S3Session

    what = f"downloading source_dir {location}"
    session = S3Session.from_options(s3_options)
    try:
        with translated_os_errors(what), translated_s3_errors(what):
            answer = session.client.get_object(Bucket=location.bucket, Key=location.prefix)
            with target.open("wb") as file:
                shutil.copyfileobj(answer["Body"], file)
    finally:
        session.close()
