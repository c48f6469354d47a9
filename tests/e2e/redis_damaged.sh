#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Values in Redis that no nowcast has written: they are passed over. No command ends by an abort, and what is
# not damaged is reported as before.
. "$(dirname "$0")/../lib.sh"

python3 tests/support/identity.py "$T" || bail "no records"
printf '[rule jump]\nkind = spike\nby = principal\n[receiver none]\nkind = command\ncommand = cat >/dev/null\n' >"$T/alerts.conf"
start_redis
ok "records are replayed" "$nowcast" replay --redis "$REDIS_URL" "$T/calls.ndjson"
report "$T/whole.csv"

passed_over() { # WHAT COMMAND-OF-REDIS...
	local what=$1 command
	shift
	redis "$@" >"$T/redis.out" || bail "redis: $(cat "$T/redis.out")"
	report "$T/damaged.csv"
	same_file "$what: the report is the same" "$T/damaged.csv" "$T/whole.csv"
	for command in "top --turns 1 --now 2026-11-02T06:00:00Z" "reprice --from 2026-11-01 --dry-run" "doctor" \
		"alert check --alerts-file $T/alerts.conf --now 2026-11-02T06:00:00Z" "replay $T/calls.ndjson"; do
		# shellcheck disable=SC2086 # they are words
		"$nowcast" $command --redis "$REDIS_URL" >"$T/out" 2>"$T/err"
		ok "$what: ${command%% *} does not abort" test $? -lt 128
	done
}
for scale in -5 0 99999999999 wide; do passed_over "a scale of bands that is $scale" set nowcast:band $scale; done
redis del nowcast:band >/dev/null
passed_over "an account and Region without a name" sadd nowcast:acct_regions ''
passed_over "one without a Region" sadd nowcast:acct_regions nowhere
usage=$(redis --scan --pattern '*:usage:20*' | sort | head -n 1)
passed_over "more dollars a token than a rate holds" hset "$usage" 'arn:x - input' '10 13291279957849158729038070602803445 0 0 10 0 0 0 0'
passed_over "less than no calls" hset "${usage/:usage:/:usage_meta:}" 'arn:x - calls' '-500 0'
finish
