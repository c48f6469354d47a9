#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# How good the forecast of the end of the day is, at 6, 12 and 18 o'clock, over real series of demand with seasons of day and
# week, and over a world of several days. Needs ../shared.
#
#     make forecast-score                WORLD_DAYS=5 adds the world (which takes minutes to be made, once)
. "$(dirname "$0")/lib.sh"

[ -d "${shared:-}/nab/data" ] || skip_all "no ../shared/nab here"
here=$top
ask() { # WHAT SOURCE
	start_redis
	(cd "$T" && python3 "$here/tests/forecast_score.py" "$1" "$2" | redis --pipe >/dev/null)
	free_port
	start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --listen-rate 100000
	wait_for 10 listens "$port" || bail "nowcast serve does not listen"
	(cd "$T" && python3 "$here/tests/forecast_score.py" score "http://127.0.0.1:$port")
	stop "$pid"
}
ask series "$shared/nab"
if [ -n "${WORLD_DAYS:-}" ]; then
	make_world --hours $((24 * WORLD_DAYS)) --scale 0.01
	ask world "$world/truth.csv"
fi
