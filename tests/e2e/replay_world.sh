#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A world whose truth is known, replayed: nothing lost to the token, nothing given to nobody, the split no worse than an
# equal one, and the same CSV when replayed again, on Redis and on Valkey.
. "$(dirname "$0")/../lib.sh"

make_world --hours 2 --scale 0.05
start_redis
ok "replay takes the whole stream" "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson"
ok "report prints it" report "$T/first.csv"
is "with the columns promised" "$(head -n 1 "$T/first.csv")" "$all_keys,tokens,usd,usd_low,usd_high,basis,calls,failed"
ok "tokens and dollars are conserved" python3 tests/conserve.py "$world/truth.csv" "$T/first.csv"

python3 "$shared/world/score.py" "$world/truth.csv" "$T/first.csv" >"$T/score.json"
score() { python3 -c 'import json, sys; s = json.load(open(sys.argv[1])); print(eval(sys.argv[2], {}, {"s": s}))' "$T/score.json" "$1"; }
is "nothing is unattributed when all calls have arrived" "$(score 's["unattributed"]')" 0.0
is "dollars by hour and principal are no worse than an equal split's (0.61)" "$(score 's["wape"]["hour_principal"] <= 0.61')" True
diag "$(score '"WAPE by hour and principal %.3f, by team %.3f, bias %+.4f" % (s["wape"]["hour_principal"], s["wape"]["team"], s["bias"])')"

ok "replay takes it again" "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson"
report "$T/second.csv"
same_file "and changes nothing" "$T/second.csv" "$T/first.csv"

if valkey=$(valkey_binary); then
	REDIS_SERVER=$valkey start_redis
	ok "replay into Valkey" "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson"
	report "$T/valkey.csv"
	same_file "gives the same" "$T/valkey.csv" "$T/first.csv"
	diag "Valkey $(redis info server | sed -n 's/^valkey_version:\([0-9.]*\).*/\1/p')"
else
	diag "no valkey-server here: Redis only"
fi
finish
