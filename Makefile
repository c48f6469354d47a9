# SPDX-License-Identifier: Apache-2.0
#
# `make help` lists the targets. Variables:
#   V=1                    show the commands
#   DEVELOPER=1            warnings are errors
#   SAN=address,undefined  sanitizers, in a build folder of their own; SAN=thread
#   DESTDIR, PREFIX        of `make install`

CC      ?= cc
CXX     ?= c++
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
B       ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma   := ,

PACKAGES := rdkafka jansson hiredis libcurl openssl zlib libmicrohttpd
DIRS     := base aws pricing ingest estimator store reconcile query alert web cli run demo

# What the compiler and the linker can do against faults of memory. Not in builds with sanitizers, which look closer; the
# compiler's own checks need optimisation. `make check` (rule hardening) looks at the program that was built.
takes     = $(shell $(CC) -Werror $(1) -x c -c -o /dev/null /dev/null 2>/dev/null && echo '$(1)')
ifeq ($(SAN)$(filter -O0,$(CFLAGS)),)
fortify  := $(lastword -D_FORTIFY_SOURCE=2 $(filter -D%,$(call takes,-O2 -D_FORTIFY_SOURCE=3 -include features.h)))
hard     := -fstack-protector-strong -U_FORTIFY_SOURCE $(fortify) $(call takes,-fstack-clash-protection) $(call takes,-fcf-protection)
endif
hard     += -fPIE
hardlink := -pie -Wl,-z,relro,-z,now,-z,noexecstack

warn     := -Wall -Wextra -Wshadow -Wpointer-arith -Wformat=2 -Wwrite-strings -Wundef -Wvla \
            $(if $(DEVELOPER),-Werror)
cwarn    := -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
san      := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
cppflags := -I. -I$(B) -D_GNU_SOURCE $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) $(CPPFLAGS)
ldlibs   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lsimdjson -lxxhash -lstdc++ -lm -lpthread $(LDLIBS)
tsan     := $(if $(filter thread,$(subst $(comma), ,$(SAN))),$(B)/tests/support/tsan_threads.o)

# A make that was not told how many jobs to run takes one a core for the targets that do everything.
many      = $(MAKE) --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2);)

csrc     := $(filter-out store/prelude_constants.c,$(wildcard $(DIRS:%=%/*.c)))
ccsrc    := $(wildcard $(DIRS:%=%/*.cc))
objs     := $(csrc:%.c=$(B)/%.o) $(ccsrc:%.cc=$(B)/%.o)
unit     := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*_test.c))

helpers  := $(patsubst %.c,$(B)/%,$(wildcard tests/*.c tests/bench/*.c))
fuzzers  := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/*.c))
e2e      := $(sort $(wildcard tests/e2e/*.sh) $(shell grep -ls '^\# In: make test' tests/disasters/*.sh))

.PHONY: all unit disasters format clean help demo test test-all test-convergence e2e check lint sanitize fuzz fuzz-short bench bench-decode accuracy approve-decode approve-samples install sample-config helpers price-check bench-price
all: $(B)/nowcast  ## build the program (the default)

$(B)/nowcast: $(B)/nowcast.o $(tsan) $(B)/libnowcast.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(san) $(hardlink) $(LDFLAGS) -o $@ $^ $(ldlibs)

$(B)/libnowcast.a: $(objs)
	$(call say,AR,$@)
	$(Q)rm -f $@; ar qcs $@ $^

$(B)/%.o: %.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D); $(CC) -std=c11 $(CFLAGS) $(warn) $(cwarn) $(san) $(cppflags) $(hard) -MMD -MP -c -o $@ $<

# The chart library of the dashboard, pinned. deploy/install-deps fetches it by npm, once, to where it outlives the tree.
uplot_cache := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/nowcast/uplot-1.6.32
uplot       := $(wildcard $(uplot_cache)/uPlot.iife.min.js)
uplot_css   := $(wildcard $(uplot_cache)/uPlot.min.css)
$(B)/web/vendor/uPlot.js: $(uplot)
	$(Q)mkdir -p $(@D); $(if $(uplot),cp $(uplot) $@,: > $@; \
		echo "make: the dashboard is built without charts: no $(uplot_cache) (deploy/install-deps fetches it)" >&2)
$(B)/web/vendor/uPlot.css: $(uplot_css)
	$(Q)mkdir -p $(@D); $(if $(uplot_css),cp $(uplot_css) $@,: > $@)
$(B)/web/page.o: cppflags += -DUPLOT_DIR='"$(B)/web/vendor"'
$(B)/web/page.o: $(wildcard web/page/*) web/openapi.json $(B)/web/vendor/uPlot.js $(B)/web/vendor/uPlot.css

$(B)/%.o: %.cc Makefile
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D); $(CXX) -std=c++17 -fno-exceptions -fno-rtti $(CFLAGS) $(warn) $(san) $(cppflags) $(hard) -MMD -MP -c -o $@ $<

$(B)/tests/%: tests/%.c $(tsan) $(B)/libnowcast.a
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D); $(CC) -std=c11 $(CFLAGS) $(warn) $(san) $(cppflags) -MMD -MP -MF $@.d -o $@ $< $(tsan) $(B)/libnowcast.a $(ldlibs)

# A fuzz target itself is built without coverage: the edges that are counted are those of the program.
$(B)/tests/fuzz/%: tests/fuzz/%.c $(B)/libnowcast.a
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D); $(CC) -std=c11 $(CFLAGS) $(warn) $(subst fuzzer-no-link$(comma),,$(san)) $(cppflags) -MMD -MP -MF $@.d -c -o $@.o $<
	$(Q)$(CC) $(CFLAGS) $(san) -fsanitize=fuzzer $(LDFLAGS) -o $@ $@.o $(B)/libnowcast.a $(ldlibs)

# --- the two commands: they do all the set-up, then make the real target anew, with what pkg-config says by then -----------

demo:  ## show it working on this machine: installs what is missing, builds, plays an hour of traffic
	@deploy/install-deps
	@$(many) all
	@$(B)/nowcast demo

test:  ## install what is missing, build, and run every test (some minutes)
	@deploy/install-deps --test || { status=$$?; [ $$status = 3 ] && [ "$$CI" != true ] && \
		echo "make test: going on with librdkafka's mock cluster in place of Kafka"; }
	@$(many) test-all

# --- tests -----------------------------------------------------------------------------------------------------------

sanb     := build-address-undefined
fuzzb    := build-fuzz
fuzzunit := $(unit:$(B)/%=$(fuzzb)/%)

# Everything in one run of prove, so that the last lines speak for all of it. The fuzz targets' build has the sanitizers, so the unit
# tests run with it once more.
test-all: all helpers $(unit)
	@$(many) fuzz-build
	@tests/run.sh tests/check.sh $(unit) $(fuzzunit) tests/fuzz.sh $(e2e)

helpers: $(helpers)

unit: $(unit)  ## unit and property tests only (seconds)
	$(Q)tests/run.sh $(unit)

e2e: all helpers  ## end-to-end tests only, on a private Redis and Kafka
	$(Q)tests/run.sh $(e2e)

test-convergence: all helpers  ## the large convergence test: 6 hours, 8 partitions, 3 workers, one killed every few seconds
	$(Q)FULL=1 tests/run.sh tests/disasters/workers_killed.sh

disasters: all helpers $(B)/tests/unit/convergence_test  ## what is done to the system, and that nothing is lost: all of tests/disasters, as a table (under an hour)
	$(Q)tests/disasters.sh

format:  ## wrap the lines of C that `make check` finds too wide (clang-format)
	$(Q)tests/check.sh width | sed -n 's/^# \(.*\.[ch]c*\):\([0-9]*\): .*/\1 \2/p' | sort -k 1,1 -k 2,2nr | \
		while read -r file line; do clang-format -i --lines=$$line:$$line $$file || exit 1; done

check:  ## rules of the source: headers, layers, floats, licence lines, what the documents name; hardening of what was built
	$(Q)B=$(B) tests/check.sh

sanitize:  ## unit tests and a replay under the address and undefined-behaviour sanitizers
	@$(many) SAN=address,undefined all helpers $(unit:$(B)/%=$(sanb)/%)
	$(Q)B=$(sanb) tests/run.sh $(unit:$(B)/%=$(sanb)/%) $(wildcard tests/e2e/replay_world.sh)

# clang takes NULL + 0 for an overflow of a pointer. C23's successor defines it (N3322), and an empty list has no memory here.
.PHONY: fuzz-build
fuzz-build:
	@$(many) B=$(fuzzb) CC=clang CXX=clang++ SAN=fuzzer-no-link,address,undefined \
		CPPFLAGS="$(CPPFLAGS) -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION -fno-sanitize=pointer-overflow" $(fuzzers:$(B)/%=$(fuzzb)/%) $(fuzzunit)

fuzz: fuzz-build $(B)/tests/unit/decode_test  ## fuzz every parser, SECONDS_EACH=60 seconds each or FUZZ_RUNS=10000000 executions; ONLY="conf rules"
	$(Q)SECONDS_EACH=$${SECONDS_EACH:-60} tests/fuzz.sh $(ONLY)

fuzz-short:  ## the same, FUZZ_SECONDS=2 seconds each; needs clang, and says so
	@command -v clang >/dev/null || { echo "fuzz-short: skipped: clang is not installed (deploy/install-deps --test installs it)"; exit 0; }; \
		SECONDS_EACH=$${FUZZ_SECONDS:-2} $(MAKE) --no-print-directory fuzz

.PHONY: fuzz-corpus
fuzz-corpus: fuzz-build $(B)/tests/unit/decode_test  ## keep what fuzzing has found in tests/fuzz/*.corpus, as few inputs as reach the same edges
	$(Q)tests/fuzz.sh --keep $(ONLY)

approve-decode: $(B)/tests/unit/decode_test  ## write what the decoder says into tests/decode: read the difference
	$(Q)$(B)/tests/unit/decode_test --approve tests/decode/*.txt >/dev/null; git diff --stat tests/decode

approve-samples: $(B)/tests/unit/samples_test  ## the same for the samples in ../shared: tests/golden/samples.txt
	$(Q)$(B)/tests/unit/samples_test --approve; git diff --stat tests/golden

accuracy: all $(B)/tests/estimate_play  ## how good the estimate is on worlds whose truth is known, and what falls short (needs ../shared; ten minutes): LONG=1, ONLY="few,billed,signals", SEED=1; SEEDS="2 3 4": the estimator alone, against least squares
	$(Q)python3 tests/accuracy.py --binary $(B)/nowcast --play $(B)/tests/estimate_play --seed $(or $(SEED),1) --only "$(ONLY)" --seeds "$(SEEDS)" $(if $(LONG),--long)

bench-decode: $(B)/tests/bench/decode_bench  ## records/s of the decoder alone
	$(Q)$<

bench: all helpers  ## records/s from Kafka to Redis beside a bare consumer, bytes of Redis a call, memory of the worker; then bench-price and bench-api
	$(Q)tests/bench.sh
	$(Q)if command -v callgrind_annotate >/dev/null; then tests/bench/price.sh; else echo "bench-price: skipped: valgrind is not installed"; fi
	$(Q)tests/bench_api.sh

.PHONY: compare
compare: all $(B)/tests/take_snapshots $(B)/tests/unit/decode_test  ## does this build answer as that of BASE=REV does? every command, the API, the figures in Redis; some minutes
	$(Q)SHARED=$(SHARED) B=$(B) CC="$(CC)" CXX="$(CXX)" tests/compare_builds.sh $(or $(BASE),--self-test)

.PHONY: accuracy-demo
accuracy-demo: $(B)/tests/demo_play  ## how good the estimate of the demo's hour is over 100 starts, without and with a bill (two minutes): STARTS=100
	$(Q)nice $< $(or $(STARTS),100)

.PHONY: alert-accuracy
alert-accuracy: all $(B)/tests/rate_play $(B)/tests/alert_play  ## how fast spikes ring and how often wrongly, on worlds whose jumps are known: ARGS="--worlds 4"
	$(Q)SHARED=$(SHARED) B=$(B) ARGS="$(ARGS)" nice tests/alert_accuracy.sh

bench-price: all helpers  ## instructions of a message's path without and with prices and names (callgrind); fails from 10 % more
	$(Q)tests/bench/price.sh

.PHONY: bench-scale bench-peers
bench-scale: all helpers  ## what a record costs by how many there are and by how many principals make them; docs/scale.svg
	$(Q)tests/bench/scale.sh

.PHONY: bench-hundredth scale-plan
bench-hundredth: all helpers  ## what a record and a settled hour cost at 10,000 calls a second, and how long hours wait (three minutes); docs/scale.md
	$(Q)tests/bench/hundredth.sh

scale-plan:  ## what a million calls a second would need, from those costs: masters, memory, key spread and settling simulated (a minute)
	$(Q)tests/bench/scale_plan.py

.PHONY: bench-sparse bench-folder
bench-sparse: all helpers  ## records/s from Kafka where one record in a hundred is a call of Bedrock, beside a bare consumer
	$(Q)SHARE=100 tests/bench.sh
bench-folder: all helpers  ## bytes/s of a replay of a folder of .json.gz, beside zcat
	$(Q)tests/bench/folder.sh

bench-peers: all helpers  ## records/s of rsyslog and of a Node consumer, which do less, beside nowcast
	$(Q)tests/bench/peers/peers.sh

.PHONY: bench-learn
bench-learn: all helpers  ## instructions of learning and allocation on the way of a message (callgrind); 5,000 callers on 30 models
	$(Q)tests/bench/learn.sh

.PHONY: bench-settle
bench-settle: all  ## what a day of 2,000 callers costs to replay, and to settle again because of one more call (two minutes)
	$(Q)tests/bench/settle.sh

.PHONY: soak
soak: all helpers  ## twelve days of hours in some minutes with alerts and API: resident memory at the end of each day, and whether it still grows
	$(Q)tests/soak.sh

.PHONY: bench-api
bench-api: all  ## what an answer of the API costs at 5,000 principals, beside a plain read of Redis; and 200 viewers
	$(Q)tests/bench_api.sh

.PHONY: forecast-score
forecast-score: all  ## how far off the forecast of the day is at 6, 12 and 18 o'clock, over series in SHARED/nab; WORLD_DAYS=5
	$(Q)tests/forecast_score.sh

.PHONY: picture
picture: all  ## take docs/dashboard.webp, the picture in README.md, of the real page (needs ../shared, Chromium and node)
	$(Q)tests/screenshot.sh

# What a linter says is advice: the analyzer's own faults in foreign headers are not ours. cppcheck cannot read __VA_OPT__ nor
# jansson's loops, and passes over files that have them (the other two do not); NULL is a pointer wherever this builds, and
# what EMBED subtracts is one object.
nocheck := missingIncludeSystem syntaxError unknownMacro varFuncNullUB comparePointers
lint:  ## clang-tidy, cppcheck and gcc -fanalyzer
	cppcheck --quiet --std=c11 --inline-suppr --error-exitcode=1 --enable=warning,portability $(nocheck:%=--suppress=%) -I. $(DIRS) nowcast.c
	clang-tidy --quiet --checks=-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling $(csrc) -- -std=c11 $(cppflags)
	for f in $(csrc); do $(CC) -std=c11 -O1 -fanalyzer $(cppflags) -c -o /dev/null $$f || exit 1; done

# --- the rest --------------------------------------------------------------------------------------------------------

sample-config: all  ## write deploy/nowcast.conf and its manual page out of the option table
	$(B)/nowcast check-config --sample > deploy/nowcast.conf
	$(B)/nowcast check-config --man > deploy/man/nowcast.conf.5

$(B)/run/setup.o: deploy/aws/policy.json

# Written again at each make, and newer only if something has changed.
.PHONY: always
$(B)/version_made.h: always
	$(Q)mkdir -p $(@D); base/make-version.sh > $@.new; if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(B)/nowcast.o: $(B)/version_made.h

# builtin.o holds the price catalogue. SHARED is where the collected price sources lie; only this target needs them.
$(B)/pricing/builtin.o: pricing/builtin.csv

# Lua scripts are embedded behind their prelude: constants out of the C headers, then what all scripts share.
scripted := $(B)/store/store.o $(B)/store/positions.o $(B)/store/billed_means_refresh.o $(B)/store/reprice.o \
	$(B)/reconcile/publish.o $(B)/tests/unit/call_sums_test $(B)/tests/unit/convergence_test
prelude  := $(B)/store/prelude.lua
$(B)/store/prelude_constants: store/prelude_constants.c
	$(Q)mkdir -p $(@D); $(CC) -std=c11 $(warn) $(cppflags) -MMD -MP -MF $@.d -o $@ $<
$(prelude): $(B)/store/prelude_constants store/prelude.lua
	$(call say,LUA,$@)
	$(Q)$< > $@.new && cat store/prelude.lua >> $@.new && mv $@.new $@
$(scripted): cppflags += -DLUA_PRELUDE='"$(prelude)"'
$(scripted): $(prelude) $(wildcard store/*.lua reconcile/*.lua)
$(B)/tests/unit/call_sums_test: tests/lua/call_sums_test.lua
$(B)/tests/unit/convergence_test: tests/lua/recount.lua
bench-reconcile: all helpers  ## ten million rows of a bill reconciled, beside DuckDB alone
	$(Q)tests/bench/recon.sh
.PHONY: bench-reconcile

$(B)/alert/state.o: alert/commit.lua
$(B)/cli/report_html.o: cli/report.html cli/report.css
$(B)/cli/complete.o: $(wildcard deploy/completion/*)
SHARED   ?= ../shared
.PHONY: builtin-prices
builtin-prices:  ## write pricing/builtin.csv out of the collected price sources (for developers; commit the result)
	$(Q)python3 pricing/make-builtin.py $(SHARED)/prices > pricing/builtin.csv.new
	$(Q)mv pricing/builtin.csv.new pricing/builtin.csv

price-check: $(B)/tests/unit/price_sources_test $(B)/tests/unit/pricelist_test $(B)/tests/unit/litellm_test  ## compare all price sources, two by two; what is in SHARED
	$(Q)for t in $^; do $$t >$(B)/price-check.log || { grep -v '^ok' $(B)/price-check.log; exit 1; }; \
		grep -E 'agree|^1\.\.' $(B)/price-check.log; done

install: all  ## install the program, its manual, completion, unit file and sample configuration below DESTDIR
	install -D -m 755 $(B)/nowcast $(DESTDIR)$(PREFIX)/bin/nowcast
	install -D -m 644 deploy/nowcast.service $(DESTDIR)$(PREFIX)/lib/systemd/system/nowcast.service
	sed -i 's|/usr/local/bin|$(PREFIX)/bin|' $(DESTDIR)$(PREFIX)/lib/systemd/system/nowcast.service
	install -D -m 644 deploy/nowcast.conf $(DESTDIR)$(PREFIX)/share/doc/nowcast/nowcast.conf
	install -D -m 644 deploy/man/nowcast.1 $(DESTDIR)$(PREFIX)/share/man/man1/nowcast.1
	install -D -m 644 deploy/man/nowcast.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/nowcast.conf.5
	install -D -m 644 deploy/completion/nowcast.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/nowcast
	install -D -m 644 deploy/completion/_nowcast $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_nowcast
	install -D -m 644 deploy/completion/nowcast.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/nowcast.fish

.PHONY: deb deb-test deb-boot
deb:  ## the Debian package, into build/deb; SUITE=trixie builds it for another Debian than this machine's
	$(Q)deploy/make-deb $(if $(SUITE),--suite $(SUITE))

deb-test:  ## lintian, two builds of the same bytes, installed and purged in fresh roots of Debian 12 and 13 (as root, ten minutes)
	$(Q)tests/run.sh tests/package/deb.sh

deb-boot:  ## the packages in build/deb under systemd, in a booted Debian: installed, started, killed, upgraded, purged (as root, three minutes each)
	$(Q)tests/run.sh tests/package/systemd.sh

.PHONY: image
image:  ## container images of the Debian 12 package in build/deb (as root, with buildah; five minutes), and what is in them
	$(Q)deploy/make-image
	$(Q)tests/run.sh tests/package/image.sh

.PHONY: chart
chart: all  ## the Helm chart, into build/chart, tested with the schemas of Kubernetes (deploy/install-deps --chart)
	$(Q)deploy/install-deps --chart
	$(Q)SCHEMAS=1 tests/run.sh tests/e2e/chart.sh
	$(Q)deploy/make-chart

help:  ## this list
	@sed -nE 's/^([a-z][a-z-]*):[^#]*  ## (.*)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

clean:  ## remove everything that was built
	rm -rf build build-*

-include $(objs:.o=.d) $(B)/nowcast.d $(B)/store/prelude_constants.d $(unit:%=%.d) $(helpers:%=%.d) $(fuzzers:%=%.d)
