"""The build backend: setuptools', with a TensorFlow in the build environment.

The dataset op is compiled against TensorFlow's headers, so a wheel fits one minor version, and
which one is chosen where the build environment is made (tensorflow_requirement). A source
distribution fits all of them and needs none.
"""

from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)
from tensorflow_requirement import tensorflow_requirements

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


def get_requires_for_build_wheel(config_settings: dict[str, str] | None = None) -> list[str]:
    """What PEP 517's hook of this name returns, and TensorFlow."""
    requirements = build_meta.get_requires_for_build_wheel(config_settings)
    return [*requirements, *tensorflow_requirements()]


def get_requires_for_build_editable(config_settings: dict[str, str] | None = None) -> list[str]:
    """What PEP 660's hook of this name returns, and TensorFlow."""
    requirements = build_meta.get_requires_for_build_editable(config_settings)
    return [*requirements, *tensorflow_requirements()]
