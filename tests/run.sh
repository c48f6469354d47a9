#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs test programs and scripts under prove, and ends with plain lines: how many passed and failed, and on which broker.
#
#     tests/run.sh FILE...      build/tests/unit/usd_test tests/e2e/cli.sh ...
#
# Variables: JOBS (how many run at a time; as many as there are cores). A test that must have the machine to itself is a target
# of its own (make bench, soak), and not run here.
#
# Exit status: 0 if all passed (skipped ones count apart), else 1.
set -u
cd "$(dirname "$0")/.." || exit 1
notes=$(mktemp)
out=$(mktemp)
trap 'rm -f "$notes" "$out"' EXIT
export NOWCAST_TEST_NOTES=$notes

for f; do # prove would stop there, and pass what it did not run
	[ -x "$f" ] || { echo "tests/run.sh: $f cannot be run: is it built, and executable?" >&2; exit 1; }
done

# What takes twenty seconds or more comes first, the longest first, so that none of them runs on alone in the end. The first one
# waits for most of its time: beside it the page, which must be quick, has the machine to itself.
long='
	tests/e2e/recon_run.sh
	tests/e2e/page.sh
	tests/fuzz.sh
	build-fuzz/tests/unit/convergence_test
	tests/e2e/recon_days.sh
	tests/e2e/alert_run.sh
	build/tests/unit/convergence_test
	tests/e2e/demo.sh
	tests/disasters/redis_refuses.sh
	tests/disasters/broker_killed.sh
	tests/e2e/aws_look.sh
	tests/disasters/workers_killed.sh
	build-fuzz/tests/unit/window_test
	tests/e2e/dead_letter.sh
'
ordered=()
for f in $long; do
	[[ $f == build* || -e $f ]] || { echo "tests/run.sh: there is no $f any more: take it out of the list" >&2; exit 1; }
	[[ " $* " != *" $f "* ]] || ordered+=("$f")
done
for f; do [[ $long == *[[:space:]]"$f"[[:space:]]* ]] || ordered+=("$f"); done

began=$SECONDS
prove --exec '' --timer --failures --comments -j "${JOBS:-$(nproc)}" "${ordered[@]}" 2>&1 | tee "$out"
status=${PIPESTATUS[0]}

files=$#
failed=$(sed -n '/^Test Summary Report/,$p' "$out" | grep -cE '\(Wstat: |^Parse errors')
ran=$(sed -n 's/^Files=\([0-9]*\),.*/\1/p' "$out")
failed=$((failed + files - ${ran:-0})) # what prove did not come to has not passed
skipped=$(grep -c '\. skipped: ' "$out")
echo
[ ! -s "$notes" ] || sort -u "$notes" | sed 's/^/Kafka: these tests ran on /'
grep -q . "$notes" || echo "Kafka: no test here needed a broker"
[ "$skipped" = 0 ] || grep '\. skipped: ' "$out" | sed 's/^/skipped: /'
echo "$((SECONDS - began)) s"
echo "files: $((files - failed - skipped)) passed, $failed failed, $skipped skipped"
exit "$((status != 0))"
