# `make demo` and `make test` do all of their set-up: system packages, .venv, build. A second run
# reuses it and starts in seconds.
#   make demo [S3=s3://bucket/prefix]   train on data that streams from S3 through a named pipe
#   make test                           C++ and Python tests
#   make test TF=2.16.2                 a wheel for another TensorFlow, and what must hold on each
#   make wheel | test-wheel [TF=2.16.2] a wheel in dist/, checked; its tests where nothing else is
#   make lint | sanitize | fuzz | bench | clean
# .ci/run also uses steps of these: system (packages), environment [TF=2.16.2] (TensorFlow, in a
# virtual environment), trees (all C++ that needs no Python).

PYTHON ?= $(shell command -v python3.11 || command -v python3)
FUZZ_SECONDS ?= 20
FUZZERS := tfrecord recordio text_line record_protobuf
# How many tests, fuzzers or test programs run at a time. Tests wait for other processes more than
# they compute, but each may need a TensorFlow or a Ceph cluster of its own.
JOBS ?= $(shell n=$$(nproc); [ $$n -lt 4 ] && echo $$n || echo 4)
PYTEST_OPTIONS := -n $(JOBS) --dist worksteal
VENV := .venv
BIN := $(VENV)/bin
STAMPS := build/stamps
# With a compiler cache, builds for several versions of TensorFlow compile what they share once.
export CMAKE_CXX_COMPILER_LAUNCHER ?= $(shell command -v ccache)
# The tools that a build finds by name come from the virtual environment.
export PATH := $(CURDIR)/$(BIN):$(PATH)

SOURCES := $(shell find csrc -name '*.cc' -o -name '*.h') CMakeLists.txt setup.py pyproject.toml
CXX_FILES := $(shell find csrc benchmarks -name '*.cc' -o -name '*.h')
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test wheel test-wheel lint trees sanitize fuzz $(FUZZERS:%=fuzz-%) bench clean
.PHONY: system environment

demo: $(STAMPS)/installed
	$(BIN)/python examples/digits.py $(if $(S3),--s3 $(S3))

ifdef TF
include tools/one_version.mk
test: test-version
else
test: $(STAMPS)/installed $(STAMPS)/test-tools build/tests/build.ninja
	cmake --build build/tests
	ctest --test-dir build/tests --output-on-failure --parallel $(JOBS)
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)
endif
include tools/wheel.mk

lint: $(STAMPS)/installed $(STAMPS)/test-tools $(STAMPS)/lint-tools
	ruff format --check .
	ruff check .
	clang-format --dry-run --Werror $(CXX_FILES)
	mypy

trees: build/asan/build.ninja build/tsan/build.ninja build/tests/build.ninja
	for tree in $(^D); do cmake --build $$tree || exit 1; done

sanitize: build/asan/build.ninja build/tsan/build.ninja
	for tree in build/asan build/tsan; do \
	  cmake --build $$tree && ctest --test-dir $$tree --output-on-failure --parallel $(JOBS) \
	    || exit 1; done

fuzz: build/asan/build.ninja
	cmake --build build/asan --target fuzzers
	$(MAKE) --jobs=$(JOBS) --output-sync=target $(FUZZERS:%=fuzz-%)

$(FUZZERS:%=fuzz-%): fuzz-%:
	mkdir -p build/fuzz/corpus/$*
	build/asan/csrc/fuzz/$*_fuzz -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	  -print_final_stats=1 -artifact_prefix=build/fuzz/ build/fuzz/corpus/$* csrc/fuzz/corpus/$*

bench: $(STAMPS)/installed $(STAMPS)/bench-system $(STAMPS)/bench-tools
	mkdir -p build/benchmarks
	for name in crc32c fifo framing listing parsing restore s3_stream training_modes transform; do \
	  $(BIN)/python benchmarks/bench_$$name.py > build/benchmarks/$$name.json \
	    && echo build/benchmarks/$$name.json || exit 1; done

clean:
	rm -rf build dist $(VENV) sagemaker_tensorflow/*.so

# Set-up, each step once.

# What needs root, in one go.
system: $(STAMPS)/system $(STAMPS)/test-system $(STAMPS)/sanitize-system

environment: $(if $(TF),$(VERSION),$(STAMPS))/dependencies

$(STAMPS)/system: tools/system_packages.sh
	tools/system_packages.sh build $(PYTHON)
	mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dependencies: pyproject.toml $(wildcard tools/*requirement*.py) | $(STAMPS)/system
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python tools/requirements.py demo > build/requirements.txt
	@echo "installing TensorFlow, boto3 and the build tools into $(VENV)"
	$(PIP) install -r build/requirements.txt
	touch $@

$(STAMPS)/installed: $(STAMPS)/dependencies $(SOURCES)
	@echo "building the native modules (a few minutes the first time)"
	$(PIP) install --no-build-isolation --no-deps --editable .
	touch $@

$(STAMPS)/test-system: tools/system_packages.sh | $(STAMPS)/system
	tools/system_packages.sh test
	touch $@

$(STAMPS)/sanitize-system: tools/system_packages.sh | $(STAMPS)/system
	tools/system_packages.sh sanitize
	touch $@

$(STAMPS)/bench-system: tools/system_packages.sh | $(STAMPS)/system
	tools/system_packages.sh bench
	touch $@

$(STAMPS)/%-tools: $(STAMPS)/dependencies
	$(BIN)/python tools/requirements.py $* > build/requirements-$*.txt
	$(PIP) install -r build/requirements-$*.txt
	touch $@

CMAKE_WITHOUT_PYTHON := cmake -S . -G Ninja -DSMTF_BUILD_OP=OFF -DSMTF_BUILD_MODULES=OFF

build/tests/build.ninja: CMakeLists.txt | $(STAMPS)/dependencies $(STAMPS)/test-system
	$(CMAKE_WITHOUT_PYTHON) -B build/tests -DSMTF_BUILD_TESTS=ON

# With clang, which compiles instrumented code in half of g++'s time.
CMAKE_SANITIZED := $(CMAKE_WITHOUT_PYTHON) -DSMTF_BUILD_TESTS=ON -DCMAKE_CXX_COMPILER=clang++ \
  -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1

# Also the tree of the fuzz targets, which need the same sanitizers.
build/asan/build.ninja: CMakeLists.txt \
    | $(STAMPS)/dependencies $(STAMPS)/test-system $(STAMPS)/sanitize-system
	$(CMAKE_SANITIZED) -B build/asan -DSMTF_SANITIZE=address,undefined -DSMTF_BUILD_FUZZERS=ON

build/tsan/build.ninja: CMakeLists.txt \
    | $(STAMPS)/dependencies $(STAMPS)/test-system $(STAMPS)/sanitize-system
	$(CMAKE_SANITIZED) -B build/tsan -DSMTF_SANITIZE=thread
