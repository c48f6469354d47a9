#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Somebody sets the offsets of the group, forward and back, and reads the topics with another group into the same Redis: that
# is done as it was asked for, and is not taken for a loss. What Redis loses afterwards is found all the same.
# Done: offsets of the group are set by hand, forward and back; a fresh group reads the same topics
# Compared: figures with one undisturbed replay of what was to be read
. "$(dirname "$0")/../lib.sh"
topics=raw

for i in $(seq 0 29); do call_record "$i"; done >"$T/all"
reference <(sed '11,20d' "$T/all") "$T/skipped.csv" 2
reference "$T/all" "$T/want.csv" 2

start_redis
start_broker 1
write_config "$T/nowcast.conf"
write_config "$T/fresh.conf" "group = fresh"
sed -i '/^group = test/d' "$T/fresh.conf"
run() { # NAME CONFIG: until all is read
	start "$1" "$nowcast" run --config "$2"
	worker=$pid
	ok "$1: it reads" wait_for 30 caught_up
	sleep 1
	ok "$1: it ends on SIGTERM" stop "$worker"
}
figures() { "$nowcast" replay --redis "$REDIS_URL" - </dev/null >/dev/null 2>&1; report "$T/got.csv"; }

head -n 10 "$T/all" | produce -t raw - >/dev/null
run first "$T/nowcast.conf"
sed -n 11,30p "$T/all" | produce -t raw - >/dev/null
ok "the offset is set forward" kafka_admin set-offset test raw 0 20
run forward "$T/nowcast.conf"
figures
same_file "what was skipped is not read" "$T/got.csv" "$T/skipped.csv"
is "and nobody speaks of a loss" "$(cat "$T"/first.log "$T"/forward.log | grep -c 'Reading again')" 0
ok "the offset is set back" kafka_admin set-offset test raw 0 10
run back "$T/nowcast.conf"
figures
same_file "it is read, and nothing counts twice" "$T/got.csv" "$T/want.csv"
start fresh "$nowcast" run --config "$T/fresh.conf"
worker=$pid
ok "a fresh group reads all of it" wait_for 30 grep -q 'msg=stats.* messages=30' "$T/fresh.log"
ok "it ends on SIGTERM" stop "$worker"
figures
same_file "nothing counts twice" "$T/got.csv" "$T/want.csv"
is "no gap, no loss" "$(cat "$T"/*.log | grep -cE 'Reading again|missing_messages=[1-9]')" 0
redis FLUSHALL >/dev/null
run lost "$T/nowcast.conf"
is "a real loss is found" "$(grep -c 'Reading again' "$T/lost.log")" 1
figures
same_file "and mended" "$T/got.csv" "$T/want.csv"
finish
