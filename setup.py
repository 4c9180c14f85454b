"""What depends on the build environment: the native modules, and the TensorFlow they are for."""

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext
from setuptools.command.egg_info import egg_info
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
PACKAGE = "sagemaker_tensorflow"
VERSION = "3.0.0.dev0"

WHAT_TO_DO = (
    "CMake could not configure the build; why stands in its messages, above. Beside what pip "
    "brings it needs a C++17 compiler, headers of libraries and, for the system's Python, its own: "
    "on Debian or Ubuntu apt-get install g++ libcurl4-openssl-dev libexpat1-dev libssl-dev "
    "nlohmann-json3-dev zlib1g-dev python3-dev"
)


def tensorflow_minor() -> str | None:
    """The TensorFlow of this environment, by whatever name it was installed: "2.21", or None.

    A source distribution fits all of them, whichever is here when it is made.
    """
    names = metadata.packages_distributions().get("tensorflow")
    if not names or "sdist" in sys.argv:
        return None
    return ".".join(metadata.version(names[0]).split(".")[:2])


def tensorflow_extras(minor: str | None) -> dict[str, list[str]]:
    """The builds of TensorFlow from PyPI that fit; docs/building.md says why these are extras."""
    pin = f"=={minor}.*" if minor else ">=2.15,<2.22"
    return {
        "tensorflow": [f"tensorflow{pin}"],
        "cuda": [f"tensorflow[and-cuda]{pin}"],
        "cpu": [
            f"tensorflow-cpu{pin}; platform_machine == 'x86_64'",
            f"tensorflow{pin}; platform_machine != 'x86_64'",
        ],
    }


def version(minor: str | None) -> str:
    """The release, and the TensorFlow that a wheel is for: wheels of a release lie side by side.

    What is built of a source distribution has its version. pip, which has asked for that one, does
    not take another.
    """
    is_source_distribution = (ROOT / "PKG-INFO").exists()
    return VERSION if minor is None or is_source_distribution else f"{VERSION}+tf{minor}"


MINOR = tensorflow_minor()
# One for each Python and TensorFlow, so that wheels for others neither wait for nor spoil a build.
BUILD_TREE = Path("build") / f"{sys.implementation.cache_tag}-tf{MINOR}"


class MetadataOfBuild(egg_info):
    """Keeps the metadata of a build beside what is built.

    In the source tree, where setuptools puts it, Python finds it first: whoever works there would
    be told the version of the wheel that was made last, not the one that is installed.
    """

    def finalize_options(self) -> None:
        """Chooses the build tree, unless a command has chosen a folder."""
        if self.egg_base is None:
            self.egg_base = str(BUILD_TREE)
            Path(self.egg_base).mkdir(parents=True, exist_ok=True)
        super().finalize_options()


class SourcesOnly(sdist):
    """Leaves out the build tree, of whose metadata setuptools adds a file at the last moment."""

    def make_distribution(self) -> None:
        """Forgets that file, then packs."""
        self.filelist.prune("build")
        super().make_distribution()


class FreshBuild(build):
    """Collects the wheel's files anew: setuptools would pack what was deleted since, too."""

    def run(self) -> None:
        """Removes what an earlier build collected, then builds."""
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


class CMakeBuild(build_ext):
    """Builds the native products with one CMake run in a build tree that is kept for the next."""

    def run(self) -> None:
        """Configures and builds into the package, or into the wheel's tree."""
        in_place = self.inplace or self.editable_mode
        destination = ROOT / PACKAGE if in_place else Path(self.build_lib).resolve() / PACKAGE
        cmake_tree = ROOT / BUILD_TREE / "cmake"
        # The scripts of the cmake and ninja packages stand beside the interpreter, which is not
        # always on PATH. In an isolated build they are elsewhere each time, so what CMake
        # remembers of the last one is of no use.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        configure = [
            "cmake",
            "-S",
            str(ROOT),
            "-B",
            str(cmake_tree),
            "-G",
            "Ninja",
            f"-DCMAKE_MAKE_PROGRAM={shutil.which('ninja', path=path) or 'ninja'}",
            f"-DSMTF_PYTHON={sys.executable}",
            f"-DSMTF_OUTPUT_DIR={destination}",
        ]
        environment = {**os.environ, "PATH": path}
        if subprocess.run(configure, env=environment).returncode != 0:
            raise SystemExit(WHAT_TO_DO)
        subprocess.run(["cmake", "--build", str(cmake_tree)], check=True, env=environment)

    def get_outputs(self) -> list[str]:
        """Nothing for setuptools to copy: CMake has put the modules in place."""
        return []

    def get_output_mapping(self) -> dict[str, str]:
        """Nothing either."""
        return {}


setup(
    version=version(MINOR),
    extras_require={
        **tensorflow_extras(MINOR),
        "pandas": ["pandas>=2"],
        "parquet": ["pyarrow>=15"],
        "ray": ["ray>=2.50"],
    },
    # Named only so that the wheel is tagged with its platform.
    ext_modules=[Extension(f"{PACKAGE}._core", sources=[])],
    cmdclass={
        "build": FreshBuild,
        "build_ext": CMakeBuild,
        "egg_info": MetadataOfBuild,
        "sdist": SourcesOnly,
    },
    options={"build": {"build_base": str(BUILD_TREE)}},
)
