#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# redis+sentinel://: the master of a name is found, also after a failover, by a program that runs as well as by the next one; a
# replica is taken for none. REDIS_SERVER or VALKEY=1 choose the server. With Kafka and a kill -9: tests/disasters/redis_sentinel.sh.
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.05
reference "$world/stream.ndjson" "$T/want.csv"
half=$(($(wc -l <"$world/stream.ndjson") / 2))
head -n $half "$world/stream.ndjson" >"$T/first"
tail -n +$((half + 1)) "$world/stream.ndjson" >"$T/second"

start_sentinels 2
master=$redis_port
REDIS_URL=redis+sentinel://127.0.0.1:1,${sentinels}/figures # the first sentinel is away
ok "a replay finds the master" "$nowcast" replay --redis "$REDIS_URL" "$T/first"
free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --now 2026-11-02T00:59:00Z
serve=http://127.0.0.1:$port
is_ready() { curl -sf "$serve/readyz" >"$T/ready"; }
ok "a server is ready" wait_for 20 is_ready
has "it says which Redis it talks to" "$("$nowcast" doctor --redis "$REDIS_URL" 2>&1)" "(Redis|Valkey) .* at 127.0.0.1:$master \(figures\)"

ok "a failover" fail_over
ok "the server goes on" wait_for 20 is_ready
ok "a replay finds the new master" "$nowcast" replay --redis "$REDIS_URL" "$T/second"
has "which is the former replica" "$("$nowcast" doctor --redis "$REDIS_URL" 2>&1)" "(Redis|Valkey) .* at 127.0.0.1:$replica_port \(figures\)"
report "$T/got.csv"
same_file "the same figures" "$T/got.csv" "$T/want.csv"
reads_new() { curl -sf "$serve/api/v1/summary" | grep -o '"calls":[0-9]*' | head -n 1 | grep -q . ; }
ok "the server reads them" wait_for 20 reads_new

fails 1 "a name that no sentinel knows" "$nowcast" report --redis "redis+sentinel://$sentinels/other"
has "is said" "$(cat "$T/err")" "the sentinel 127.0.0.1:[0-9]+ knows no master named other"
fails 1 "sentinels that are all away" "$nowcast" report --redis "redis+sentinel://127.0.0.1:1,127.0.0.1:2/figures"
has "are said" "$(cat "$T/err")" "no sentinel says where the Redis figures is: redis 127.0.0.1:2: Connection refused"
fails 2 "a URL without the name of the master" "$nowcast" report --redis "redis+sentinel://127.0.0.1:1"
has "is refused with its form" "$(cat "$T/err")" "behind redis\+sentinel:// expected .*host:port/MASTER"

# Sentinels and Redis with a login; the sentinels' own password is that of the URL.
for p in "$master" "$replica_port"; do
	redis-cli -p "$p" config set masterauth topsecret >/dev/null
	redis-cli -p "$p" config set requirepass topsecret >/dev/null
done
for p in ${sentinels//,/ }; do
	redis-cli -p "${p#*:}" sentinel set figures auth-pass topsecret >/dev/null
	redis-cli -p "${p#*:}" acl setuser default resetpass '>topsecret' >/dev/null
done
has "a sentinel asks for a login" "$(sentinel ping 2>&1)" NOAUTH
report "$T/login.csv" --redis "redis+sentinel://:topsecret@$sentinels/figures"
same_file "with passwords" "$T/login.csv" "$T/want.csv"
finish
