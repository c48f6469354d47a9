#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Redis comes back older than the offsets that are committed in Kafka: an old snapshot, an empty Redis while a worker is
# idle, a flush while none runs. The worker sees it and reads again from where Redis is.
# Done: Redis loses what is committed, in four ways
# Compared: figures with one undisturbed replay
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.05
reference "$world/stream.ndjson" "$T/want.csv"
split -n l/3 "$world/stream.ndjson" "$T/part."

start_redis durable
start_broker 3
write_config "$T/nowcast.conf"
start_worker() {
	start worker "$nowcast" run --config "$T/nowcast.conf"
	worker=$pid
}
offers() { ok "$1 is produced" produce -p 3 "$T/part.$2"; }
reads() { ok "$1" wait_for 60 caught_up; sleep 0.5; }
same() { # NAME: what it comes to, once it is settled
	report "$T/got.csv"
	if cmp -s "$T/got.csv" "$T/want.csv"; then result 0 "$1"; else settled_report "$T/got.csv"; same_file "$1" "$T/got.csv" "$T/want.csv"; fi
}
reads_again() { [ "$(grep -c 'Reading again' "$T/worker.log")" -gt "$1" ]; }
goes_back() { # NAME COUNT-BEFORE
	ok "$1: it says so" wait_for 30 reads_again "$2"
	ok "$1: it reads to the end again" wait_for 60 caught_up
	sleep 2
}
count() { grep -c 'Reading again' "$T/worker.log"; }

# An old snapshot: Redis as it was after the first part comes back after the second.
offers "the first part" aa
start_worker
reads "the worker reads it"
redis BGREWRITEAOF >/dev/null
ok "there is a snapshot" take_snapshot old
offers "the second part" ab
offers "the third part" ac
reads "the worker reads them"
before=$(count)
kill_redis
restart_redis_from old
ok "the old snapshot is loaded" test "$(redis --scan | wc -l)" -gt 3
goes_back "an old snapshot under a running worker" "$before"
same "an old snapshot: nothing was lost"

before=$(count)
redis FLUSHALL >/dev/null
goes_back "an empty Redis under an idle worker" "$before"
same "an empty Redis: nothing was lost"

ok "the worker ends on SIGTERM" stop "$worker"
redis FLUSHALL >/dev/null
before=$(count)
start_worker
goes_back "a flush while no worker ran" "$before"
same "a flush: nothing was lost"

# The same snapshot while no worker runs.
ok "the worker ends on SIGTERM" stop "$worker"
kill_redis
restart_redis_from old
has "doctor says so before a worker runs" "$("$nowcast" doctor --config "$T/nowcast.conf")" '^warn +kafka +topic cloudtrail: Redis has lost [0-9]+ messages that group '
before=$(count)
start_worker
goes_back "an old snapshot while no worker ran" "$before"
is "and no longer when it has read them" "$("$nowcast" doctor --config "$T/nowcast.conf" | grep -c 'Redis has lost')" 0
has "but that what was brought by hand is gone" "$("$nowcast" doctor --config "$T/nowcast.conf")" '^warn +lost +at 20.* Redis had lost what was written to it after 20[0-9]'
same "an old snapshot: nothing was lost"
ok "the worker ends on SIGTERM" stop "$worker"
finish
