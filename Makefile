# Ferry: a PyTorch model to TensorFlow Lite, checked at every stage. `make` alone lists what there is.

MODEL ?= mobilenet_v2
WEIGHTS ?=
INPUT_SHAPE ?=
ONNX ?=
NAME ?=
FUZZ ?= 10000
SAMPLES ?= 1000
ROUNDS ?= 48
INPUTS ?=
TOLERANCE ?=
# An image holds one TensorFlow, and says which.
TF ?= $(or $(FERRY_TF),2.4)
GRAPH ?= ferry
LAYOUT ?= nchw
DEVICE ?= cpu
RUNNER ?=
MEMORY ?=
BASE_IMAGE ?=
PYTEST ?=
VERBOSE ?=
PYTHON ?= python3

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# make's own rules for C and Fortran cost time and match nothing here.
MAKEFLAGS += --no-builtin-rules
export VERBOSE MEMORY BASE_IMAGE

QUIET := $(if $(filter-out 0,$(VERBOSE)),,@)

# What is not the default keeps its files apart, so that going back and forth makes nothing anew.
BUILD := build$(if $(filter 2.2,$(TF)),/tf2.2)$(if $(filter article,$(GRAPH)),/article)$(if $(filter nhwc,$(LAYOUT)),/nhwc)
MATRIX_TF := $(if $(filter file,$(origin TF)),2.4 2.2,$(TF))
LOCK := $(if $(filter 2.2,$(TF)),requirements/tf2.2.lock,requirements.lock)

ZOO := $(filter-out zoo/calibrated,$(patsubst models/%.py,%,$(wildcard models/zoo/*.py)))
ifneq ($(filter zoo,$(MAKECMDGOALS)),)
MODEL := $(ZOO)
# models/mobilenet_v2.py is another one than the zoo's, and has a folder of its own.
BUILD := $(BUILD)/zoo
SAMPLES := $(if $(filter file,$(origin SAMPLES)),20,$(SAMPLES))
endif

# A word of MODEL is a file anywhere, or the name of one in models/; the file's name without its ending is the model's.
WORDS := $(patsubst ~/%,$(HOME)/%,$(or $(ONNX),$(MODEL)))
SOURCES := $(sort $(foreach word,$(WORDS),$(if $(filter %.py %.pt %.onnx,$(word)),$(word),models/$(word).py)))
name_of = $(basename $(notdir $(1)))
NAMES := $(foreach source,$(SOURCES),$(call name_of,$(source)))
$(foreach source,$(SOURCES),$(eval SOURCE/$(call name_of,$(source)) := $(source)))
EXPORTED := $(foreach source,$(filter-out %.onnx,$(SOURCES)),$(BUILD)/$(call name_of,$(source))/model.onnx)
IMPORTED := $(foreach source,$(filter %.onnx,$(SOURCES)),$(BUILD)/$(call name_of,$(source))/model.onnx)
# The stage records it, with the files it has read, in model.onnx.d.
made_of = $(SOURCE/$(1)) $(WEIGHTS) $(INPUT_SHAPE)
FROZEN := $(NAMES:%=$(BUILD)/%/model.pb)
TFLITE := $(NAMES:%=$(BUILD)/%/model.tflite)
VERIFIED := $(NAMES:%=verify/%)
BISECTED := $(NAMES:%=bisect/%)
INSPECTED := $(NAMES:%=inspect/%)

WHICH = --tf $(TF) --device $(DEVICE)
# Asked once, and only if a recipe runs: looking for a container engine takes longer than finding nothing to do.
CHOSEN = $(eval CHOSEN := $(shell $(PYTHON) scripts/runners choose $(WHICH) $(RUNNER)))$(or $(CHOSEN),$(error no runner))
RUN = $(QUIET)$(PYTHON) scripts/runners run $(WHICH) $(CHOSEN)

# A bad argument is an error even where every file is up to date.
ifneq ($(filter-out docker podman venv $(if $(FERRY_IMAGE),image),$(RUNNER)),)
$(error there is no RUNNER '$(RUNNER)'; it is one of docker, podman, venv)
endif
ifneq ($(if $(filter matrix,$(MAKECMDGOALS)),$(words $(firstword $(TF))),$(words $(TF)))$(filter-out 2.4 2.2,$(TF)),1)
$(error there is no TF '$(TF)'; it is one of 2.4, 2.2)
endif
ifneq ($(words $(DEVICE))$(filter-out cpu gpu,$(DEVICE)),1)
$(error there is no DEVICE '$(DEVICE)'; it is one of cpu, gpu)
endif
ifneq ($(filter-out $(TF),$(FERRY_TF)),)
$(error this image holds TensorFlow $(FERRY_TF); TF=$(TF) has an image of its own)
endif
ifeq ($(TF) $(DEVICE),2.2 gpu)
$(error TF=2.2 runs on the CPU only: on a GPU it needs CUDA 10.1, of which no trustworthy image or wheel is left)
endif
ifneq ($(words $(GRAPH))$(filter-out ferry article,$(GRAPH)),1)
$(error there is no GRAPH '$(GRAPH)'; it is one of ferry, article)
endif
ifneq ($(words $(LAYOUT))$(filter-out nchw nhwc,$(LAYOUT)),1)
$(error there is no LAYOUT '$(LAYOUT)'; it is one of nchw, nhwc)
endif
ifeq ($(GRAPH) $(LAYOUT),article nhwc)
$(error GRAPH=article has its inputs and outputs as PyTorch has them: LAYOUT=nhwc is for Ferry's own graph)
endif
ifneq ($(filter onnx tf tflite verify bisect matrix bench inspect zoo,$(MAKECMDGOALS)),)
include scripts/given.mk
endif

# What each stage is made of: touching one of these makes its file, and those after it, anew.
IN_IMAGE := $(if $(filter docker podman,$(RUNNER)),Dockerfile.$(DEVICE))
FRAME := $(LOCK) $(IN_IMAGE) $(addprefix scripts/ferry/,__init__.py stage.py errors.py atomic_file.py)
EXPORT_ONNX := scripts/export_onnx.py $(wildcard scripts/ferry/model/*.py scripts/ferry/export/*.py scripts/ferry/graph/*.py) $(FRAME)
IMPORT_ONNX := scripts/import_onnx.py $(wildcard scripts/ferry/model/files_read.py scripts/ferry/graph/*.py scripts/ferry/graph/passes/*.py scripts/ferry/graph/newer_opsets/*.py scripts/ferry/graph/newer_opsets/operators/*.py) $(FRAME)
ONNX_TO_TF := scripts/onnx_to_tf.py $(wildcard $(addprefix scripts/ferry/,graph/*.py graph/passes/*.py lowering/*.py \
    lowering/operators/*.py frozen/*.py)) $(FRAME)
TF_TO_TFLITE := scripts/tf_to_tflite.py $(wildcard scripts/ferry/tflite/*.py scripts/ferry/frozen/*.py) \
    $(addprefix scripts/ferry/,versions.py provenance.py) $(FRAME)

# A stage renames a whole file into place. Interrupted right after that, make would delete it, and the old one is gone.
.PRECIOUS: $(EXPORTED) $(IMPORTED) $(FROZEN) $(TFLITE)
.PHONY: FORCE help new onnx tf tflite verify $(VERIFIED) inspect $(INSPECTED) bisect $(BISECTED) matrix bench shell image doctor test test-fast test-all test-slow test-engines fuzz lint lock clean clean-all

help: ## print this
	@$(PYTHON) scripts/make_help.py $(firstword $(MAKEFILE_LIST))

new: ## write a model file to start from: models/NAME.py
	$(QUIET)$(PYTHON) scripts/new_model.py '$(NAME)'

onnx: $(EXPORTED) $(IMPORTED) ## export the model to ONNX: build/MODEL/model.onnx
tf: $(FROZEN) ## convert it to a frozen TensorFlow graph: build/MODEL/model.pb
tflite: $(TFLITE) ## convert it all the way to TensorFlow Lite: build/MODEL/model.tflite
verify: $(VERIFIED) ## compare the outputs of every stage with PyTorch's: build/MODEL/report.json
inspect: $(INSPECTED) ## print what is in model.tflite: inputs, outputs, operators, size, multiply-adds, origin
bisect: $(BISECTED) ## find the first tensor at which a stage's model parts from the one it was made of

GIVEN = $(if $(WEIGHTS),--weights '$(WEIGHTS)') $(if $(INPUT_SHAPE),--input-shape '$(INPUT_SHAPE)')

$(EXPORTED): $(BUILD)/%/model.onnx: $(WEIGHTS) $(EXPORT_ONNX)
	$(RUN) scripts/export_onnx.py --model '$(SOURCE/$*)' $(GIVEN) --made-of '$(call made_of,$*)' --output '$@'

$(IMPORTED): $(BUILD)/%/model.onnx: $(IMPORT_ONNX)
	$(RUN) scripts/import_onnx.py --model '$(SOURCE/$*)' $(GIVEN) --made-of '$(call made_of,$*)' --output '$@'

$(FROZEN): $(BUILD)/%/model.pb: $(BUILD)/%/model.onnx $(ONNX_TO_TF)
	$(RUN) scripts/onnx_to_tf.py --graph $(GRAPH) --layout $(LAYOUT) --input '$<' --output '$@'

$(TFLITE): $(BUILD)/%/model.tflite: $(BUILD)/%/model.pb $(TF_TO_TFLITE)
	$(RUN) scripts/tf_to_tflite.py --input '$<' --output '$@'

# In the zoo one that fails is a row of the table, and the table's program fails.
$(VERIFIED): verify/%: $(BUILD)/%/model.tflite
	$(if $(filter zoo,$(MAKECMDGOALS)),-)$(RUN) scripts/verify.py --model '$(SOURCE/$*)' $(GIVEN) --build '$(BUILD)/$*' --layout $(LAYOUT) \
	    --samples $(SAMPLES) --device $(DEVICE) \
	    $(if $(INPUTS),--inputs "$(INPUTS)") $(if $(TOLERANCE),"--tolerance=$(TOLERANCE)")

$(INSPECTED): inspect/%: $(BUILD)/%/model.tflite
	$(RUN) scripts/inspect_tflite.py --build '$(BUILD)/$*'

$(BISECTED): bisect/%: $(BUILD)/%/model.tflite
	$(RUN) scripts/bisect_model.py --model '$(SOURCE/$*)' $(GIVEN) --build '$(BUILD)/$*' --layout $(LAYOUT)

matrix: ## carry and verify MODEL with each TF in each RUNNER that this machine has, and print one table
	$(QUIET)$(PYTHON) scripts/runners matrix $(addprefix --tf=,$(MATRIX_TF)) $(addprefix --runner=,$(RUNNER)) \
	    --samples=$(SAMPLES) $(GIVEN) $(SOURCES)

.PHONY: bench-forms
bench-forms: ## time the forms that TFLite can be given of grouped convolution and other layers
	$(QUIET)$(PYTHON) scripts/runners bench venv scripts/bench_forms.py --rounds $(ROUNDS)

bench: ## measure speed against Keras's own networks and the article's path: build/bench.json, build/bench.svg
	$(QUIET)$(PYTHON) scripts/runners bench $(WHICH) $(CHOSEN) scripts/bench.py $(SOURCES:%=--model '%') \
	    --output build$(if $(filter 2.2,$(TF)),/tf2.2)/bench.json --rounds $(ROUNDS) --samples $(SAMPLES)

shell: ## open a shell in the environment that the stages run in
	$(QUIET)$(PYTHON) scripts/runners shell $(WHICH) $(CHOSEN)

image: ## build the image that RUNNER=docker or RUNNER=podman runs the stages in, and print its name
	$(QUIET)$(PYTHON) scripts/runners image $(WHICH) $(CHOSEN)

doctor: ## say what this machine has for Ferry, and what that means
	$(QUIET)$(PYTHON) scripts/runners doctor

test-fast: ## run the tests that need no PyTorch and no TensorFlow, in under a minute
	$(QUIET)$(PYTHON) scripts/runners run venv -m pytest -m fast $(PYTEST)

test: ## run the tests of every stage and runner, in minutes; PYTEST="-k name" picks some
	$(QUIET)$(PYTHON) scripts/runners run venv -m pytest -m "not slow" $(PYTEST)

test-all: test test-slow test-engines ## run the whole: also TF 2.2, operators, the browser, long properties, the engines

test-slow: ## run the part of `test-all` that needs no engine and that `test` leaves out
	$(QUIET)$(PYTHON) scripts/runners run venv -m pytest -m slow --ignore=tests/containers $(PYTEST)

test-engines: ## run the part of `test-all` that needs Docker or Podman
	$(QUIET)$(PYTHON) scripts/runners run venv -m pytest tests/containers $(PYTEST)

.PHONY: zoo
zoo: $(if $(filter zoo,$(MAKECMDGOALS)),$(VERIFIED)) ## carry and verify all of models/zoo/, and write docs/zoo.md
	$(RUN) scripts/zoo_table.py --build $(BUILD) --output docs/zoo.md $(NAMES)

.PHONY: coverage
coverage: ## carry onnx's own tests of its operators, and write docs/coverage.md
	$(QUIET)$(PYTHON) scripts/runners run venv scripts/operator_coverage.py --output docs/coverage.md

.PHONY: coverage-newest
coverage-newest: ## the same for opset 13 and newer, of the tests in NEWEST=FOLDER: docs/newer-opsets.md
	$(QUIET)$(PYTHON) scripts/runners run venv scripts/operator_coverage.py --newest '$(or $(NEWEST),$(error NEWEST=FOLDER says where the tests are))' --output docs/newer-opsets.md

fuzz: ## give FUZZ damaged files to the stages that read them, and see that each ends as it should
	$(QUIET)$(PYTHON) scripts/runners run venv scripts/fuzz.py --count $(FUZZ)

lint: ## check the code's style and types
	$(QUIET)$(PYTHON) scripts/runners lint ruff check .
	$(QUIET)$(PYTHON) scripts/runners lint ruff format --check .
	$(QUIET)$(PYTHON) scripts/runners lint mypy

lock: ## resolve requirements.in into each TensorFlow's lock, and the tools' own .in files into theirs
	$(QUIET)$(PYTHON) scripts/runners lock

clean: ## remove build/
	$(QUIET)rm -rf build

clean-all: clean ## remove the environments too: .venv/, and the images built last
	$(QUIET)$(PYTHON) scripts/runners remove-images
	$(QUIET)rm -rf .venv
