#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes each decoder for a short while (SECONDS_EACH, 10), from the seeds in tests/fuzz/NAME.corpus/ if there are any. What it finds
# is left in build-fuzz/ for a debugger. The seed of each run is printed, so that it can be run again.
. "$(dirname "$0")/lib.sh"

for source in tests/fuzz/*.c; do
	name=$(basename "$source" .c)
	fuzzer=build-fuzz/tests/fuzz/$name
	[ -x "$fuzzer" ] || { ok "$fuzzer is built" false; continue; }
	seed=$((RANDOM * 32768 + RANDOM + 1))
	mkdir -p "build-fuzz/$name.grown"
	corpus=("build-fuzz/$name.grown")
	[ ! -d "tests/fuzz/$name.corpus" ] || corpus+=("tests/fuzz/$name.corpus")
	[ ! -f "tests/fuzz/$name.dict" ] || corpus=("-dict=tests/fuzz/$name.dict" "${corpus[@]}")
	# The inputs of the decoders' tables are the first corpus of their fuzzers.
	case $name in decode_fuzz | otel_fuzz | inflate_fuzz | base64_fuzz)
		[ ! -x "$B/tests/decode_test" ] || "$B/tests/decode_test" --write "build-fuzz/$name.grown" tests/decode/*.txt >/dev/null ;;
	esac
	ok "$name finds nothing in ${SECONDS_EACH:-10} s (seed $seed)" "$fuzzer" -max_total_time="${SECONDS_EACH:-10}" -seed=$seed -timeout=10 \
		-rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="build-fuzz/$name." "${corpus[@]}"
	sed -n 's/^stat::number_of_executed_units: */# runs: /p' "$T/ok.out"
done
finish
