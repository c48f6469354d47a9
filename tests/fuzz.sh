#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes every parser of outside text: tests/fuzz/NAME_fuzz.c, each from the inputs in tests/fuzz/NAME_fuzz.corpus/ and from what
# it has found so far (build-fuzz/NAME_fuzz.grown/). What fails is left in build-fuzz/ for a debugger. Prints a table in the end.
#
#     tests/fuzz.sh [NAME...]          SECONDS_EACH=60 for a time, or FUZZ_RUNS=10000000 for a number of executions, from a new
#                                      seed each time; with neither, as in `make test`, 20,000 executions from the same seed
#     tests/fuzz.sh --keep [NAME...]   puts as few inputs as reach the same edges into tests/fuzz/NAME_fuzz.corpus/: none above 1 KB
#
# A target says at its head how long its inputs are at most ("Longest input: N bytes"): short ones run often.
. "$(dirname "$0")/lib.sh"

keep=
[ "${1:-}" != --keep ] || { keep=1; shift; }
same=() same_seed=
if [ -n "${FUZZ_RUNS:-}" ]; then
	limit=(-runs="$FUZZ_RUNS") how="$FUZZ_RUNS executions"
elif [ -n "${SECONDS_EACH:-}" ]; then
	limit=(-max_total_time="$SECONDS_EACH") how="$SECONDS_EACH s"
else
	limit=(-runs=20000 -reload=0) how="20000 executions" same_seed=1
	! setarch -R true 2>"$T/setarch" || same=(setarch -R) # libFuzzer chooses by addresses, too
fi
[ $# -gt 0 ] || set -- $(cd tests/fuzz && ls ./*_fuzz.c | sed 's|^\./||; s|_fuzz\.c$||')
table=$T/table sha1=$(printf '[0-9a-f]%.0s' {1..40}) kept_blocks=2
printf '%s\n' "target executions executions/s edges corpus bytes" >"$table"

# The inputs of the decoders' tables belong to the corpora of their fuzzers.
reads_tables() { case $1 in decode | otel | inflate | base64) return 0 ;; *) return 1 ;; esac; }
if [ -x "$B/tests/unit/decode_test" ]; then
	mkdir -p "$T/tables"
	"$B/tests/unit/decode_test" --write "$T/tables" tests/decode/*.txt >/dev/null
fi

row() { # NAME LOG
	local name=$1
	# "#123 DONE cov: 2814 ft: 9564 corp: 1829/1916Kb ..."
	sed -n 's/^stat::number_of_executed_units: */runs /p; s/^stat::average_exec_per_sec: */rate /p
		s|.*cov: \([0-9]*\) .*corp: \([0-9]*\)/\([0-9]*[KM]*\)b.*|cov \1 \2 \3|p' "$2" |
		awk -v name="$name" '$1 == "runs" { runs = $2 } $1 == "rate" { rate = $2 } $1 == "cov" { cov = $2; n = $3; size = $4 }
			END { print name, runs + 0, rate + 0, cov + 0, n + 0, size == "" ? 0 : size }' >>"$table"
}

for name; do
	source=tests/fuzz/${name}_fuzz.c fuzzer=build-fuzz/tests/fuzz/${name}_fuzz
	grown=build-fuzz/${name}_fuzz.grown kept=tests/fuzz/${name}_fuzz.corpus
	[ -x "$fuzzer" ] || { ok "$fuzzer is built" false; continue; }
	longest=$(sed -n 's,^// .*Longest input: \([0-9]*\) bytes.*,\1,p' "$source" | head -n 1)
	options=(-max_len="${longest:-2048}" -timeout=10 -rss_limit_mb=1024 -artifact_prefix="build-fuzz/$name.")
	[ ! -f "tests/fuzz/${name}_fuzz.dict" ] || options+=("-dict=tests/fuzz/${name}_fuzz.dict")
	[ -z "$same_seed" ] || grown=$T/$name.grown # what was found before would change what is tried
	mkdir -p "$grown"
	corpora=()
	[ ! -d "$kept" ] || corpora+=("$kept")
	if reads_tables "$name" && [ -d "$T/tables" ]; then corpora+=("$T/tables"); fi
	if [ -n "$keep" ]; then # what somebody named stays; what libFuzzer named by its SHA-1 is chosen again
		mkdir -p "$kept" "$T/$name"
		! reads_tables "$name" || cp -r "$T/tables/." "$T/$name"
		find "$kept" -type f ! -name "$sha1" -exec cp {} "$T/$name" \;
		ok "$name: its inputs are merged" "$fuzzer" -set_cover_merge=1 -use_counters=0 "${options[@]}" "$T/$name" "$kept" "$grown"
		find "$kept" -type f -name "$sha1" -delete
		find "$T/$name" -type f -name "$sha1" -size -$((kept_blocks + 1)) -exec cp {} "$kept" \;
		continue
	fi
	seed=${same_seed:-$((RANDOM * 32768 + RANDOM + 1))}
	ok "$name finds nothing in $how (seed $seed)" "${same[@]}" "$fuzzer" "${limit[@]}" -seed=$seed -print_final_stats=1 "${options[@]}" "$grown" \
		"${corpora[@]}"
	row "$name" "$T/ok.out"
done
[ -n "$keep" ] || column -t "$table" | sed 's/^/# /'
finish
