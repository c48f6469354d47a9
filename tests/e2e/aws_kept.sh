#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A daemon that was away for longer than AWS keeps its records: what can be read no more is named, from when to when, by doctor, by
# /metrics and in the log; the rest is read.
. "$(dirname "$0")/../lib.sh"

start_redis
tests/support/aws_world.py "$T/world" 120 10
start_aws_of "$T/world"
free_port
cat >"$T/conf" <<END
redis = $REDIS_URL
sources = cloudtrail, metrics
regions = us-east-1, us-west-2
aws.every = 1s
aws.cost_max = 0
alerts = false
listen = 127.0.0.1:$port
END
days_ago() { echo "$((($(date +%s) - 86400 * $1) * 1000))"; }
ms_of() { date -u -d "@$(($1 / 1000))" +%Y-%m-%dT%H:%M:; }
trail=$(days_ago 92) metrics=$(days_ago 17)
redis hset nowcast:sources "cloudtrail 111122223333/us-east-1" "$trail $trail 0 reads 0 " "metrics 111122223333/us-east-1" "$metrics $metrics 0 reads 0 " \
	"metrics 111122223333/us-west-2" "$(days_ago 14) $(days_ago 14) 0 reads 0 " >"$T/out"
start away "$nowcast" run --config "$T/conf"
daemon=$pid
seen() { [ "$(redis hlen nowcast:missing)" = 2 ]; }
ok "what AWS no longer has is written down" wait_for 30 seen
doctor=$("$nowcast" doctor --config "$T/conf")
has "doctor: CloudTrail, from when to when" "$doctor" "warn +missing +cloudtrail of 111122223333/us-east-1 from $(ms_of "$trail").* to $(ms_of "$(days_ago 90)").* is missing: AWS did not keep it"
has "and metrics" "$doctor" "warn +missing +metrics of 111122223333/us-east-1 from $(ms_of "$metrics").* to $(ms_of "$(days_ago 15)").* is missing"
metrics=$(curl -s "http://127.0.0.1:$port/metrics")
has "/metrics: two days" "$metrics" '^nowcast_source_missing_seconds\{source="cloudtrail",account="111122223333",region="us-east-1"\} 17[23][0-9]{3}$'
is "they are no messages of Kafka" "$(grep -c '^nowcast_missing_messages{.*} 0$' <<<"$metrics")" 2
is "the log says so once each" "$(grep -c 'AWS no longer gives records' "$T/away.log")" 2
has "a Region that lacks nothing is not among them" "$doctor" 'aws +metrics of 111122223333/us-west-2|aws +metrics: no metrics'
read_on() { [ "$(aws_position "metrics 111122223333/us-east-1")" -gt "$(days_ago 15)" ]; }
ok "reading goes on behind it" wait_for 20 read_on
stop "$daemon"
finish
