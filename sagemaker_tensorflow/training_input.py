"""What a channel streams, in the words of the SageMaker SDK.

The arguments, their values and their limits are those of ``TrainingInput`` in the SageMaker Python
SDK and of CreateTrainingJob's Channel, S3DataSource and ShuffleConfig (botocore's service model).
`job_description` reads the same from a CreateTrainingJob request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.locations import Location, S3Location, parse_location

S3_DATA_TYPES = ("S3Prefix", "ManifestFile", "AugmentedManifestFile")
DISTRIBUTIONS = ("FullyReplicated", "ShardedByS3Key")
COMPRESSIONS = ("None", "Gzip")
RECORD_WRAPPINGS = ("None", "RecordIO")
INPUT_MODES = ("Pipe", "File", "FastFile")

# S3DataSource's AttributeNames.
_MAX_ATTRIBUTES = 16
_MAX_ATTRIBUTE_LENGTH = 256
# Each pipe has threads, buffers and, in a training script, a reader of its own.
MAX_PIPES = 64
_SEEDS = range(-(1 << 63), 1 << 63)  # a Long of AWS's service models

# Its value is a reference to an object, whose bytes are streamed in its place.
REFERENCE_SUFFIX = "-ref"


@dataclass(frozen=True)
class ShuffleConfig:
    """Another order in each epoch, made from `seed` and the epoch's number.

    Raises:
        InvalidArgumentError: The seed is not a whole number of 64 bits.
    """

    seed: int

    def __post_init__(self) -> None:
        if not isinstance(self.seed, int) or isinstance(self.seed, bool) or self.seed not in _SEEDS:
            raise InvalidArgumentError(
                f"shuffle_config: seed={self.seed!r} is not a whole number in [-2**63, 2**63)"
            )


@dataclass(frozen=True)
class TrainingInput:
    """What a channel streams, and how.

    Attributes:
        s3_data: ``s3://bucket/prefix``, ``file:///path`` or a path; see `locations.parse_location`.
            A key prefix or one object, a folder or one file, or where the manifest is.
        distribution: ``FullyReplicated`` gives every host all objects, ``ShardedByS3Key`` gives
            each host a part of them.
        compression: ``Gzip`` decompresses each object.
        content_type: For ``inputdataconfig.json`` only.
        record_wrapping: ``RecordIO`` puts each object into a RecordIO record of its own.
        s3_data_type: ``S3Prefix``; ``ManifestFile``, a JSON array of the objects' names; or
            ``AugmentedManifestFile``, JSON lines of attributes.
        input_mode: ``Pipe``, ``File`` or ``FastFile``; None is the training job's, and Pipe for a
            prefetcher, which does nothing else.
        attribute_names: Of each line of an augmented manifest, in the order of the stream: the
            objects that attributes with the suffix ``-ref`` refer to, of others the JSON text.
        shuffle_config: Shuffles objects, or the lines of an augmented manifest, in each epoch.
        pipes_per_channel: 1, or so many pipes that hold the channel once among them.

    None and ``"None"`` are the same, as are None and the default. A value that has none of the
    allowed forms is an error.

    Raises:
        InvalidArgumentError: A value is not allowed, or does not go with another.
    """

    s3_data: str
    _: KW_ONLY
    distribution: str | None = "FullyReplicated"
    compression: str | None = None
    content_type: str | None = None
    record_wrapping: str | None = None
    s3_data_type: str | None = "S3Prefix"
    input_mode: str | None = None
    attribute_names: Sequence[str] | None = None
    shuffle_config: ShuffleConfig | None = None
    pipes_per_channel: int = 1

    def __post_init__(self) -> None:
        parse_location(_text("s3_data", self.s3_data))
        self._choose("distribution", DISTRIBUTIONS, default="FullyReplicated")
        self._choose("compression", COMPRESSIONS)
        self._choose("record_wrapping", RECORD_WRAPPINGS)
        self._choose("s3_data_type", S3_DATA_TYPES, default="S3Prefix")
        if self.content_type is not None:
            _text("content_type", self.content_type)
        if self.input_mode is not None:
            check_choice("input_mode", self.input_mode, INPUT_MODES)
        self._check_attributes()
        self._check_manifest()
        if self.shuffle_config is not None and not isinstance(self.shuffle_config, ShuffleConfig):
            raise InvalidArgumentError(
                f"shuffle_config={self.shuffle_config!r}: give a ShuffleConfig(seed)"
            )
        pipes = self.pipes_per_channel
        if not isinstance(pipes, int) or isinstance(pipes, bool) or not 1 <= pipes <= MAX_PIPES:
            raise InvalidArgumentError(f"pipes_per_channel={pipes!r} is not in [1, {MAX_PIPES}]")
        if pipes > 1 and self.input_mode in ("File", "FastFile"):
            raise InvalidArgumentError(
                f"pipes_per_channel={pipes} with input_mode={self.input_mode!r}: there are no pipes"
            )

    def _choose(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> None:
        value = getattr(self, name)
        if value is not None:
            check_choice(name, value, allowed)
        if value in (None, "None"):
            object.__setattr__(self, name, default)

    def _check_attributes(self) -> None:
        names = self.attribute_names
        if names is None:
            return
        if isinstance(names, str) or not all(isinstance(name, str) for name in names):
            raise InvalidArgumentError(f"attribute_names={names!r}: give a list of names")
        object.__setattr__(self, "attribute_names", tuple(names) or None)
        if len(names) > _MAX_ATTRIBUTES:
            raise InvalidArgumentError(
                f"attribute_names has {len(names)} names, at most {_MAX_ATTRIBUTES} are allowed"
            )
        for name in names:
            if not 1 <= len(name) <= _MAX_ATTRIBUTE_LENGTH:
                raise InvalidArgumentError(
                    f"attribute_names: {name!r} has {len(name)} characters, 1 to "
                    f"{_MAX_ATTRIBUTE_LENGTH} are allowed"
                )

    def _check_manifest(self) -> None:
        augmented = self.s3_data_type == "AugmentedManifestFile"
        if augmented != bool(self.attribute_names):
            raise InvalidArgumentError(
                f"s3_data_type={self.s3_data_type!r} and attribute_names={self.attribute_names!r}: "
                "an AugmentedManifestFile needs attribute_names, and nothing else has them"
            )
        location = self.location
        key = location.prefix if isinstance(location, S3Location) else "a path"
        if self.s3_data_type != "S3Prefix" and (not key or key.endswith("/")):
            raise InvalidArgumentError(
                f"s3_data={self.s3_data!r} is no object: give the key of the manifest itself"
            )
        inlined = [name for name in self.attributes if not name.endswith(REFERENCE_SUFFIX)]
        if inlined and self.compression:
            raise InvalidArgumentError(
                f"compression={self.compression!r} with attribute_names={self.attribute_names!r}: "
                f"the values of {', '.join(inlined)} stand in the manifest and are not compressed; "
                f"leave compression out, or name attributes that end in {REFERENCE_SUFFIX} only"
            )

    @property
    def location(self) -> Location:
        """Where the objects, or the manifest, lie."""
        return parse_location(self.s3_data)

    @property
    def attributes(self) -> tuple[str, ...]:
        """`attribute_names`; empty without."""
        return tuple(self.attribute_names or ())

    @property
    def sharded(self) -> bool:
        """Whether each host has a part of the objects."""
        return self.distribution == "ShardedByS3Key"

    @property
    def frame_objects(self) -> bool:
        """Whether the stream says where objects end: not for training scripts."""
        return False

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every argument."""
        return asdict(self)

    @classmethod
    def from_json(cls, arguments: Mapping[str, Any]) -> TrainingInput:
        """The reverse."""
        shuffle = arguments.get("shuffle_config")
        return cls(**{**arguments, "shuffle_config": shuffle and ShuffleConfig(**shuffle)})


def check_choice(name: str, value: object, allowed: Sequence[str]) -> str:
    """Returns `value` if it is allowed.

    Raises:
        InvalidArgumentError: It is not; names field, value and what is allowed.
    """
    if not isinstance(value, str) or value not in allowed:
        raise InvalidArgumentError(f"{name}={value!r} is not allowed: give {' or '.join(allowed)}")
    return value


def check_pipe_mode(name: str, value: object) -> None:
    """Accepts Pipe and None: what a prefetcher can do.

    Raises:
        InvalidArgumentError: Another mode; says what to do for those that SageMaker has.
    """
    if value in ("File", "FastFile"):
        raise InvalidArgumentError(
            f"{name}={value!r} is not what a prefetcher does: it streams. Use Pipe; or copy the "
            "objects to a folder (aws s3 sync) and let the training script read its files"
        )
    if value is not None:
        check_choice(name, value, ("Pipe",))


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name}={value!r} is not a string")
    return value
