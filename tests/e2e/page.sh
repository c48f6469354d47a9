#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The dashboard in Debian's Chromium: figures, drill-down, live update, thousands of principals, hostile tags, dark, phone,
# keyboard, accessibility. Screenshots are left in the build folder, screenshots/.
. "$(dirname "$0")/../lib.sh"

modules=${XDG_CACHE_HOME:-$HOME/.cache}/nowcast/playwright-1.49.1
command -v node >/dev/null && command -v "${CHROMIUM:-chromium}" >/dev/null && [ -d "$modules" ] ||
	skip_all "no chromium, node or playwright-core here: deploy/install-deps --test installs them"

serve() { # NOW [ARGUMENT...]: starts a server of $REDIS_URL; sets url
	free_port
	url=http://127.0.0.1:$port
	start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --listen-rate 1000 --now "$@"
	wait_for 10 listens "$port" || { sed 's/^/# /' "$T/serve.log"; bail "nowcast serve does not listen"; }
}

make_world --hours 2 --scale 0.05
start_redis
"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null 2>&1
for account in 111122223333 222233334444; do
	echo "{\"Arn\": \"arn:aws:organizations::999988887777:account/o-abc/$account\", \"Tags\": {\"zone\": \"z1\"}}"
done | "$nowcast" tags import --redis "$REDIS_URL" --from 2026-11-01 - >/dev/null
serve 2026-11-02T01:40:00Z
few=$url
serve 2026-11-02T07:00:00Z
export LATE=$url
serve 2026-11-03T07:00:00Z
export DAY_LATE=$url
(umask 077 && echo "ops $(printf '0123456789abcdef%.0s' 1 2)" >"$T/tokens")
serve 2026-11-02T01:40:00Z --auth-tokens-file "$T/tokens"
export LOCKED=$url
start_redis
python3 tests/many_principals.py 5000 1 >"$T/many.ndjson"
"$nowcast" replay --redis "$REDIS_URL" --sessions-max 10000 "$T/many.ndjson" >/dev/null 2>&1
printf '[rule everyone]\nkind = budget\nby = principal\nperiod = month\namount = 10\n[rule misspelt]\nkind = budget\nby = team\nonly = taem-1\namount = 10\n' >"$T/everyone"
serve 2026-11-02T01:40:00Z --alerts-file "$T/everyone"
many=$url
start_redis
serve 2026-11-02T01:40:00Z
empty=$url
export NOWCAST=$nowcast EMPTY_REDIS=$REDIS_URL REPLAYED="$world/stream.ndjson $T/many.ndjson"
start_redis
python3 tests/support/past.py --now 2026-11-19T14:40:00Z | redis --pipe >/dev/null
cat >"$T/rules" <<-END
	[rule company]
	kind = budget
	by = all
	period = month
	amount = 1000
	at = 50,80,100
	[rule company will end over]
	kind = forecast
	by = all
	period = month
	amount = 1000
	[rule teams]
	kind = budget
	by = team
	period = month
	amount = 190
	at = 80,100
END
serve 2026-11-19T14:40:00Z --alerts-file "$T/rules"
"$nowcast" alert silence --redis "$REDIS_URL" 'news-*' --for 5000d --why 'launch of the notebooks' >/dev/null 2>&1
split=$("$nowcast" report --redis "$REDIS_URL" --now 2026-11-19T14:40:00Z today --format json 2>/dev/null | jq -r 'map(select(.tokens_allocated > 0))[0].principal')
redis rpush "{nowcast:alerts}:history" "$(printf '{"rule":"jump","kind":"spike","group":"%s","event":"firing","since":%d,"seen":%d,"at":%d}' "$split" "$(date -ud '2026-11-19 13:20Z' +%s)"{,,}000)" >/dev/null
mkdir -p "$B/screenshots"
export PAST_REDIS=$redis_pid # which the browser's script ends, to see what the page says
node tests/page.js "$few" "$many" "$empty" "$url" "$B/screenshots" "$modules"
exit $?
