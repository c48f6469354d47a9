#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The picture of the dashboard in README.md, taken of the real page in Debian's Chromium: forty hours of generated traffic are
# replayed into a private Redis, most of the first day is reconciled with its bill, and budgets are set.
#
#     tests/screenshot.sh [FILE]      docs/dashboard.webp without an argument; `make picture` does the same
#
# The same traffic, time and size of the window give the same picture, but for what Chromium itself changes.
. "$(dirname "$0")/lib.sh"

out=$(realpath -m "${1:-docs/dashboard.webp}")
modules=${XDG_CACHE_HOME:-$HOME/.cache}/nowcast/playwright-1.49.1
command -v node >/dev/null && command -v "${CHROMIUM:-chromium}" >/dev/null && [ -d "$modules" ] ||
	bail "no chromium, node or playwright-core here: deploy/install-deps --test installs them"

make_world --hours 40 --scale 0.05
start_redis
now=2026-11-03T15:40:00Z
"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >"$T/replay.log" 2>&1 || bail "replay: $(tail -n 3 "$T/replay.log")"
cp -r "$world/cur2" "$T/cur2"
find "$T/cur2" -type f -exec touch -d 2026-11-03T08:00:00Z {} + # when the bill was delivered
"$nowcast" reconcile --redis "$REDIS_URL" --watermark 10h "$T/cur2" >"$T/reconcile.log" 2>&1 ||
	diag "without a bill: $(tail -n 1 "$T/reconcile.log")"
cat >"$T/rules" <<-END
	[rule company]
	kind = budget
	by = all
	period = month
	amount = 10000
	at = 50,80,100
	[rule teams]
	kind = budget
	by = team
	period = day
	amount = 80
	at = 80,100
END
free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --listen-rate 1000 --now $now --alerts-file "$T/rules"
wait_for 10 listens "$port" || bail "nowcast serve does not listen"
mkdir -p "$(dirname "$out")"
node tests/screenshot.js "http://127.0.0.1:$port/?span=24h&by=team" "$out" "$modules" || bail "no picture"
size=$(wc -c <"$out")
[ "$size" -lt 150000 ] || bail "$out has $size bytes: a picture in README.md has less than 150,000"
echo "$out: $size bytes"
