#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Redis hangs: it takes connections and does not answer (SIGSTOP). /readyz says so within five seconds, a worker ends on
# SIGTERM within twenty, and one that is left alone goes on when Redis does.
# Done: Redis hangs (SIGSTOP) under a worker and its dashboard, twice
# Compared: figures with one undisturbed replay
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.05
reference "$world/stream.ndjson" "$T/want.csv"
split -n l/2 "$world/stream.ndjson" "$T/part."

start_redis durable
start_broker 2
free_port
listen=$port
write_config "$T/nowcast.conf" "listen = 127.0.0.1:$listen"
start_worker() {
	start worker "$nowcast" run --config "$T/nowcast.conf"
	worker=$pid
	ok "the daemon is ready" wait_for 20 ready
}
ready() { curl -sf -m 2 "http://127.0.0.1:$listen/readyz"; }
not_ready() { [ "$(curl -s -m 2 -o "$T/ready" -w '%{http_code}' "http://127.0.0.1:$listen/readyz")" = 503 ]; }

start_worker
ok "the first part is produced" produce -p 2 "$T/part.aa"
ok "and read" wait_for 60 caught_up
node=$(node_of 'nowcast:{111122223333/us-east-1}') # which has most of the world: of a cluster, it alone hangs first
hang_redis "$node"
ok "/readyz says 503 within five seconds" wait_for 5 not_ready
ok "the second part is produced" produce -p 2 "$T/part.ab"
sleep 6
resume_redis "$node"
ok "/readyz says 200 when Redis goes on" wait_for 5 ready
ok "the worker reads to the end" wait_for 90 caught_up
hang_redis
sleep 1
began=$SECONDS
kill -TERM "$worker"
ok "it ends on SIGTERM while Redis hangs" wait_for 20 gone "$worker"
ok "within twenty seconds" test $((SECONDS - began)) -le 20
began=$SECONDS
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
sleep 2
kill -TERM "$worker"
ok "one that has just started ends on SIGTERM, too" wait_for 20 gone "$worker"
fails 1 "doctor says in time that Redis does not answer" timeout 20 "$nowcast" doctor --config "$T/nowcast.conf"
has "doctor says which" "$(cat "$T/out" "$T/err")" "FAIL +redis .*$redis_port.*timed out"
resume_redis
start_worker
ok "the next worker reads what is left" wait_for 60 caught_up
ok "it ends on SIGTERM" stop "$worker"
settled_report "$T/got.csv"
same_file "nothing was lost, nothing counted twice" "$T/got.csv" "$T/want.csv"
finish
