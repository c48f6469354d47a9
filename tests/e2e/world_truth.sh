#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Worlds of every kind in which every call's tokens are known: dollars by team and hour are the true ones to the microdollar, but
# for the TTL of cache writes, which nobody tells and which is stated. Jumps in use, records told many times over, tokens told
# twice, private prices, another seed, another season: none of it makes a difference.
. "$(dirname "$0")/../lib.sh"

# Of each caller with 1-hour writes: explain says of how many writes no record names the TTL, and those are all of them.
states_the_ttl() { # ARGUMENT... of explain
	local hour principal tokens
	while IFS=, read -r hour principal tokens; do
		is "  of $principal at $hour it is stated" "$("$nowcast" explain --redis "$REDIS_URL" "$@" "$principal" "$hour" | sed -n "s/ *\([0-9]*\) of them have a TTL that no record names: .*/\1/p" | awk '{ n += $1 } END { print n + 0 }')" "$tokens"
	done < <(python3 - "$world/truth.csv" <<'END'
import collections, csv, sys
sums = collections.Counter()
for row in csv.DictReader(open(sys.argv[1])):
    if row["token_type"] == "cache_write_1h":
        sums[row["hour"], row["principal"]] += int(row["tokens"])
for (hour, principal), tokens in sorted(sums.items()):
    print(hour, principal, tokens, sep=",")
END
	)
}

world_is_true() { # NAME ARGUMENT...
	local name=$1
	shift
	make_world --hours 2 --scale 0.02 --log-share 1.0 "$@"
	start_redis
	"$nowcast" replay --prices builtin --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null
	"$nowcast" report --redis "$REDIS_URL" --by hour,team,token_type --format csv >"$T/report.csv"
	ok "$name: to the microdollar" python3 tests/price_truth.py "$world/truth.csv" "$T/report.csv"
	diag "$(tail -n 1 "$T/ok.out")"
	states_the_ttl
	kill_redis
}

world_is_true "invocation logs of every call"
world_is_true "and tokens in CloudTrail, everything told three times in ten again" --tokens-in-cloudtrail all --duplicates 0.3
world_is_true "and tokens in some records" --tokens-in-cloudtrail some
world_is_true "jumps of two callers" --spike bob:30:20:10 --spike crawler:70:15:8
world_is_true "private prices on the bill: the list is the list" --discount 0.25
world_is_true "another seed" --seed 7
world_is_true "over midnight and the end of a month" --start 2026-10-31T23:00:00Z --seed 3

# The same with sessions counted together, and with their names hashed: a team's dollars are a team's.
make_world --hours 2 --scale 0.02 --log-share 1.0
start_redis
printf 'a key of thirty-two bytes or more, no less\n' >"$T/key"
"$nowcast" replay --prices builtin --redis "$REDIS_URL" --sessions-max 3 --names-hash sessions,users --names-hash-key "$T/key" "$world/stream.ndjson" >/dev/null
"$nowcast" report --redis "$REDIS_URL" --by hour,team,token_type --format csv >"$T/report.csv"
ok "sessions folded and hashed: to the microdollar" python3 tests/price_truth.py "$world/truth.csv" "$T/report.csv"
"$nowcast" report --redis "$REDIS_URL" --by principal --format csv >"$T/who.csv"
has "with the rest of a role as one" "$(cat "$T/who.csv")" 'llm-gateway/\(other sessions\),'
states_the_ttl --names-hash sessions,users --names-hash-key "$T/key"
finish
