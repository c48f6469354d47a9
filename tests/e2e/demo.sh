#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The demo runs by itself, needs nothing configured, ends with the truth beside the estimate, and leaves nothing behind.
. "$(dirname "$0")/../lib.sh"
require "no redis-server here" command -v redis-server

export TMPDIR=$T/tmp
mkdir "$TMPDIR"
# A configuration that would end it, were it read.
export NOWCAST_REDIS=redis://127.0.0.1:1 NOWCAST_BROKERS=127.0.0.1:1

left() { find "$TMPDIR" -mindepth 1; pgrep -f "$TMPDIR/nowcast-demo-" || true; }
nothing_left() { [ -z "$(left)" ]; }

fails 0 "it ends by itself" timeout 90 "$nowcast" demo --seconds "${DEMO_SECONDS:-5}"
out=$(cat "$T/out")
is "and says nothing on stderr" "$(cat "$T/err")" ""
is "and leaves nothing behind" "$(left)" ""
has "figures are shown while it runs" "$out" '^nowcast demo .* messages sent'
has "reports by team" "$out" '^payments +[0-9,]+ +[0-9.]+'
has "tags came by SAML, by the gateway's sessions and by IAM" "$(awk '/by team/,/^total/ { print $1 }' <<<"$out" | sort | xargs)" \
	'analytics labs payments platform search'
has "the model without a price is unpriced, with its tokens" "$out" 'acme\.orbit.* [0-9,]{5,} .*unpriced'
has "streams and an API key are among the callers" "$out" 'user/BedrockAPIKey-a1b2'

# Estimated and true dollars of the last table's total: within a few percent, for only the split and the TTL of cache writes are guesses.
is "the total is near the truth" "$(awk '/estimated +true/ { t = 1 } t && /^total/ { d = $3 / $4 - 1; print (d > -0.05 && d < 0.05) ? "near" : $0 }' <<<"$out")" near
is "its calls are those of the reports" "$(awk '/estimated +true/ { t = 1 } /^total/ && t { print $2 == n ? "same" : $0 } /^total/ { n = $NF }' <<<"$out")" same
is "nothing is unattributed when all has arrived" "$(grep -c '(unattributed)' <<<"$(sed -n '/\$ nowcast report/,$p' <<<"$out")")" 0
# The last line before the explanations: "... come to 8.6 % of the dollars without any bill, to 3.5 % after that one."
is "a bill of the day before teaches it" "$(awk '/without any bill, to/ { print ($6 > $15) ? "nearer" : $0 }' <<<"$out")" nearer
has "and every caller is beside the truth then, too" "$out" 'user/alice +[0-9]+ +[0-9.]+ +[0-9.]+ +[-+0-9.]+ % +(yes|no) +[0-9.]+ +[-+0-9.]+ % +(yes|no)'
has "it says where to go next" "$out" 'nowcast run --config'

# On a terminal the dashboard stays.
free_port
script -qfec "exec '$nowcast' demo --seconds 2 --port $port" /dev/null </dev/null >"$T/screen" &
ok "on a terminal it goes on" wait_for 60 grep -q 'dashboard stays at' "$T/screen"
url=$(grep -o 'http://127.0.0.1:[0-9]*/' "$T/screen" | tail -n 1)
is "at the port that was asked for" "$url" "http://127.0.0.1:$port/"
has "with the dashboard" "$(curl -s "$url")" '<title>'
has "that has the demo's figures" "$(curl -s "${url}api/v1/breakdown?by=team")" '"payments"'
pkill -INT -f "^$nowcast demo --seconds 2"
wait $!
is "until it is told to end, which is no failure" $? 0
is "and leaves nothing behind" "$(left)" ""

# What it printed before is taken away first, or a demo would be taken for running before it began.
for sig in INT TERM; do
	rm "$T/out"
	"$nowcast" demo --seconds 60 >"$T/out" 2>"$T/err" &
	demo=$!
	wait_for 20 grep -q 'messages sent' "$T/out"
	kill -$sig $demo
	wait $demo
	is "$sig ends it" $? 1
	is "$sig leaves nothing behind" "$(left)" ""
done

rm "$T/out"
"$nowcast" demo --seconds 60 >"$T/out" 2>"$T/err" &
demo=$!
wait_for 20 grep -q 'messages sent' "$T/out"
kill -KILL $demo
wait $demo 2>/dev/null
ok "even kill -9 leaves nothing behind" wait_for 5 nothing_left

timeout 40 "$nowcast" demo --seconds 60 2>"$T/err" | head -n 3 >"$T/out"
is "when nobody reads what it prints, it ends" "${PIPESTATUS[0]}" 1
is "and leaves nothing behind" "$(left)" ""

fails 2 "a wrong number is a wrong argument" "$nowcast" demo --seconds soon
has "and it says what is right" "$(cat "$T/err")" 'from 1 to 3600'
fails 2 "a flag of the configuration is not overlooked" "$nowcast" demo --listen 127.0.0.1:1
has "and it says why" "$(cat "$T/err")" 'listen is of the configuration'
fails 1 "without redis-server it cannot run" env PATH=/nonexistent "$nowcast" demo
has "and says what to install" "$(cat "$T/err")" 'apt-get install redis-server'
finish
