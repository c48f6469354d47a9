#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Redis Cluster: of one node, which refuses all work on keys that others might keep apart, of one master with a replica, and of three
# masters. Stream, bill and alerts come to what they come to elsewhere. REDIS_CLUSTER=1 runs any other test on the first.
# tests/disasters/redis_cluster.sh kills masters.
. "$(dirname "$0")/../lib.sh"

require "no libduckdb.so: run deploy/install-deps --duckdb" "$top/$B/tests/duck_sql" "SELECT 1"
make_world --hours 2 --scale 0.05
python3 tests/support/cur.py "$world/cur2" "$T/cur" until 2026-11-02T01:00:00Z >/dev/null

all_ways() { # NAME: of the server that was started last, into $T/NAME.*
	ok "$1: replay" "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson"
	report "$T/$1.estimate"
	ok "$1: reconcile" "$nowcast" reconcile --redis "$REDIS_URL" "$T/cur"
	report "$T/$1.billed"
	ok "$1: alerts" "$nowcast" alert check --redis "$REDIS_URL" --now 2026-11-02T01:59:00Z
	"$nowcast" alert list --redis "$REDIS_URL" | sed 's/^[0-9a-f]* //' >"$T/$1.alerts"
	ok "$1: prices anew" "$nowcast" reprice --redis "$REDIS_URL" --from 2026-11-02
	is "$1: doctor finds nothing that does not work" "$("$nowcast" doctor --redis "$REDIS_URL" | grep -c "^FAIL")" 0
}

start_redis
all_ways plain
ok "plain: the stream again" "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson"
report "$T/plain.again"

# Three masters: figures, bill and alerts are the same, while a slot with figures is on its way from one to another.
start_redis_cluster
all_ways masters
for what in estimate billed alerts; do same_file "the same $what on three masters" "$T/masters.$what" "$T/plain.$what"; done
is "nothing was refused" "$(on_all_nodes info errorstats | grep errorstat_)" ""
is "each has keys" "$(on_all_nodes info keyspace | grep -c keys=)" 3
is "doctor looks at each" "$("$nowcast" doctor --redis "$REDIS_URL" | grep -c '^ok *redis *\(Redis\|Valkey\)')" 3

# One account and Region over three shards, that is over several masters: the same again.
sharded() { "$nowcast" "$@" --redis "$REDIS_URL" --redis-prefix sharded --shards '2, 111122223333/us-east-1=3'; }
ok "shards: replay" sharded replay "$world/stream.ndjson"
report "$T/sharded.estimate" --redis-prefix sharded
same_file "the same estimate over shards" "$T/sharded.estimate" "$T/masters.estimate"
ok "shards: reconcile" sharded reconcile "$T/cur"
report "$T/sharded.billed" --redis-prefix sharded
same_file "the same bill" "$T/sharded.billed" "$T/masters.billed"
ok "shards: alerts" sharded alert check --now 2026-11-02T01:59:00Z
"$nowcast" alert list --redis "$REDIS_URL" --redis-prefix sharded | sed 's/^[0-9a-f]* //' >"$T/sharded.alerts"
same_file "the same alerts over shards" "$T/sharded.alerts" "$T/masters.alerts"
has "calls are in each" "$(on_all_nodes --scan --pattern 'sharded:{111122223333/us-east-1*:calls:*' | grep -o '{.*}' | sort -u | paste -sd ' ')" \
	'^\{111122223333/us-east-1~01aa\} \{111122223333/us-east-1~02fc\} \{111122223333/us-east-1~03di\}$'
is "doctor says nothing of them" "$(sharded doctor | grep -cE '^(FAIL|note *shards)')" 0
has "but of another number" "$("$nowcast" doctor --redis "$REDIS_URL" --redis-prefix sharded)" "111122223333/us-east-1 are over 3 shards in Redis, and .shards. says 1"
minutes() { # PREFIX
	free_port
	start minutes "$nowcast" serve --redis "$REDIS_URL" --redis-prefix "$1" --listen "127.0.0.1:$port" --now 2026-11-02T01:59:00Z
	local url="http://127.0.0.1:$port/api/v1/series?step=minute&hours=2&by=model"
	asks() { curl -sf "$url" >"$T/$1.minutes"; }
	wait_for 20 asks "$1"
	stop "$pid"
}
minutes nowcast
minutes sharded
ok "minutes have dollars" grep -q '"usd":\["0\.[0-9]*[1-9]' "$T/sharded.minutes"
same_file "the same minutes" "$T/sharded.minutes" "$T/nowcast.minutes"

# Another number, as docs/operations.md says (Shards): its commands delete the facts on each master, and the records are read again.
mkdir "$T/bin"
printf '#!/bin/sh\nexec %s -p "$NODE" "$@"\n' "$(command -v redis-cli)" >"$T/bin/redis-cli"
chmod +x "$T/bin/redis-cli"
sed -n "s/nowcast:{/sharded:{/; /^       \(p=\|redis-cli --scan\)/p" docs/operations.md >"$T/delete"
for node in "${redis_ports[@]}"; do PATH=$T/bin:$PATH NODE=$node bash "$T/delete" >/dev/null; done
facts() { on_all_nodes --scan --pattern 'sharded:{111122223333/us-east-1*' | grep -cvE '}:(usage|usage_meta|actual|billed|observed|kept|overflow|overflowed|hour_stats|billed_means|part|part_meta)(:|$)'; }
is "the facts are gone" "$(facts)" 0
ok "five shards: replay" "$nowcast" replay --redis "$REDIS_URL" --redis-prefix sharded --shards 5 "$world/stream.ndjson"
report "$T/five.billed" --redis-prefix sharded
same_file "the same over five shards, as the bill has taught" "$T/five.billed" "$T/plain.again"
has "doctor knows of five" "$("$nowcast" doctor --redis "$REDIS_URL" --redis-prefix sharded)" "111122223333/us-east-1 are over 5 shards"

# A user with the rights that docs/operations.md names, alike on all nodes.
on_all_nodes acl setuser ann on '>p/w' '~nowcast:*' '~{nowcast:alerts}:*' +@read +@write +@scripting +@connection +info +time '+cluster|slots' >/dev/null
"$nowcast" report --redis "redis://ann:p%2Fw@127.0.0.1:$redis_port" --by "$all_keys" --format csv >"$T/ann.billed"
same_file "a user with few rights sees the same" "$T/ann.billed" "$T/masters.billed"
on_all_nodes acl setuser ann '-cluster|slots' >/dev/null
"$nowcast" report --redis "redis://ann:p%2Fw@127.0.0.1:$redis_port" >"$T/ann" 2>&1
has "without one of them it says which" "$(cat "$T/ann")" "needs \+cluster\|slots"
fails 2 "a replay ends at once, for no other try helps" timeout 20 "$nowcast" replay --redis "redis://ann:p%2Fw@127.0.0.1:$redis_port" "$world/stream.ndjson"
has "  and says it once" "$(grep -c 'cluster|slots' "$T/err")" '^1$'

at() { redis-cli -p "$1" "${@:2}"; } # PORT COMMAND...
slot=$(redis cluster keyslot 'nowcast:{111122223333/us-east-1}:open')
from=${redis_ports[slot / 5461]} to=${redis_ports[(slot / 5461 + 1) % 3]}
from_id=$(at "$from" cluster myid) to_id=$(at "$to" cluster myid)
at "$to" cluster setslot "$slot" importing "$from_id" >/dev/null
at "$from" cluster setslot "$slot" migrating "$to_id" >/dev/null
keys() { at "$from" cluster getkeysinslot "$slot" 1000; }
move() { at "$from" migrate 127.0.0.1 "$to" "" 0 5000 keys "$@" >/dev/null; }
keys | sed -n '1~2p' | xargs -n 50 redis-cli -p "$from" migrate 127.0.0.1 "$to" "" 0 5000 keys >/dev/null
report "$T/half.estimate"
same_file "the same while half of the keys have moved" "$T/half.estimate" "$T/masters.billed"
at "$from" config resetstat >/dev/null
start replay "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson"
asked() { [ "$(at "$from" info commandstats | sed -n 's/^cmdstat_evalsha:.*rejected_calls=\([0-9]*\).*/\1/p')" -gt 2 ]; }
ok "a replay waits for the rest, and tries again" wait_for 10 asked
moving() { [ -z "$(keys)" ] || move $(keys); [ -z "$(keys)" ]; }
ok "which comes" wait_for 10 moving
for node in "$to" "$from"; do at "$node" cluster setslot "$slot" node "$to_id" >/dev/null; done
ok "then it ends" wait_for 20 gone "$pid"
has "without a fault" "$(cat "$T/replay.log")" "^records_per_s"
settled_report "$T/moved.estimate"
same_file "the same when they have moved" "$T/moved.estimate" "$T/plain.again"

# A batch that meets a lost connection is sent again as a whole: the node at its other end may be one that lacks what was written.
mkfifo "$T/slow"
start lost "$nowcast" replay --redis "$REDIS_URL" --batch.records 100 "$T/slow"
exec 9>"$T/slow"
half=$(($(wc -l <"$world/stream.ndjson") / 2))
head -n $half "$world/stream.ndjson" >&9
has_clients() { at "$to" client list type normal | grep -q 'cmd=evalsha'; }
ok "a replay of half of the stream" wait_for 10 has_clients
on_all_nodes client kill type normal >/dev/null
tail -n +$((half + 1)) "$world/stream.ndjson" >&9
exec 9>&-
ok "goes on behind a connection that was lost" wait_for 20 gone "$pid"
has "with all of the batch" "$(cat "$T/lost.log")" 'all of the batch is sent again'
has "and without a fault" "$(cat "$T/lost.log")" "^records_per_s"
settled_report "$T/lost.estimate"
same_file "the same after that" "$T/lost.estimate" "$T/plain.again"

# A slot that no master has: questions about it fail, and nothing of them is mistaken for what is asked next.
on_all_nodes config set cluster-require-full-coverage no >/dev/null
free_port
start ask "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --now 2026-11-02T01:59:00Z
spend() { curl -s "http://127.0.0.1:$port/api/v1/breakdown?by=principal,token_type&from=2026-11-02T00:00:00Z&to=2026-11-02T02:00:00Z&limit=1000"; }
answers() { spend | grep -q '"groups"'; }
ok "a server answers" wait_for 20 answers
spend >"$T/spend.before"
for node in "${redis_ports[@]}"; do at "$node" cluster delslots "$slot" >/dev/null 2>&1; done
fails() { ! answers; }
ok "without a master of a slot it does not" wait_for 20 fails
at "$to" cluster addslots "$slot" >/dev/null
ok "then it does again" wait_for 20 answers
spend >"$T/spend.after"
same_file "with the same" "$T/spend.after" "$T/spend.before"
stop "$pid"

# One master with a replica: any of them leads to the master, also after a failover.
REDIS_CLUSTER=1 start_redis
first=$redis_port first_url=$REDIS_URL first_bus=$redis_cluster_port
REDIS_CLUSTER=1 start_redis
replica_url=$REDIS_URL
id=$(redis-cli -p "$first" cluster myid)
redis cluster flushslots >/dev/null
redis cluster meet 127.0.0.1 "$first" "$first_bus" >/dev/null
replicates() { redis cluster replicate "$id" | grep OK; }
follows() { redis info replication | grep master_link_status:up; }
ok "a replica joins" wait_for 20 replicates && wait_for 20 follows
ok "a replay by the URL of the replica" "$nowcast" replay --redis "$replica_url" <(head -n $half "$world/stream.ndjson")
has "goes to the master" "$("$nowcast" doctor --redis "$replica_url")" "at 127.0.0.1:$first \(127.0.0.1:$redis_port\)"
free_port
start serve "$nowcast" serve --redis "$replica_url" --listen "127.0.0.1:$port" --now 2026-11-02T01:59:00Z
serve=http://127.0.0.1:$port serve_pid=$pid
is_ready() { curl -sf "$serve/readyz" >"$T/ready"; }
ok "a server reads there, too" wait_for 20 is_ready
redis cluster failover >/dev/null
is_master() { redis info replication | grep role:master && redis-cli -p "$first" info replication | grep role:slave; }
ok "the replica takes the place of the master" wait_for 20 is_master
ok "a replay by the URL of the former master" "$nowcast" replay --redis "$first_url" <(tail -n +$((half + 1)) "$world/stream.ndjson")
ok "the server goes on" wait_for 20 is_ready
report "$T/failover.estimate" --redis "$first_url"
same_file "the same estimate after a failover" "$T/failover.estimate" "$T/plain.estimate"
stop "$serve_pid"
kill_redis
finish
