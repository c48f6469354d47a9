#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The disk of dead letters is missing, or full, while some come: this is found at the start and by doctor, the figures go on
# and other partitions are committed, and no letter is lost. One message cannot make many bytes of dead letters, and the file
# has a largest size. A regular expression in `topics` does not match the topic of dead letters, nor those
# of Kafka itself.
# Done: the folder of dead letters is missing, its disk is full, its file is at its limit; letters come on a topic that is read
# Compared: figures with one undisturbed replay; dead letters with what was broken
. "$(dirname "$0")/../lib.sh"
topics="raw other"

for i in $(seq 0 39); do call_record "$i"; done >"$T/all"
broken=$(call_record broken 2>/dev/null | cut -c 1-300)

reference "$T/all" "$T/want.csv" 2

start_redis
start_broker 1
write_config "$T/nowcast.conf" "dead_letter.file = $T/missing/dead.ndjson"
{ head -n 5 "$T/all"; echo "$broken"; sed -n 6,10p "$T/all"; } | produce -t raw - >/dev/null
sed -n 11,20p "$T/all" | produce -t other - >/dev/null
ok "check-config says that the folder is missing" grep -q "missing/dead.ndjson: cannot write" <("$nowcast" check-config --config "$T/nowcast.conf" 2>&1)
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
left_is() { [ "$(lag 2>/dev/null)" = "$1" ]; }
ok "all is committed but what is behind the broken message" wait_for 30 left_is 6
has "the log said so at the start" "$(grep -m 1 'have no place' "$T/worker.log")" 'level=error.*missing'
"$nowcast" doctor --config "$T/nowcast.conf" >"$T/doctor" 2>&1
has "doctor does, too" "$(cat "$T/doctor")" 'FAIL +dead .*missing'
figures_are() { [ "$(report "$T/now.csv"; grep ',input,' "$T/now.csv" | grep -c ",input,$1,")" = 1 ]; }
ok "the figures have the records behind it" wait_for 10 figures_are 2000
sed -n 21,25p "$T/all" | produce -t other - >/dev/null
ok "and those that come later" wait_for 10 figures_are 2500
mkdir "$T/missing"
ok "once the folder is there, all is committed" wait_for 30 caught_up
is "and the letter is in it" "$(wc -l <"$T/missing/dead.ndjson")" 1
ok "the worker ends on SIGTERM" stop "$worker"

# A full disk: what was not committed is read again by the next worker.
write_config "$T/full.conf" "dead_letter.file = /dev/full"
{ sed -n 26,30p "$T/all"; echo "$broken"; } | produce -t raw - >/dev/null
start full "$nowcast" run --config "$T/full.conf"
worker=$pid
ok "with a full disk the figures go on" wait_for 20 figures_are 3000
ok "and the letter is waited with" wait_for 10 left_is 1
has "the log says so" "$(cat "$T/full.log")" 'No space left'
has "and the stats line" "$(wait_for 5 grep -q 'dead_waiting=1' "$T/full.log"; grep -o 'dead_waiting=1' "$T/full.log" | head -n 1)" 'dead_waiting=1'
kill -KILL "$worker"
wait_for 10 gone "$worker"
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "the next worker reads it again" wait_for 30 caught_up
is "and the letter is kept" "$(wc -l <"$T/missing/dead.ndjson")" 2
ok "the worker ends on SIGTERM" stop "$worker"

# Many bytes out of few, and a file at its limit.
python3 - "$T" <<'END'
import base64, gzip, json, sys
record = {"eventSource": "bedrock.amazonaws.com", "eventName": "Converse", "requestID": "r", "eventTime": "never", "additionalEventData": {"x": "y" * 400}}
data = gzip.compress(json.dumps({"Records": [record] * 5000}).encode())
open(sys.argv[1] + "/bomb", "wb").write(base64.b64encode(data) + b"\n")
END
"$nowcast" replay --redis "$REDIS_URL" --dead-letter-file "$T/bomb.dead" "$T/bomb" >/dev/null 2>&1
letters=$(wc -c <"$T/bomb.dead") bytes=$(wc -c <"$T/bomb")
ok "$bytes bytes make $letters bytes of dead letters" test "$letters" -le $((8 * bytes + 32768))
head -c 1040000 /dev/zero | tr '\0' '\n' >"$T/small.dead"
for i in $(seq 100); do echo "$broken"; done >"$T/broken"
"$nowcast" replay --redis "$REDIS_URL" --dead-letter-file "$T/small.dead" --dead-letter-file-max 1MiB "$T/broken" >"$T/out" 2>"$T/err"
ok "the file of dead letters has a largest size" test "$(wc -c <"$T/small.dead")" -le 1048576
has "what it does not take is logged" "$(cat "$T/err")" 'dead_letter.file.max.*only this line remains'

# The topic of dead letters matches the expression.
topics="^(raw|other|dead|_).*"
write_config "$T/regex.conf" "dead_letter.topic = dead.letters"
topics="raw other"
{ sed -n 31,39p "$T/all"; echo "$broken"; } | produce -t raw - >/dev/null
call_record 39 | produce -t deadxletters - >/dev/null
start regex "$nowcast" run --config "$T/regex.conf"
worker=$pid
ok "a worker with a regular expression reads" wait_for 30 caught_up
ok "a topic that only looks like the one of dead letters, too" wait_for 30 figures_are 4000
sleep 4
is "one letter stays one letter" "$(timeout 30 kcat -C -e -q -b "$BOOTSTRAP" -t dead.letters -o beginning 2>/dev/null | wc -l)" 1
"$nowcast" doctor --config "$T/regex.conf" >"$T/doctor" 2>&1
has "doctor says that the topic is there" "$(cat "$T/doctor")" 'ok +dead +dead_letter.topic dead.letters is there'
ok "the worker ends on SIGTERM" stop "$worker"
settled_report "$T/got.csv"
same_file "nothing was lost, nothing counted twice" "$T/got.csv" "$T/want.csv"
finish
