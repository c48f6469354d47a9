#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the right price and the right name cost: instructions of the path from message to Redis (callgrind) without them and
# with them. They are to add less than 10 %, else this fails.
#
#     make bench-price            SCALE=0.3 of a world's hour
#
# Instructions do not depend on what else the machine does. A world is replayed and its hours settled; the path is what a worker
# does with a message (decode, fold, apply, settle), without the reading of files. Of each function below the inclusive count is
# taken; none of them calls another. What the compiler has put into its caller is not seen.
. "$(dirname "$0")/../lib.sh"

pricing=(tariffs_init tariffs_at tariff_price tariff_band profile_is_opaque profile_ask profile_take profile_at)
identity=(principal_from_identity name_of_caller name_id cardinality_group cardinality_ask cardinality_take cardinality_ask_kept
	cardinality_take_kept cardinality_keeps_caller read_tagset cloudtrail_session cloudtrail_principal batch_add_session_tags
	batch_add_principal_tags send_session store_queue_tagsets queue_relabel)
need_functions "${pricing[@]}" "${identity[@]}"

command -v callgrind_annotate >/dev/null || bail "valgrind is not installed"
make_world --hours 1 --scale "${SCALE:-0.3}"
start_redis
valgrind --tool=callgrind --callgrind-out-file="$T/callgrind" --quiet "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >"$T/replay" 2>&1 ||
	bail "the replay failed: $(tail -n 1 "$T/replay")"
callgrind_annotate --inclusive=yes --threshold=100 --show=Ir "$T/callgrind" >"$T/inclusive" 2>/dev/null
count() { instructions "$T/inclusive" "$@"; }
row() { printf '%-44s %14s   %s\n' "$1" "$2" "${3:-}"; }
share() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f %%", 100 * a / b }'; }

path=$(count intake_message intake_apply engine_settle)
price=$(count "${pricing[@]}")
names=$(count "${identity[@]}")
before=$((path - price - names))
[ "$path" -gt 0 ] && [ "$price" -gt 0 ] && [ "$names" -gt 0 ] || bail "callgrind saw no such functions: was it built without symbols?"
row "records" "$(sed -n 's/^records  *//p' "$T/replay")"
row "instructions without prices and names" "$before"
row "with them" "$path" "$(share $((path - before)) "$before") more; to be below 10 %"
row "  looking up prices" "$price" "$(share "$price" "$before")"
row "  naming callers, joining their tags" "$names" "$(share "$names" "$before")"
row "loading the prices, once a start" "$(count prices_load catalogue_builtin)"
[ $((10 * (path - before))) -lt "$before" ]
