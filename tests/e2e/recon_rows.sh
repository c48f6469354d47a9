#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Which rows of a bill are Bedrock's, and what odd ones come to: the same in Parquet as in text, each row once, no dollar dropped.
. "$(dirname "$0")/../lib.sh"

duck=$top/$B/tests/duck_sql
require "no libduckdb.so: run deploy/install-deps --duckdb" "$duck" "SELECT 1"
start_redis

deliver() { # csv.gz|snappy.parquet SELECT
	local folder=$T/cur/x/data/BILLING_PERIOD=2026-10 how='FORMAT csv, HEADER, COMPRESSION gzip'
	rm -rf "$T/cur" && mkdir -p "$folder" "$T/cur/x/metadata/BILLING_PERIOD=2026-10"
	manifest=$T/cur/x/metadata/BILLING_PERIOD=2026-10/x-Manifest.json file=s3://b/x/data/BILLING_PERIOD=2026-10/x-00001.$1
	[ "$1" = csv.gz ] || how='FORMAT parquet'
	"$duck" "COPY ($2) TO '$folder/x-00001.$1' ($how)" || bail "the bill could not be made"
	echo "{\"dataFiles\": [\"$file\"]}" >"$manifest"
}
reconcile() { redis flushall >/dev/null && "$nowcast" reconcile --redis "$REDIS_URL" "$T/cur"; }
report() { "$nowcast" report --redis "$REDIS_URL" --from 2026-10-01 --to 2026-11-01 --format csv "$@" | sed 1d; }

# Every way in which a row is Bedrock's, one at a time and several at once; and some that are not.
rows() { # HOW-THE-MAP-IS-WRITTEN
	cat <<END
SELECT entity AS bill_billing_entity, 'Usage' AS line_item_line_item_type, 'USD' AS line_item_currency_code, code AS line_item_product_code,
	family AS product_product_family, service AS product_servicecode, $1 AS product, usage AS line_item_usage_type, unit AS pricing_unit,
	'111122223333' AS line_item_usage_account_id, 'arn:aws:sts::111122223333:assumed-role/r/s' AS line_item_iam_principal, '' AS line_item_resource_id,
	amount AS line_item_usage_amount, cost AS line_item_unblended_cost, cost AS pricing_public_on_demand_cost,
	TIMESTAMP '2026-10-05 03:00:00' AS line_item_usage_start_date, TIMESTAMP '2026-10-05 04:00:00' AS line_item_usage_end_date
FROM (VALUES
	('AWS', 'AmazonBedrockService', 'Amazon Bedrock', 'AmazonBedrockService', 'x', 'USE1-Claude4.6Sonnet-input-tokens', '1K tokens', 1000.0, 3.3),
	('AWS', 'AmazonBedrock', NULL, NULL, NULL, 'USE1-NovaPro-input-tokens', '1K tokens', 1000.0, 0.8),
	('AWS', NULL, 'Amazon Bedrock', NULL, NULL, 'USE1-NovaPro-output-tokens', '1K tokens', 1000.0, 3.2),
	('AWS', 'AmazonSomething', 'Amazon Bedrock', NULL, NULL, 'USE1-NovaPro-output-tokens', '1K tokens', 10.0, 0.032),
	(NULL, 'AmazonBedrock', 'Amazon Bedrock', NULL, NULL, 'USE1-NovaPro-output-tokens', '1K tokens', 10.0, 0.032),
	('AWS Marketplace', '7zgyu5r4uonlsrnaq20qq63eo', '', '', 'Claude Sonnet 4.6 (Amazon Bedrock Edition)', 'USE1-MP:USE1_OutputTokenCount-Units', 'Units', 1.0, 16.5),
	('AWS Marketplace', 'AmazonBedrockFoundationModels', 'Amazon Bedrock', 'AmazonBedrockFoundationModels', 'Claude Sonnet 4.6 (Amazon Bedrock Edition)', 'USE1-MP:USE1_InputTokenCount-Units', '1M tokens', 1.0, 3.3),
	('AWS Marketplace', 'opaque', NULL, 'AmazonBedrockFoundationModels', 'Claude Haiku 4.5', 'USE1-MP:USE1_InputTokenCount-Units', 'Units', 1.0, 1.1),
	('AWS Marketplace', 'another', NULL, NULL, 'Some firewall', 'USE1-MP:x', 'Units', 1.0, 99),
	('AWS', 'AmazonEC2', 'Compute Instance', 'AmazonEC2', 'Bedrock of ages', 'USE1-BoxUsage', 'Hrs', 1.0, 99)
) v(entity, code, family, service, name, usage, unit, amount, cost)
END
}
cat >"$T/want" <<'END'
amazon.nova-pro,input,1000000,0.800000000
amazon.nova-pro,output,1020000,3.264000000
anthropic.claude-haiku-4-5,input,1000000,1.100000000
anthropic.claude-sonnet-4-6,input,2000000,6.600000000
anthropic.claude-sonnet-4-6,output,1000000,16.500000000
END
each_once() { # NAME FORMAT MAP
	deliver "$2" "$(rows "$3")"
	ok "$1" reconcile
	report --by model,token_type | cut -d, -f1-4 >"$T/got"
	same_file "$1: each row of Bedrock once, no other" "$T/got" "$T/want"
}
each_once "Parquet, a real map" snappy.parquet "MAP {'product_name': name, 'region': 'us-east-1'}"
each_once "text, a map as JSON" csv.gz "'{\"product_name\":\"' || name || '\",\"region\":\"us-east-1\"}'"
each_once "text, a map in braces" csv.gz "'{region=us-east-1, product_name=' || name || '}'"
each_once "text, a map in braces with quotes" csv.gz "MAP {'product_name': name, 'region': 'us-east-1'}"

line() { # VALUES: usage of Nova as text, of TYPE, AMOUNT and COST
	echo "SELECT type AS line_item_line_item_type, 'AmazonBedrock' AS line_item_product_code, 'USE1-NovaPro-input-tokens' AS line_item_usage_type, '1K tokens' AS pricing_unit,
		'111122223333' AS line_item_usage_account_id, amount AS line_item_usage_amount, cost AS line_item_unblended_cost,
		'2026-10-05T03:00:00Z' AS line_item_usage_start_date, '2026-10-05T04:00:00Z' AS line_item_usage_end_date FROM (VALUES $1) v(type, amount, cost)"
}
odd() { # NAME VALUES FIGURES
	deliver csv.gz "$(line "$2")"
	ok "$1" reconcile
	is "$1: the figures" "$(report --by model | cut -d, -f2,3,6)" "$3"
}
odd "numbers with exponents" "('Usage', '1.5E2', '1.2E-1'), ('Usage', '1e-7', '0.00000000008')" "150000,0.120000000,billed"
odd "dollars without an amount" "('Usage', '0', '0.8')" "0,0.800000000,billed"
odd "more taken back than charged" "('Usage', '-1000', '-0.8')" "-1000000,-0.800000000,billed"
odd "tokens taken back, and dollars in part" "('Usage', '-1000', '-0.8'), ('Usage', '1000', '0.9')" "0,0.100000000,billed"
odd "an amount that fits no unit" "('Usage', '1000000000', '0.8')" "0,0.800000000,billed"
odd "amounts that no bill holds" "('Usage', '9e25', '0.8'), ('Usage', '9e25', '0.8')" "0,1.600000000,billed"
has "are told" "$(cat "$T/ok.out")" "^2 rows have a cost, an amount or a time that is no number"
odd "costs that no bill holds" "('Usage', '1', '9e25'), ('Usage', '1', '9e25'), ('Usage', '1000', '0.8')" "1002000,0.800000000,billed"
deliver csv.gz "$(line "('Usage', '1000', '0.8'), ('Usage', '1000', '0.5')" | sed "s/'2026-10-05T03:00:00Z' AS/CASE WHEN cost = '0.5' THEN '0001-01-01T00:00:00Z' ELSE '2026-10-05T03:00:00Z' END AS/")"
ok "a row of the year 1" reconcile
is "a row of the year 1: the figures" "$(report --by model | cut -d, -f2,3,6)" "1000000,0.800000000,billed"
has "is told with its dollars" "$(cat "$T/ok.out")" "^billed +1\.300000 USD"
odd "every kind of discount" "('Usage', '1000', '0.8'), ('EdpDiscount', '0', '-0.01'), ('SppDiscount', '0', '-0.02'), ('RiVolumeDiscount', '0', '-0.04')" "1000000,0.800000000,billed"
has "is kept apart" "$("$nowcast" report --reconciliation --redis "$REDIS_URL")" "discount .*-0\.07"

# What is no token of anybody stands apart by its kind, and none of its dollars is lost.
deliver csv.gz "SELECT type AS line_item_line_item_type, 'AmazonBedrock' AS line_item_product_code, usage AS line_item_usage_type, unit AS pricing_unit,
	'111122223333' AS line_item_usage_account_id, amount AS line_item_usage_amount, cost AS line_item_unblended_cost,
	'2026-10-05T03:00:00Z' AS line_item_usage_start_date, '2026-10-05T04:00:00Z' AS line_item_usage_end_date FROM (VALUES
	('Usage', 'USE1-NovaPro-input-tokens', '1K tokens', '1000', '0.8'),
	('Usage', 'USE1-MP:USE1_ProvisionedThroughput_NoCommit_ModelUnits_Usage', 'Units', '1', '44.5'),
	('Usage', 'USE1-anthropic.claude-sonnet-4-6-reserved-1-month-input-tokens-per-minute', '1K TPM Hour', '10', '1.98'),
	('Credit', 'USE1-NovaPro-input-tokens', '1K tokens', '0', '-0.5'), ('Refund', 'USE1-NovaPro-input-tokens', '1K tokens', '0', '-0.25'),
	('Tax', '', '', '0', '0.13'), ('Tribute', '', '', '0', '0.06')) v(type, usage, unit, amount, cost)"
ok "a bill of all kinds" reconcile
has "all dollars are counted" "$(cat "$T/ok.out")" '^billed +46\.720000 USD'
apart=$("$nowcast" report --reconciliation --redis "$REDIS_URL")
for kind in 'provisioned 44.5' 'reserved 1.98' 'credit -0.5' 'refund -0.25' 'tax 0.13' 'other 0.06'; do
	has "${kind% *} stands apart" "$apart" "^ *${kind% *} .*[ \$]${kind#* }0* "
done

# No row is taken for a comment or a title, and passed over.
deliver csv.gz "$(line "('Usage', '1000', '0.8'), ('Usage', '1000', '0.4')")"
data=$(find "$T/cur" -name '*.csv.gz')
zcat "$data" | sed 's/^\(.*\),\(.*0\.4.*\)$/#\1/' >"$T/cut.csv"
gzip -c "$T/cut.csv" >"$data"
fails 1 "a row cut short that begins with #" reconcile
has "is an error, and said so" "$(cat "$T/err")" "a row has too many or too few fields"

deliver csv.gz "$(line "('Usage', '1000', '0.8')")"
echo "{\"dataFiles\": [\"$file\", \"$file\"]}" >"$manifest"
ok "a manifest that names a file twice" reconcile
is "it is read once" "$(report --by model | cut -d, -f2,3)" "1000000,0.800000000"
has "and told" "$(cat "$T/ok.out")" "names $file twice: it is read once"

# Memory is bounded: what does not fit is refused, and what stood stays.
deliver snappy.parquet "SELECT 'Usage' AS line_item_line_item_type, 'AmazonBedrock' AS line_item_product_code, 'USE1-NovaPro-input-tokens' AS line_item_usage_type, '1K tokens' AS pricing_unit,
	'111122223333' AS line_item_usage_account_id, 'arn:aws:sts::111122223333:assumed-role/r/' || i AS line_item_iam_principal, 1.0 AS line_item_usage_amount, 0.0008 AS line_item_unblended_cost,
	TIMESTAMP '2026-10-05 03:00:00' AS line_item_usage_start_date FROM range(1500000) r(i)"
fails 2 "a bill of more callers than fit" /usr/bin/time -o "$T/peak" -f %M "$nowcast" reconcile --reconcile.memory 512MiB --redis "$REDIS_URL" "$T/cur"
has "is refused, and what helps is said" "$(cat "$T/err")" "(comes to more than [0-9]+ sums, which do not fit|Out of Memory .*): raise reconcile.memory"
is "within its bound" "$(tail -n 1 "$T/peak" | awk '{ print ($1 < 640 * 1024) }')" 1
is "and what stood stays" "$(report --by model | cut -d, -f2,3)" "1000000,0.800000000"
finish
