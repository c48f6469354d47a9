#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs every disaster of tests/disasters and prints them as a table: what was done to the system, with what the result was
# compared, and the result. A disaster is a test script; its head comment says so in lines "# Done: ..." and "# Compared: ...",
# and a line "# In: make test" puts it among the tests that always run.
#
#     tests/disasters.sh [NAME...]     all of them, or those of these names
#     REDIS_CLUSTER=3 NOWCAST_SHARDS=8 tests/disasters.sh     the same on a Redis Cluster of three masters, with eight shards
#
# LOST: something was otherwise than it should be. ENDED EARLY: a server that it needs did not start, say.
# Exit status: 0 if all held, else 1. The output of each is in build/disasters/NAME.log.
set -u
cd "$(dirname "$0")/.." || exit 1
logs=build/disasters
mkdir -p "$logs"

field() { # field WORD FILE: the text of a head comment's line, with the lines that go on with it
	awk -v word="# $1: " 'index($0, word) == 1 { text = substr($0, length(word) + 1); on = 1; next }
		on && /^# [a-z]/ { text = text " " substr($0, 3); next } on { exit } END { print text }' "$2"
}

if [ $# -gt 0 ]; then set -- "${@/#/tests/disasters/}"; set -- "${@/%/.sh}"; else set -- tests/disasters/*.sh; fi
count=0 lost=0 skipped=0 began=$SECONDS
for script; do
	name=$(basename "$script" .sh)
	start=$SECONDS
	if "$script" >"$logs/$name.log" 2>&1; then
		result=held
		if why=$(grep -o '^1\.\.0 # SKIP.*' "$logs/$name.log"); then
			result="skipped: ${why#*SKIP }"
			skipped=$((skipped + 1))
		fi
	else
		result=LOST
		grep -q '^not ok' "$logs/$name.log" || ! grep -q '^Bail out!' "$logs/$name.log" || result='ENDED EARLY'
		lost=$((lost + 1))
	fi
	count=$((count + 1))
	printf '%s  %s, %d s\n    done:     %s\n    compared: %s\n' "$name" "$result" $((SECONDS - start)) \
		"$(field Done "$script")" "$(field Compared "$script")" | fold -s -w 110
	case $result in LOST | ENDED*) grep -E '^(not ok|Bail out!)' "$logs/$name.log" | sed 's/^/    /' ;; esac
done
echo
echo "disasters: $((count - lost - skipped)) of $count held, $skipped skipped, $lost lost, $((SECONDS - began)) s"
exit "$((lost != 0))"
