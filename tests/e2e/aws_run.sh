#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `run` straight from AWS: an hour of two accounts and two Regions by LookupEvents, GetMetricData and FilterLogEvents of moto (and
# tests/aws_server.py for what it lacks), with signed requests. The daemon is killed again and again; the report equals a replay of
# the same records byte for byte. Then what it keeps in Redis, what it costs, and two daemons at a time.
. "$(dirname "$0")/../lib.sh"

start_redis
start_aws 150 --hours 1 --scale 0.03 --log-share 0.2
aws_reference "$T/want.csv"

cat >"$T/conf" <<END
redis = $REDIS_URL
sources = cloudtrail, metrics, logs
regions = us-east-1, us-west-2
accounts = own, arn:aws:iam::444455556666:role/nowcast
accounts.external_id = secret-between-us
aws.since = 3h
aws.every = 2s
aws.cost_max = 0
stats.interval = 1s
alerts = false
END
run() { start "$1" "$nowcast" run --config "$T/conf"; }

RANDOM=${SEED:-$(date +%s)}
diag "SEED=$RANDOM"
for i in 1 2 3; do
	run "killed$i"
	sleep "$((RANDOM % 3)).$((RANDOM % 10))"
	stop "$pid" KILL
	redis keys 'nowcast:source_lease:*' | while read -r lease; do redis del "$lease"; done >/dev/null # that of the dead ends in ten seconds
done
run last
daemon=$pid
ok "all of it is read" wait_for 60 aws_is_read
ok "and computed" wait_for 60 nothing_due
is "each request was signed right, and none refused" "$(aws_log | awk '$5 != 200' | sort | uniq -c)" ""
report "$T/got.csv"
same_file "killed three times, the report is that of the replay" "$T/got.csv" "$T/want.csv"
has "an account whose role is assumed is among them" "$(cat "$T/got.csv")" ',444455556666,'

# Of the three hours two have no record: they were observed all the same, but for the newest minutes.
observed() { redis keys "nowcast:{111122223333/us-west-2}:observed:*:$1" | while read -r key; do redis bitcount "$key"; done | awk '{ n += $1 } END { exit n <= 140 }'; }
ok "what was read and had no record was observed: calls" wait_for 30 observed calls
ok "and metrics" wait_for 30 observed metrics

# --- what doctor and /metrics say

"$nowcast" doctor --config "$T/conf" >"$T/doctor"
has "doctor names each source" "$(cat "$T/doctor")" 'ok +aws +cloudtrail of 444455556666/us-east-1: all before '
is "and does not look for Kafka" "$(grep -c kafka "$T/doctor")" 0

# --- a second daemon leaves the account to the first, and takes it over

run second
second=$pid
sleep 4
is "a second daemon reads nothing meanwhile" "$(grep -c 'reading an account' "$T/second.log")" 0
ok "the first one ends" stop "$daemon"
ok "and the second goes on, at the first one's position" wait_for 15 grep -q 'reading an account of AWS.*444455556666' "$T/second.log"
position_before=$(aws_position "cloudtrail 111122223333/us-east-1")
moved() { [ "$(aws_position "cloudtrail 111122223333/us-east-1")" -gt "$position_before" ]; }
ok "which moves on" wait_for 20 moved
stop "$second"
report "$T/got.csv"
same_file "the figures are the same" "$T/got.csv" "$T/want.csv"

# --- money: CloudWatch is asked less often rather than beyond the limit

aws_log >/dev/null
start dear "$nowcast" run --config "$T/conf" --sources metrics --aws.every 1s --aws.cost_max 5.00
sleep 6
stop "$pid"
# 16 metrics or more, four statistics each: at 5 dollars a day they may be read every 12 seconds at most
is "each metric of the four places was read once or twice in six seconds" "$(aws_log | awk '/GetMetricData/ { n++ } END { print (n <= 8) ? "yes" : n }')" yes
fails 2 "a wrong limit" "$nowcast" run --config "$T/conf" --aws.cost_max cheap
has "is named" "$(cat "$T/err")" 'aws.cost_max: expected dollars'
fails 2 "an unknown source" "$nowcast" run --config "$T/conf" --sources kafka,s3
has "is named" "$(cat "$T/err")" 'sources: expected kafka'
finish
