# SPDX-License-Identifier: Apache-2.0
# make help lists the targets. Variables: V=1 shows commands; SAN=address,undefined; DEVELOPER=1 makes warnings errors.

CC      ?= cc
CXX     ?= c++
CFLAGS  ?= -O2 -g
B       ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma   := ,

PACKAGES := rdkafka jansson hiredis libcurl openssl zlib
DIRS     := base ingest pricing estimator reconcile serve run

warn     := -Wall -Wextra -Wshadow -Wpointer-arith -Wformat=2 -Wwrite-strings -Wundef -Wvla \
            $(if $(DEVELOPER),-Werror)
cwarn    := -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
san      := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
cppflags := -I. -I$(B) -D_GNU_SOURCE $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) $(CPPFLAGS)
ldlibs   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lsimdjson -lxxhash -lstdc++ -lm -lpthread $(LDLIBS)

Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2);)

csrc     := $(filter-out %_test.c,$(wildcard $(DIRS:%=%/*.c)))
ccsrc    := $(wildcard $(DIRS:%=%/*.cc))
objs     := $(csrc:%.c=$(B)/%.o) $(ccsrc:%.cc=$(B)/%.o)
unit     := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/*_test.c))

.PHONY: all unit clean
all: $(B)/nowcast

$(B)/nowcast: $(B)/nowcast.o $(B)/libnowcast.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(san) $(LDFLAGS) -o $@ $^ $(ldlibs)

$(B)/libnowcast.a: $(objs)
	$(call say,AR,$@)
	$(Q)rm -f $@; ar rcs $@ $^

$(B)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D); $(CC) -std=c11 $(CFLAGS) $(warn) $(cwarn) $(san) $(cppflags) -MMD -MP -c -o $@ $<

$(B)/%.o: %.cc
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D); $(CXX) -std=c++17 -fno-exceptions -fno-rtti $(CFLAGS) $(warn) $(san) $(cppflags) -MMD -MP -c -o $@ $<

$(B)/tests/%: tests/%.c $(B)/libnowcast.a
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D); $(CC) -std=c11 $(CFLAGS) $(warn) $(san) $(cppflags) -MMD -MP -MF $@.d -o $@ $< $(B)/libnowcast.a $(ldlibs)

unit: $(unit)
	$(Q)prove $(unit)

# Files that are assembled into objects.
$(B)/estimator/store.o: $(wildcard estimator/*.lua)

# The price catalogue is assembled into builtin.o; SHARED is where the collected price sources lie.
SHARED   ?= ../shared
$(B)/pricing/builtin.o: pricing/builtin.csv
.PHONY: builtin-prices
builtin-prices:
	$(Q)python3 pricing/make-builtin.py $(SHARED)/prices/prices_in_force.csv $(SHARED)/prices/litellm_bedrock_2026-08-01.json > pricing/builtin.csv.new
	$(Q)mv pricing/builtin.csv.new pricing/builtin.csv

clean:
	rm -rf build build-*

-include $(objs:.o=.d) $(B)/nowcast.d $(unit:%=%.d)
