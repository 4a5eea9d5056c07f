# Ferry: a PyTorch model to TensorFlow Lite, checked at every stage. `make` alone lists what there is.
#
# Here are the verbs and the graph of the files. What a stage is, how it is called and whether a file is stale, the
# runners know: scripts/runners/stages.py has the stages, scripts/runners/variables.py what a user sets.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# make's own rules for C and Fortran cost time and match nothing here.
MAKEFLAGS += --no-builtin-rules
PYTHON ?= python3

# What the user gives is text: it is expanded by nobody, and reaches the programs by the environment alone. Before make
# exports a variable it would expand it, but for this. Those in the environment stay there as they are.
GIVEN := $(foreach variable,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(variable)))),$(variable)))
$(foreach variable,$(GIVEN),$(eval override $(variable) := $$(value $(variable)))$(eval export $(variable)))
MAKEOVERRIDES :=
export FERRY_GIVEN := $(GIVEN)

# The one place where text of the user's is part of a shell's command, and how it is kept from being read as one.
quoted = '$(subst ','\'',$(1))'
RUNNERS := $(call quoted,$(value PYTHON)) scripts/runners
QUIET := $(if $(filter-out 0,$(value VERBOSE)),,@)
# What this make was told by its flags: make -B makes all anew, and make -n runs nothing, this Makefile's own $(shell) included.
FLAGS = $(firstword -$(MAKEFLAGS))
ALWAYS = $(if $(findstring B,$(FLAGS)),--always)
# Until version 4.4 make's $(shell) is not given what make exports.
asked = $(shell env $(foreach variable,$(GIVEN) FERRY_GIVEN,$(call quoted,$(variable)=$(value $(variable)))) $(RUNNERS) $(1))

PLANNED := $(filter onnx tf tflite verify bisect inspect targets matrix bench zoo build/% verify/% bisect/% inspect/% targets/%,$(MAKECMDGOALS))
ifneq ($(PLANNED),)
PLAN := $(call asked,plan $(foreach goal,$(PLANNED),$(call quoted,$(goal))))
ifneq ($(firstword $(PLAN)),plan)
$(error $(or $(wordlist 2,$(words $(PLAN)),$(PLAN)),$(value PYTHON) does not run: make needs Python 3.7 or newer))
endif
endif

planned = $(patsubst $(1)=%,%,$(filter $(1)=%,$(PLAN)))
BUILD := $(call planned,build)
NAMES := $(call planned,export) $(call planned,import)
EXPORTED := $(patsubst %,$(BUILD)/%/model.onnx,$(call planned,export))
IMPORTED := $(patsubst %,$(BUILD)/%/model.onnx,$(call planned,import))
FROZEN := $(NAMES:%=$(BUILD)/%/model.pb)
CONVERTED := $(NAMES:%=$(BUILD)/%/model.tflite)
FLOAT16 := $(NAMES:%=$(BUILD)/%/model.float16.tflite)
DYNAMIC := $(NAMES:%=$(BUILD)/%/model.dynamic.tflite)
INT8 := $(NAMES:%=$(BUILD)/%/model.int8.tflite)
# Those that QUANT asks for, with a % for the model's name.
QUANTIZED := $(foreach quant,$(call planned,quant),$(BUILD)/%/model.$(quant).tflite)
VERIFIED := $(NAMES:%=verify/%)
GIVEN_TFLITE := $(patsubst %,verify/%,$(call planned,given))
BISECTED := $(NAMES:%=bisect/%)
INSPECTED := $(NAMES:%=inspect/%)
JUDGED := $(NAMES:%=targets/%)

# Asked once, and only if a recipe runs: looking for a container engine takes longer than finding nothing to do.
CHOSEN = $(if $(findstring n,$(FLAGS)),RUNNER,$(eval CHOSEN := $(call asked,choose))$(or $(CHOSEN),$(error no runner)))
ZOO := $(if $(filter zoo,$(MAKECMDGOALS)),--zoo)
STAGE = $(QUIET)$(RUNNERS) stage $(ALWAYS) $(ZOO) $(CHOSEN)

# A stage's file is renamed into place, whole. Interrupted right after that, make would delete it, and the old one is gone.
.PRECIOUS: $(EXPORTED) $(IMPORTED) $(FROZEN) $(CONVERTED) $(FLOAT16) $(DYNAMIC) $(INT8)
.PHONY: FORCE help new onnx tf tflite verify $(VERIFIED) $(GIVEN_TFLITE) inspect $(INSPECTED) targets $(JUDGED) bisect $(BISECTED) matrix bench bench-forms shell image \
    doctor test test-fast test-all test-slow test-engines zoo zoo2020 zoo-today coverage coverage-newest detect fuzz lint lock clean clean-all

help: ## print this
	@$(call quoted,$(value PYTHON)) scripts/make_help.py Makefile

new: ## write a model file to start from: models/NAME.py
	$(QUIET)$(call quoted,$(value PYTHON)) scripts/new_model.py

onnx: $(EXPORTED) $(IMPORTED) ## export the model to ONNX: build/MODEL/model.onnx
tf: $(FROZEN) ## convert it to a frozen TensorFlow graph: build/MODEL/model.pb
tflite: $(CONVERTED) $(foreach name,$(NAMES),$(subst %,$(name),$(QUANTIZED))) ## convert it all the way to TensorFlow Lite: build/MODEL/model.tflite; QUANT=int8 adds model.int8.tflite
verify: $(VERIFIED) $(GIVEN_TFLITE) ## compare the outputs of every stage with PyTorch's: build/MODEL/report.json; QUANT= proves that file instead
inspect: $(INSPECTED) ## print what is in model.tflite: inputs, outputs, operators, size, multiply-adds, origin
targets: $(JUDGED) ## say on which runtimes, delegates and chips model.tflite runs, and what holds it back, by docs/targets/
bisect: $(BISECTED) ## find the first tensor at which a stage's model differs from the one it was built from

# Times do not matter, so that one file waits for another and no more. Those that are stale by their digests are made.
$(call planned,stale): FORCE

$(EXPORTED): $(BUILD)/%/model.onnx:
	$(STAGE) export_onnx '$*'

$(IMPORTED): $(BUILD)/%/model.onnx:
	$(STAGE) import_onnx '$*'

$(FROZEN): $(BUILD)/%/model.pb: | $(BUILD)/%/model.onnx
	$(STAGE) onnx_to_tf '$*'

$(CONVERTED): $(BUILD)/%/model.tflite: | $(BUILD)/%/model.pb
	$(STAGE) tf_to_tflite '$*'

$(FLOAT16): $(BUILD)/%/model.float16.tflite: | $(BUILD)/%/model.tflite
	$(STAGE) quantize_float16 '$*'

$(DYNAMIC): $(BUILD)/%/model.dynamic.tflite: | $(BUILD)/%/model.tflite
	$(STAGE) quantize_dynamic '$*'

$(INT8): $(BUILD)/%/model.int8.tflite: | $(BUILD)/%/model.tflite
	$(STAGE) quantize_int8 '$*'

# In the zoo one that fails is a row of the table, and the table's program fails.
$(VERIFIED): verify/%: | $(BUILD)/%/model.tflite $(QUANTIZED)
	$(if $(ZOO),-)$(STAGE) $(call planned,verifier) '$*'

$(INSPECTED): inspect/%: | $(BUILD)/%/model.tflite $(QUANTIZED)
	$(STAGE) inspect_tflite '$*'

$(JUDGED): targets/%: | $(BUILD)/%/model.tflite $(QUANTIZED)
	$(STAGE) targets '$*'

# A file that another converter made: nothing is converted.
$(GIVEN_TFLITE): verify/%:
	$(STAGE) verify_given '$*'

$(BISECTED): bisect/%: | $(BUILD)/%/model.tflite
	$(STAGE) bisect_model '$*'

matrix: ## convert and verify MODEL with each TORCH and TF in each RUNNER that there is, and print one table
	$(QUIET)$(RUNNERS) matrix

bench-forms: ## time the forms that TFLite can be given of grouped convolution and other layers
	$(QUIET)$(RUNNERS) bench-forms

bench: ## measure speed against Keras's own networks and the article's path: build/bench.json, build/bench.svg
	$(QUIET)$(RUNNERS) bench $(CHOSEN)

shell: ## open a shell in the environment that the stages run in
	$(QUIET)$(RUNNERS) shell $(CHOSEN)

image: ## build the image that RUNNER=docker or RUNNER=podman runs the stages in, and print its name
	$(QUIET)$(RUNNERS) image $(CHOSEN)

doctor: ## say what this machine has for Ferry, and what that means
	$(QUIET)$(RUNNERS) doctor

test-fast: ## run the tests that need no PyTorch and no TensorFlow, in under a minute
	$(QUIET)$(RUNNERS) test --marks=fast

test: ## run the tests of every stage and runner, in minutes; PYTEST="-k name" picks some
	$(QUIET)$(RUNNERS) test --side-by-side --marks='not slow'

test-all: test test-slow test-engines ## run the whole: also TF 2.2, operators, the browser, long properties, the engines

test-slow: ## run the part of `test-all` that needs no engine and that `test` leaves out
	$(QUIET)$(RUNNERS) test --marks=slow --without=tests/containers

test-engines: ## run the part of `test-all` that needs Docker or Podman
	$(QUIET)$(RUNNERS) test tests/containers

zoo: $(if $(ZOO),$(VERIFIED)) ## convert and verify all of models/zoo/, and write docs/zoo.md
	$(STAGE) zoo_table $(NAMES)

zoo-today: ## convert and verify networks of today's PyTorch in models/zoo_today/, and write docs/zoo-today.md
	$(QUIET)$(RUNNERS) zoo-today

zoo2020: ## convert and verify the models of packages in models/zoo2020/, and write docs/zoo2020.md
	$(QUIET)$(RUNNERS) zoo2020 $(CHOSEN)

coverage: ## convert onnx's own tests of its operators, and write docs/coverage.md
	$(QUIET)$(RUNNERS) run venv scripts/operator_coverage.py --output docs/coverage.md

coverage-newest: ## the same for opset 13 and newer, of the tests in NEWEST=FOLDER: docs/newer-opsets.md
	$(QUIET)$(RUNNERS) coverage-newest

detect: ## plant faults in converted networks, see that verification finds them, and write docs/detection.md
	$(QUIET)$(RUNNERS) run venv scripts/detect.py --output docs/detection.md

fuzz: ## give FUZZ damaged files to the stages that read them, and see that each ends as it should
	$(QUIET)$(RUNNERS) fuzz

lint: ## check the code's style and types
	$(QUIET)$(RUNNERS) lint ruff check .
	$(QUIET)$(RUNNERS) lint ruff format --check .
	$(QUIET)$(RUNNERS) lint mypy

lock: ## resolve requirements.in into each TensorFlow's lock, and the tools' own .in files into theirs
	$(QUIET)$(RUNNERS) lock

clean: ## remove build/
	$(QUIET)rm -rf build

clean-all: clean ## remove the environments too: .venv/, and the images built last
	$(QUIET)$(RUNNERS) remove-images
	$(QUIET)rm -rf .venv
