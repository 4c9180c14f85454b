# make wheel [TF=2.16.2]        a wheel in dist/, with libcurl inside, checked by check_wheel.py
# make test-wheel [TF=2.16.2]   that wheel in an environment of its own, away from the sources
#      [WHEEL_TESTS=tests/cli]

# The interpreter whose TensorFlow the wheel is for.
WHEEL_PYTHON := $(if $(TF),$(VERSION_PYTHON),$(BIN)/python)
WHEEL_TRIAL := build/wheel$(if $(TF),-$(TF))
# Of README.md what it says about a clone of the sources, which is not what is tested here.
WHEEL_TESTS ?= tests --ignore tests/test_readme.py
# Of test_build_backend.py, which makes metadata; Python 3.11's own is older.
TRIAL_BUILD := 'setuptools>=77'
TRIAL_PIP := $(WHEEL_TRIAL)/venv/bin/python -m pip --disable-pip-version-check --quiet

wheel: $(if $(TF),$(VERSION),$(STAMPS))/dependencies $(STAMPS)/wheel-tools
	rm -rf $(WHEEL_TRIAL)
	tools/make_wheel.sh $(WHEEL_PYTHON) $(WHEEL_TRIAL)
	mkdir -p dist && cp $(WHEEL_TRIAL)/*.whl dist/

test-wheel: wheel $(STAMPS)/test-system
	$(PYTHON) -m venv $(WHEEL_TRIAL)/venv
	$(BIN)/python tools/requirements.py --only test > $(WHEEL_TRIAL)/requirements.txt
	@echo "installing the wheel, TensorFlow and the tests' tools into $(WHEEL_TRIAL)/venv"
	$(TRIAL_PIP) install -r $(WHEEL_TRIAL)/requirements.txt $(TRIAL_BUILD) \
	  "$$(echo $(WHEEL_TRIAL)/*.whl)[cpu]"
	mkdir $(WHEEL_TRIAL)/run
	tar --create --exclude=./sagemaker_tensorflow --exclude=./build --exclude=./dist --exclude='./.*' . \
	  | tar --extract --directory $(WHEEL_TRIAL)/run
	cd $(WHEEL_TRIAL)/run && ../venv/bin/python -m pytest $(PYTEST_OPTIONS) $(WHEEL_TESTS)
