#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# `make alert-accuracy`: tests/alert_accuracy.py on a private Redis. HOURS=12 of a world, some minutes of work.
. "$(dirname "$0")/lib.sh"
[ -f "$shared/world/world.py" ] || { echo "alert-accuracy: $shared/world/world.py is not there; SHARED=DIR says where it is"; exit 1; }
start_redis
python3 tests/alert_accuracy.py "$nowcast" "$shared/world" "$REDIS_URL" "$T/world" --hours "${HOURS:-12}"
