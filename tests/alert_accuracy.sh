#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# `make alert-accuracy`: tests/alert_accuracy.py on a private Redis. ARGS are its own: some twenty minutes of work without any.
. "$(dirname "$0")/lib.sh"
[ -f "$shared/world/world.py" ] || { echo "alert-accuracy: $shared/world/world.py is not there; SHARED=DIR says where it is"; exit 1; }
start_redis
# shellcheck disable=SC2086 # words
python3 tests/alert_accuracy.py "$B" "$shared/world" "$REDIS_URL" "$T/world" ${ARGS:-}
