# make test TF=2.16.2 [PYTHON=python3.12] [TESTS=tests/pipe_mode_dataset]
#
# Builds a wheel for that release of TensorFlow and tests it as its users have it: installed, in an
# environment of its own, away from the sources. The main environment is not touched.

VERSION := build/tf-$(TF)
VERSION_PYTHON := $(VERSION)/venv/bin/python
VERSION_PIP := $(VERSION_PYTHON) -m pip --disable-pip-version-check --quiet
PACKAGE := $(shell find sagemaker_tensorflow -name '*.py' -o -name '*.pyi' -o -name py.typed)
TESTS ?= @tests/versions/compact.txt

.PHONY: test-version

test-version: $(VERSION)/installed
	rm -rf $(VERSION)/run && mkdir $(VERSION)/run && cp -R tests examples $(VERSION)/run/
	cd $(VERSION)/run && ../venv/bin/python -m pytest -c $(CURDIR)/pyproject.toml --rootdir . \
	  -n $(JOBS) --dist loadfile $(TESTS)

$(VERSION)/installed: $(VERSION)/dependencies $(SOURCES) $(PACKAGE)
	@echo "building a wheel for TensorFlow $(TF)"
	rm -rf $(VERSION)/wheel
	$(VERSION_PIP) wheel --no-build-isolation --no-deps --wheel-dir $(VERSION)/wheel .
	$(VERSION_PYTHON) tools/check_wheel.py --any-glibc $(VERSION)/wheel/*.whl
	$(VERSION_PIP) install --no-deps --force-reinstall $(VERSION)/wheel/*.whl
	touch $@

$(VERSION)/dependencies: pyproject.toml $(wildcard tools/*requirement*.py) | $(STAMPS)/system
	@$(PYTHON) tools/tensorflow_requirement.py $(TF)
	mkdir -p $(VERSION)
	$(PYTHON) -m venv --clear $(VERSION)/venv
	SMTF_TENSORFLOW=$(TF) $(VERSION_PYTHON) tools/requirements.py versions \
	  > $(VERSION)/requirements.txt
	@echo "installing TensorFlow $(TF) into $(VERSION)/venv"
	$(VERSION_PIP) install -r $(VERSION)/requirements.txt
	touch $@
