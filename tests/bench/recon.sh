#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Bills of ten million rows, one in twenty of Bedrock, reconciled beside DuckDB doing the bare aggregation of the same files: one
# with twenty rows for each caller, hour and type of tokens, as where many tags or operations stand behind one, and one with hardly
# more than one, where there are 400,000 figures to be set beside the estimate and stored.
# Both programs are run RUNS times in turn, and their medians count. ROWS=n changes the size.
. "$(dirname "$0")/../lib.sh"

rows=${ROWS:-10000000} runs=${RUNS:-7}
duck=$top/$B/tests/duck_sql
declare -A spread=(
	[many]="i // 20 % 50 AS app, i // 1000 % 8 AS session, i // 20 % 4 AS what, i // 7 % 20 AS account, i // 100 % 720 AS hour"
	[few]="hash(i) % 50 AS app, hash(i) // 50 % 8 AS session, hash(i) // 400 % 4 AS what, hash(i) % 50 % 20 AS account, i * 720 // $rows AS hour"
)

place() { # SPREAD
	cur=$top/$B/bench-cur-$rows-$1/bench
	files=$cur/data/BILLING_PERIOD=2026-10
}
make_bill() { # SPREAD
	mkdir -p "$files" "$cur/metadata/BILLING_PERIOD=2026-10"
	local n
	for n in 1 2 3 4; do
		"$duck" "SET preserve_insertion_order = false" "COPY (
			SELECT 'AWS' AS bill_billing_entity, '' AS bill_invoice_id, md5(i::VARCHAR) AS identity_line_item_id,
				CASE WHEN b THEN 'arn:aws:sts::' || a || ':assumed-role/app-' || app || '/session-' || session ELSE '' END AS line_item_iam_principal,
				'Usage' AS line_item_line_item_type, 'USD' AS line_item_currency_code,
				CASE WHEN b THEN 'AmazonBedrockService' ELSE 'AmazonEC2' END AS line_item_product_code,
				CASE WHEN b THEN 'arn:aws:bedrock:us-east-1:' || a || ':inference-profile/us.anthropic.claude-sonnet-4-6' ELSE 'i-' || (i % 100000) END AS line_item_resource_id,
				a AS line_item_usage_account_id, (i % 1000) / 1000.0 + 1 AS line_item_usage_amount,
				((i % 1000) / 1000.0 + 1) * 0.0033 AS line_item_unblended_cost, ((i % 1000) / 1000.0 + 1) * 0.0033 AS pricing_public_on_demand_cost,
				t AS line_item_usage_start_date, t + INTERVAL 1 HOUR AS line_item_usage_end_date,
				CASE WHEN b THEN 'USE1-Claude4.6Sonnet-' || ['input-tokens', 'output-tokens', 'cache-read-input-token-count', 'cache-write-input-token-count'][1 + what]
					ELSE 'USE1-BoxUsage:m' || (i % 40) END AS line_item_usage_type,
				'1K tokens' AS pricing_unit, 'us-east-1' AS product_region_code,
				CASE WHEN b THEN 'Amazon Bedrock' ELSE 'Compute Instance' END AS product_product_family,
				MAP {'product_name': 'x', 'region': 'us-east-1'} AS product
			FROM (SELECT i, i % 20 = 0 AS b, app, session, what::BIGINT AS what, (111122223333 + account)::VARCHAR AS a, TIMESTAMP '2026-10-01' + INTERVAL 1 HOUR * hour AS t
				FROM (SELECT i, ${spread[$1]} FROM range($rows // 4 * ($n - 1), $rows // 4 * $n) r(i)))
		) TO '$files/bench-0000$n.snappy.parquet' (FORMAT parquet, COMPRESSION snappy)" || bail "the bill could not be made"
	done
	printf '{"dataFiles": ["%s"]}\n' "$(printf 's3://bill/bench/data/BILLING_PERIOD=2026-10/bench-0000%s.snappy.parquet","' 1 2 3 4 | sed 's/","$//')" \
		>"$cur/metadata/BILLING_PERIOD=2026-10/bench-Manifest.json"
}

milliseconds() { # COMMAND...
	local began
	began=$(date +%s%N)
	"$@" >"$T/out" 2>&1 || { cat "$T/out"; bail "failed: $*"; }
	echo $((($(date +%s%N) - began) / 1000000))
}
bare() {
	"$duck" "SET memory_limit = '1GiB'" "CREATE TEMP TABLE t AS SELECT line_item_usage_type, line_item_usage_account_id, line_item_iam_principal, line_item_resource_id,
		line_item_usage_start_date, sum(line_item_usage_amount), sum(line_item_unblended_cost), sum(pricing_public_on_demand_cost), count(*)
		FROM read_parquet('$files/*.parquet') WHERE product_product_family = 'Amazon Bedrock' OR line_item_product_code IN ('AmazonBedrock', 'AmazonBedrockService')
		GROUP BY ALL"
}
ours() { /usr/bin/time -f '%M KiB at most' "$nowcast" reconcile --redis "$REDIS_URL" "$cur"; }
median() { sort -n "$1" | sed -n "$(((runs + 1) / 2))p"; }

measure() { # SPREAD
	place "$1"
	[ -e "$cur/metadata/BILLING_PERIOD=2026-10/bench-Manifest.json" ] || make_bill "$1"
	bare >"$T/out" 2>&1 || bail "the bare aggregation failed: $(cat "$T/out")" # the files are in memory from here on
	: >"$T/bare" && : >"$T/ours"
	for _ in $(seq "$runs"); do
		redis flushall >/dev/null
		milliseconds bare >>"$T/bare"
		milliseconds ours >>"$T/ours"
	done
	grep -E 'bedrock_rows|billed|KiB at most' "$T/out"
	printf 'reconcile, %s rows a figure: %d rows in %d ms; DuckDB alone, bare aggregation: %d ms; ratio %s, medians of %d\n' "$1" "$rows" \
		"$(median "$T/ours")" "$(median "$T/bare")" "$(awk "BEGIN { printf \"%.2f\", $(median "$T/ours") / $(median "$T/bare") }")" "$runs"
}

start_redis
measure many
measure few
