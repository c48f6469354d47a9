#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A snapshot of Redis comes back two days later: the hours of what it lacks have closed since, and what is read again counts
# all the same, for it was in time when it was read first.
# Done: two days pass, then Redis comes back as it was when half of the records were read
# Compared: figures with one undisturbed replay
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.05
use_clock 2026-11-02T01:05:00Z
reference "$world/stream.ndjson" "$T/want.csv"
split -n l/2 "$world/stream.ndjson" "$T/part."

start_redis
start_broker 2
write_config "$T/nowcast.conf"
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "the first half is produced" produce -p 2 "$T/part.aa"
ok "and read" wait_for 60 caught_up
ok "there is a snapshot" take_snapshot old
ok "the second half is produced" produce -p 2 "$T/part.ab"
ok "and read" wait_for 60 caught_up
set_clock 2026-11-04T03:00:00Z
sleep 2
kill_redis
restart_redis_from old
ok "the worker goes back" wait_for 30 grep -q 'Reading again' "$T/worker.log"
kill -KILL "$worker" # in the middle of it, or not: the next one knows what is read again
wait_for 10 gone "$worker"
start next "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "the next one reads to the end" wait_for 60 caught_up
ok "it ends on SIGTERM" stop "$worker"
is "nothing was late" "$(redis --scan --pattern '*:late')" ""
settled_report "$T/got.csv"
same_file "nothing was lost, nothing counted twice" "$T/got.csv" "$T/want.csv"
finish
