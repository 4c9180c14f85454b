#!/usr/bin/env bash
# Installs the Debian/Ubuntu packages that a group of work needs and that are missing; the one list
# of them. Without root it says which command to run instead, and fails.
# Usage: tools/system_packages.sh build|test|versions|sanitize|bench [PYTHON]
set -euo pipefail
group=${1:?usage: system_packages.sh build|test|versions|sanitize|bench [PYTHON]}
python=${2:-python3}
missing=()

# need WHAT_FOR PACKAGE CHECK...: adds PACKAGE unless the check succeeds.
need() {
  local what_for=$1 package=$2
  shift 2
  if ! "$@" >/dev/null 2>&1; then
    echo "missing: $package ($what_for)"
    missing+=("$package")
  fi
}
header() { echo "#include <$1>" | g++ -E -x c++ - ; }
python_header() {
  "$python" -c 'import os, sysconfig; open(os.path.join(sysconfig.get_path("include"), "Python.h"))'
}

case $group in
  build)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    need "the C++ compiler" g++ command -v g++
    need "virtual environments" "python$version-venv" "$python" -c "import ensurepip, venv"
    need "headers for the Python modules" "python$version-dev" python_header
    need "libcurl's headers: the prefetcher reads S3 with it" libcurl4-openssl-dev header curl/curl.h
    need "libcrypto's headers: requests to S3 are signed with it" libssl-dev header openssl/hmac.h
    need "libexpat's headers: listings are parsed with it" libexpat1-dev header expat.h
    need "zlib's headers: gzip files are decompressed with it" zlib1g-dev header zlib.h
    need "JSON in C++: what the prefetcher tells the reader" nlohmann-json3-dev header nlohmann/json.hpp
    ;;
  test)
    need "GoogleTest: the C++ tests" libgtest-dev header gtest/gtest.h
    need "readelf: which libraries a module is linked with" binutils command -v readelf
    need "Ceph's S3 server, whose answers are not moto's" radosgw command -v radosgw
    need "what it keeps its objects in" ceph-mon command -v ceph-mon
    need "what it keeps its objects in" ceph-osd command -v ceph-osd
    need "what sets it up" ceph-common command -v radosgw-admin
    ;;
  versions)
    need "builds for several TensorFlows compile what they share once" ccache command -v ccache
    ;;
  sanitize)
    need "the sanitizers and libFuzzer" clang command -v clang++
    major=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
    runtime=libclang-rt-${major:-14}-dev  # a package of its own from LLVM 14 on in Debian
    if apt-cache show "$runtime" >/dev/null 2>&1; then
      need "the runtime of clang's sanitizers" "$runtime" dpkg -s "$runtime"
    fi
    ;;
  bench)
    # nginx is in /usr/sbin, which is not on every user's PATH.
    need "the S3 server of the benchmarks" nginx-light test -x /usr/sbin/nginx
    need "its listing of objects" libnginx-mod-http-xslt-filter \
      test -e /usr/lib/nginx/modules/ngx_http_xslt_filter_module.so
    need "its slow answers" libnginx-mod-http-echo \
      test -e /usr/lib/nginx/modules/ngx_http_echo_module.so
    need "its certificates" openssl command -v openssl
    ;;
  *) echo "unknown group $group: build, test, versions, sanitize or bench" >&2; exit 2 ;;
esac

[ ${#missing[@]} -eq 0 ] && exit 0
install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null; then
  echo "there is no apt-get here: install what these Debian packages hold, then run make again:" >&2
  echo "  ${missing[*]}" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "installing them needs root; run this, then make again:" >&2
  echo "  sudo sh -c '$install'" >&2
  exit 1
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
