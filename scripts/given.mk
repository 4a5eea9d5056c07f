# What the user gave, looked at before anything runs: a bad argument is an error even where every file is up to date.

THERE := models/ holds $(patsubst models/%.py,%,$(wildcard models/*.py))
ifeq ($(strip $(SOURCES)),)
$(error MODEL is empty; $(THERE))
endif
ifneq ($(ONNX),)
ifneq ($(filter command environment,$(firstword $(origin MODEL))),)
$(error both MODEL and ONNX are given, and each names the model)
endif
ifneq ($(filter-out %.onnx,$(ONNX)),)
$(error ONNX '$(ONNX)' is not the name of an .onnx file)
endif
endif

# What make, or the shell that it calls, reads as its own.
HASH := \#
$(foreach letter,% : ; = | ' " \ ` $$ $(HASH),$(if $(findstring $(letter),$(SOURCES) $(WEIGHTS)),\
    $(error a file that make is given cannot have $(letter) in its name)))
$(if $(findstring ',$(INPUT_SHAPE)),$(error INPUT_SHAPE is numbers with commas between them, as in 1,3,224,224))

$(foreach source,$(SOURCES),$(if $(filter $(source),$(wildcard $(source))),,$(error there is no model file $(source); $(THERE)$(if \
    $(word 2,$(SOURCES)),; a path with a space in it is read as two))))
$(foreach name,$(NAMES),$(if $(word 2,$(filter $(name),$(NAMES))),$(error two of the models are named $(name): $(filter \
    %/$(name).py %/$(name).pt %/$(name).onnx $(name).py $(name).pt $(name).onnx,$(SOURCES)); each file's name must be its own)))
$(foreach name,$(filter article bench matrix nhwc tf2.2,$(NAMES)),$(error build/$(name)/ is taken by GRAPH=article, LAYOUT=nhwc or TF=2.2, \
    or by make bench or matrix: give $(SOURCE/$(name)) another name))

ifneq ($(strip $(WEIGHTS)),)
ifneq ($(words $(WEIGHTS)),1)
$(error WEIGHTS '$(WEIGHTS)' is not the name of one file)
endif
ifeq ($(wildcard $(WEIGHTS)),)
$(error there is no WEIGHTS file $(WEIGHTS))
endif
ifneq ($(words $(SOURCES)) $(filter-out %.py,$(SOURCES)),1 )
$(error WEIGHTS are for one model, a .py file; MODEL is $(SOURCES))
endif
endif
ifneq ($(strip $(INPUT_SHAPE)),)
ifneq ($(words $(SOURCES)) $(filter %.py,$(SOURCES)),1 )
$(error INPUT_SHAPE is for one model, a .pt or .onnx file; a .py file has get_example_input())
endif
endif

# What a stage has read, and from what it made its file. Where that is something else than is asked for now, it is stale.
-include $(addsuffix .d,$(EXPORTED) $(IMPORTED))
differ = $(subst x$(1),,x$(2))$(subst x$(2),,x$(1))
STALE := $(foreach name,$(NAMES),$(if $(call differ,$(strip $(call made_of,$(name))),$(strip $(MADE_OF/$(name)))),$(name)))
$(STALE:%=$(BUILD)/%/model.onnx): FORCE
$(foreach name,$(NAMES),$(eval $(BUILD)/$(name)/model.onnx: $(SOURCE/$(name))))
