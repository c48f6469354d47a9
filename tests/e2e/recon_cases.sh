#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bills that others sent, of ../shared/cases (or $SHARED/cases), with the outcome that each must have.
. "$(dirname "$0")/../lib.sh"

cases=${SHARED:-../shared}/cases
[ -d "$cases" ] || skip_all "no $cases: it is not part of the tree"
require "no libduckdb.so: run deploy/install-deps --duckdb" "$top/$B/tests/duck_sql" "SELECT 1"
start_redis

reconciled() { # FOLDER SIGNALS BILL: the calls of a case, and its bill
	redis flushall >/dev/null
	"$nowcast" replay --redis "$REDIS_URL" "$cases/$1/$2" >/dev/null 2>&1
	ok "$1: $3" "$nowcast" reconcile --redis "$REDIS_URL" "$cases/$1/$3"
}
by() { "$nowcast" report --redis "$REDIS_URL" --by "$1" --format csv | sed 1d | cut -d, -f"$2" | paste -sd' '; }

reconciled 06-india-profiles trail.ndjson cur2
is "the profile of a new geography is billed, once" "$(by model 1-3,6 | tr ' ' '\n' | grep haiku)" "in.anthropic.claude-haiku-4-5-20251001-v1:0,49000,0.093500000,billed"
is "and the hour is the bill" "$(by hour 2-3)" "49000,0.093500000"

for bill in cur2 cur2-with-project-as-resource cur2-first-party-control; do
	reconciled 11-marketplace-product-of-openai signals.ndjson $bill
	is "the hour is the bill, and nothing beside it" "$(by hour 2-3,6)" "273000,1.947000000,billed"
	has "the budget does not ring" "$("$nowcast" alert check --redis "$REDIS_URL" --now 2026-11-20T12:00:00Z --alerts.file "$cases/11-marketplace-product-of-openai/alerts.conf" 2>&1)" "^0 conditions hold"
done

reconciled 13-usage-that-is-no-token-has-a-caller signals.ndjson cur2
is "each has what is his; only the custom model is nobody's" "$(by principal 1,3 | sed 's/arn:[^ ,]*assumed-role.//g')" "(unattributed),4.710000000 summarizer/worker-1,4.600000000 voice/line-7,11.200000000"
finish
