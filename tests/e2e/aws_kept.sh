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
ms_of() { date -u -d "@$(($1 / 1000))" +%Y-%m-%dT; }
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

# --- what is taken out of the configuration

yesterday=$(days_ago 1) long=$(days_ago 101)
redis hset nowcast:sources "metrics 999900001111/us-east-1" "$yesterday $yesterday 0 reads 0 " "cloudtrail 999900001111/us-east-1" "$yesterday $yesterday $yesterday reads 0 it is refused" \
	"credentials arn:aws:iam::999900001111:role/gone" "0 0 $yesterday reads 0 it is refused" "metrics 999900002222/us-east-1" "$(days_ago 0) $(days_ago 0) 0 reads 0 " \
	"metrics 999900003333/us-east-1" "$long $long 0 removed 0 " >"$T/out"
start less "$nowcast" run --config "$T/conf" --regions us-east-1
daemon=$pid
marked() { redis hget nowcast:sources "metrics 111122223333/us-west-2" | grep -q ' removed '; }
ok "a Region that is taken out is marked" wait_for 20 marked
doctor=$("$nowcast" doctor --config "$T/conf")
is "doctor does not miss it, nor a role that is gone" "$(grep -cE '(warn|FAIL).*(us-west-2|999900001111)' <<<"$doctor")" 0
has "a note says so" "$doctor" 'note +aws +111122223333 is not read any more by some sources'
has "what another daemon reads stays" "$doctor" 'aws +metrics of 999900002222/us-east-1: all before'
is "/metrics has none of them" "$(curl -s "http://127.0.0.1:$port/metrics" | grep -c 'us-west-2\|999900001111')" 0
is "what was removed 100 days ago is forgotten" "$(redis hexists nowcast:sources "metrics 999900003333/us-east-1")" 0
stop "$daemon"
start more "$nowcast" run --config "$T/conf"
daemon=$pid
back() { redis hget nowcast:sources "metrics 111122223333/us-west-2" | grep -q ' idle \| reads '; }
ok "when it comes back" wait_for 20 back
is "it goes on where it was: no new gap" "$(redis hkeys nowcast:missing | grep -c us-west-2)" 0
ok "and not before that" test "$(aws_position "metrics 111122223333/us-west-2")" -gt "$(days_ago 15)"
stop "$daemon"
finish
