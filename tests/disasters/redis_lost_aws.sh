#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Redis comes back empty, then as it was before, under a daemon that reads AWS's APIs without Kafka: positions in Redis are earlier
# than those in hand, and the daemon reads again from there.
# Done: Redis loses what came from AWS's APIs, by a flush and by an old snapshot, under a running daemon
# Compared: figures with a replay of the same records
. "$(dirname "$0")/../lib.sh"

start_redis durable
start_aws 150 --hours 1 --scale 0.03 --log-share 0.2
by=(--by hour,account,region,model,principal,token_type) # a replay of the records does not know the tags
aws_reference "$T/want.csv" "${by[@]}"
cat >"$T/conf" <<END
redis = $REDIS_URL
sources = aws
regions = us-east-1, us-west-2
accounts = own, arn:aws:iam::444455556666:role/nowcast
aws.since = 3h
aws.every = 2s
aws.cost_max = 0
alerts = false
END
start daemon "$nowcast" run --config "$T/conf"
daemon=$pid
begins() { [ "$(redis hlen nowcast:sources)" -gt 0 ]; }
ok "it reads" wait_for 20 begins
ok "there is a snapshot" take_snapshot old
ok "all is read" wait_for 60 aws_is_read
redis FLUSHALL >"$T/flush"
said() { [ "$(grep -c 'APIs are read again' "$T/daemon.log")" -gt "$1" ]; }
ok "an empty Redis is noticed" wait_for 20 said 0
ok "and all is read again" wait_for 90 aws_is_read
same() { # NAME
	sleep 3
	report "$T/got.csv" "${by[@]}"
	same_file "$1" "$T/got.csv" "$T/want.csv"
}
same "nothing is missing"
before=$(grep -c 'APIs are read again' "$T/daemon.log")
kill_redis
restart_redis_from old
ok "so is an old snapshot" wait_for 30 said "$before"
ok "and all is read again" wait_for 90 aws_is_read
# The loss is noted with the next positions. It is from the beginning if a source had not begun by then on every master.
says_lost() { "$nowcast" doctor --redis "$REDIS_URL" | grep -E '^warn +lost +at 20.* Redis had lost what was written to it after (20[0-9]|the beginning)'; }
ok "doctor says that what was brought by hand is gone" wait_for 20 says_lost
same "nothing is missing"
ok "the daemon ends on SIGTERM" stop "$daemon"
finish
