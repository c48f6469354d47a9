#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Random bills and random calls, through a real reconciliation: where the bill is final, every reader shows its dollars and tokens, to
# the micro-dollar, in every account, Region and hour (or day); elsewhere the estimate. SEED=n repeats a run, ROUNDS=n says how many.
. "$(dirname "$0")/../lib.sh"

require "no libduckdb.so: run deploy/install-deps --duckdb" "$top/$B/tests/duck_sql" "SELECT 1"
start_redis
seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
diag "SEED=$seed"
printf '[rule by_account]\nkind = budget\nby = account\nperiod = month\namount = 1\n' >"$T/budgets"

for ((round = 0; round < ${ROUNDS:-8}; round++)); do
	folder=$T/$round
	mkdir "$folder"
	python3 tests/support/random_bill.py $((seed + round)) "$folder" || bail "no bill"
	redis flushall >/dev/null
	"$nowcast" replay --redis "$REDIS_URL" "$folder/signals.ndjson" >/dev/null 2>&1
	"$nowcast" report all --redis "$REDIS_URL" --by hour,account,region --format json >"$folder/before.json"
	"$nowcast" reconcile --redis "$REDIS_URL" "$folder/cur" >"$folder/said" 2>&1 || diag "$(tail -n 3 "$folder/said")"
	free_port
	start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --now 2026-10-31T00:00:00Z --alerts-file "$T/budgets"
	wait_for 10 listens "$port" || bail "nowcast serve does not listen"
	python3 tests/support/check_bill.py "$folder" "$nowcast" "$REDIS_URL" "http://127.0.0.1:$port" "$folder/before.json" >"$folder/off" 2>&1
	result $? "SEED=$((seed + round)): every reader shows the bill" || diag "$(grep -v '^#' "$folder/off" | tail -n 20)"
	grep '^#' "$folder/off"
	stop "$pid"
done
finish
