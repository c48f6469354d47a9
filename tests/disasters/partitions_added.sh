#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: the topics get more partitions while two workers read them, and records go into these at once
# Compared: the figures, with an undisturbed replay of the file, byte for byte
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"
half=$(($(wc -l <"$world/stream.ndjson") / 2))
head -n $half "$world/stream.ndjson" >"$T/first.ndjson"
tail -n +$((half + 1)) "$world/stream.ndjson" >"$T/second.ndjson"

start_redis
start_broker 2
require "partitions are added to a real Kafka only" test "$broker_kind" = kafka
write_config "$T/nowcast.conf"
for i in 0 1; do start "worker$i" "$nowcast" run --config "$T/nowcast.conf"; workers[i]=$pid; done
produce -p 2 -r 500 "$T/first.ndjson" >"$T/produced" 2>&1
ok "the second half goes into six partitions" produce -p 6 -a -r 1000 "$T/second.ndjson"
ok "the group reads to the end" wait_for 120 caught_up
for i in 0 1; do ok "worker $i ends on SIGTERM" stop "${workers[i]}"; done
settled_report "$T/got.csv"
same_file "nothing was lost, nothing counted twice" "$T/got.csv" "$T/want.csv"
finish
