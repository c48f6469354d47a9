#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs test programs and scripts under prove, and ends with plain lines: how many passed and failed, and on which broker.
#
#     tests/run.sh FILE...      build/tests/usd_test tests/e2e/cli.sh ...
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

# What takes ten seconds or more comes first, the longest first, so that none of them runs on alone in the end.
long='
	tests/e2e/recon_run.sh
	tests/e2e/page.sh
	tests/fuzz.sh
	build-address-undefined/tests/convergence_test
	tests/e2e/recon_days.sh
	tests/e2e/alert_run.sh
	build/tests/convergence_test
	tests/e2e/demo.sh
	tests/disasters/redis_refuses.sh
'
ordered=()
for f in $long; do [[ " $* " != *" $f "* ]] || ordered+=("$f"); done
for f; do [[ $long == *[[:space:]]"$f"[[:space:]]* ]] || ordered+=("$f"); done

began=$SECONDS
prove --exec '' --timer -j "${JOBS:-$(nproc)}" "${ordered[@]}" 2>&1 | tee "$out"
status=${PIPESTATUS[0]}

files=$#
failed=$(sed -n '/^Test Summary Report/,$p' "$out" | grep -cE '\(Wstat: |^Parse errors')
skipped=$(grep -c '\. skipped: ' "$out")
echo
[ ! -s "$notes" ] || sort -u "$notes" | sed 's/^/Kafka: these tests ran on /'
grep -q . "$notes" || echo "Kafka: no test here needed a broker"
[ "$skipped" = 0 ] || grep '\. skipped: ' "$out" | sed 's/^/skipped: /'
echo "$((SECONDS - began)) s"
echo "files: $((files - failed - skipped)) passed, $failed failed, $skipped skipped"
exit "$((status != 0))"
