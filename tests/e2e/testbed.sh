#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The test bed itself: servers start, hold what they were given, come back after a kill, and outlive no test.
. "$(dirname "$0")/../lib.sh"

start_redis durable
is "Redis answers" "$(redis set k v)" OK
kill_redis
restart_redis
is "a durable Redis has its data after kill -9" "$(redis get k)" v
has "and it is on loopback only" "$(redis config get bind)" '127\.0\.0\.1'

# The same of a cluster: a, b and c are keys of one master each.
on_cluster() {
	local REDIS_CLUSTER=3 key
	start_redis durable
	for key in a b c; do redis set $key 1 >/dev/null; done
	kill_redis
	restart_redis
	is "so has a cluster whose masters are all killed" "$(on_all_nodes --scan | sort | xargs)" "a b c"
	ok "it is known as it was" take_snapshot old
	for key in a b c; do redis set $key 2 >/dev/null; done
	kill_redis "$(node_of a)"
	restart_redis
	is "and one of which one is killed" "$(redis get a)" 2
	kill_redis
	restart_redis_from old
	is "which comes back as it was" "$(for key in a b c; do redis get $key; done | xargs)" "1 1 1"
	redis config set maxmemory 5mb >/dev/null
	is "what is set is set on all masters" "$(on_all_nodes config get maxmemory | grep -c 5242880)" 3
	hang_redis "$(node_of a)"
	is "one hangs, and not the others" "$(for key in a b c; do timeout 1 redis-cli -p "${redis_ports[$(node_of $key)]}" get $key; done | xargs)" "1 1"
	resume_redis "$(node_of a)"
	is "and answers again" "$(redis get a)" 1
	kill_redis
}
on_cluster

start_redis_tls
is "Redis behind TLS answers to a client that trusts the test's authority" "$(redis ping)" PONG
redis_tls=
is "and not in the clear" "$(redis ping 2>/dev/null)" ""

start_broker 3
for i in $(seq 300); do
	printf '{"topic":"cloudtrail","ts":1793577600000,"payload":"{\\"n\\":%d}"}\n' "$i"
done >"$T/in.ndjson"
is "the producer says how many arrived" "$(produce -p 3 "$T/in.ndjson")" 300
consume() { timeout 30 kcat -C -e -q -b "$BOOTSTRAP" -t cloudtrail -o beginning "$@" 2>/dev/null; }
is "a consumer reads them all" "$(consume | sort -u | wc -l)" 300
is "spread over the partitions" "$(consume -f '%p\n' | sort | uniq -c | xargs)" "100 0 100 1 100 2"
is "with the times of the file" "$(consume -f '%T\n' | sort -u)" 1793577600000

broker_down
broker_up
is "the broker comes back with what it had" "$(consume | sort -u | wc -l)" 300

# A test that is killed -9 takes its servers with it.
cat >"$T/victim.sh" <<END
. "$top/tests/lib.sh"
start_redis
echo \$redis_pid >"$T/victim.redis"
while sleep 0.2; do :; done
END
bash "$T/victim.sh" >"$T/victim.log" 2>&1 &
victim=$!
wait_for 10 test -s "$T/victim.redis"
kill -KILL $victim
ok "servers die with a test that was killed -9" wait_for 5 gone "$(cat "$T/victim.redis")"
finish
