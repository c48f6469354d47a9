#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every CSV that the program writes, read back by another reader: a field for each name, in every row, whatever the names and tags
# hold, and whether there is a price or not.
. "$(dirname "$0")/../lib.sh"

A=111122223333
call() { # ID USER MODEL
	printf '{"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/%s","accountId":"%s"},"eventTime":"2026-10-05T03:30:00Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"%s"},"additionalEventData":{"inputTokens":1000,"outputTokens":10},"requestID":"%s","eventID":"e","eventType":"AwsApiCall","recipientAccountId":"%s","eventCategory":"Management"}\n' $A "$2" $A "$3" "$1" $A
}
rows() { # NAME FILE: prints the number of rows if all of them have the fields of the first
	python3 - "$1" <<'END'
import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline="")))
wrong = [r for r in rows if len(r) != len(rows[0])]
print(len(rows) - 1 if not wrong else f"{len(wrong[0])} fields under {len(rows[0])} names: {wrong[0]}")
END
}
whole() { # NAME ROWS COMMAND...: it prints a CSV of so many rows (+: of any number above 0), each with all fields
	local name=$1 want=$2 got
	shift 2
	"$nowcast" "$@" --redis "$REDIS_URL" >"$T/out.csv" 2>"$T/err" || diag "$(cat "$T/err")"
	got=$(rows "$T/out.csv")
	[ "$want" != + ] || ! [[ $got =~ ^[1-9][0-9]*$ ]] || want=$got
	is "$name" "$got" "$want"
}

start_redis
{
	call c-1 ann amazon.nova-pro-v1:0
	call c-2 ann acme.orbit-v1:0
	call c-3 bob acme.orbit-v1:0
} >"$T/calls.ndjson"
cat >"$T/tags.json" <<'END'
[{"Arn": "arn:aws:iam::111122223333:user/ann", "Tags": {"team": "=SUM(A1), \"the\" team", "env": "two\nlines, and a comma"}},
 {"Arn": "arn:aws:iam::111122223333:user/bob", "Tags": {"team": "-2+3"}}]
END
ok "tags that are no easy text" "$nowcast" tags import --redis "$REDIS_URL" --from 2026-10-01 "$T/tags.json"
ok "calls, with a price and without one" "$nowcast" replay --redis "$REDIS_URL" "$T/calls.ndjson"

whole "a report by caller" 2 report --format csv
whole "by tags that hold commas, quotes and line breaks" 2 report --by tag:team,tag:env --format csv
whole "by everything" 6 report --by hour,day,account,region,model,principal,token_type,tier --format csv
whole "of no hour" 0 report --from 2026-01-01 --to 2026-01-02 --format csv
whole "FOCUS, usage without a price too" 6 report --format focus
is "which says what it is" "$(python3 -c '
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
print(*sorted({(r["x_Model"], r["x_Basis"], bool(r["x_EstimatedCost"])) for r in rows}), sep="; ")
print(*sorted({r["ChargeDescription"] for r in rows if r["x_Model"] == "acme.orbit-v1:0"}), sep="; ")' "$T/out.csv")" \
	"('acme.orbit-v1:0', 'estimated, unpriced', False); ('amazon.nova-pro-v1:0', 'estimated', True)
input tokens of acme.orbit-v1:0; output tokens of acme.orbit-v1:0"
is "an estimate is no cost, and has its band" "$(python3 -c '
import csv, decimal, sys
rows = list(csv.DictReader(open(sys.argv[1])))
print(sorted({r[c] for r in rows for c in ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost")}))
D = decimal.Decimal
print(*sorted({(r["x_EstimateBasis"], not r["x_EstimatedCost"] or D(r["x_EstimatedCostLow"]) <= D(r["x_EstimatedCost"]) <= D(r["x_EstimatedCostHigh"])) for r in rows}))' "$T/out.csv")" \
	"['']
('exact', True) ('unpriced', True)"
is "calls are columns" "$("$nowcast" report --redis "$REDIS_URL" --by principal --format csv | python3 -c '
import csv, sys
print(*((r["principal"].split("/")[1], r["calls"], r["failed"]) for r in csv.DictReader(sys.stdin)))')" "('ann', '2', '0') ('bob', '1', '0')"
is "but not of a token type, which has none" "$("$nowcast" report --redis "$REDIS_URL" --by token_type --format csv | python3 -c '
import csv, sys
print({(r["calls"], r["failed"]) for r in csv.DictReader(sys.stdin)})')" "{('', '')}"
for of in "--by token_type" "--by principal,token_type" "--by principal --where token_type=input"; do
	# shellcheck disable=SC2086 # words
	is "unknown in JSON and in a table alike: $of" "$("$nowcast" report all --redis "$REDIS_URL" $of --format json | python3 -c '
import json, sys
print({(r["calls"], r["failed"]) for r in json.load(sys.stdin)})') $("$nowcast" report all --redis "$REDIS_URL" $of | sed -n 2p | awk '{ print $NF }')" "{(None, None)} -"
done
has "and in a table that is watched" "$("$nowcast" top --redis "$REDIS_URL" --by token_type --turns 1)" '^(input|output) +- '

# A reader that has what it wants ends a command quietly; a disk that is full does not.
for format in table csv json focus; do
	for by in hour,principal,model,token_type principal; do
		"$nowcast" report all --redis "$REDIS_URL" --by $by --format $format 2>"$T/err" | true
		is "a reader that has gone is no failure: $format by $by" "${PIPESTATUS[0]}$(cat "$T/err")" 0
	done
	"$nowcast" report all --redis "$REDIS_URL" --format $format >/dev/full 2>"$T/err"
	has "a full disk is: $format" "$? $(cat "$T/err")" '^1 nowcast: the output cannot be written'
done
for command in "price list --format csv" "price list" help "check-config --man" "tags show arn:aws:iam::$A:user/ann" "who ann --now 2026-10-06T00:00:00Z" "explain arn:aws:iam::$A:user/ann 2026-10-05T03:00:00Z" \
	"top --turns 3 --every 1" "price show amazon.nova-pro-v1:0" "profiles list" "price usage-type USE1-NovaPro-input-tokens" "alert list" "report --scoreboard" version; do
	# shellcheck disable=SC2086 # words
	"$nowcast" $command --redis "$REDIS_URL" 2>"$T/err" | true
	said="${PIPESTATUS[0]} $(grep -v '^nowcast [a-z-]*: \(no\|without\|neither\)' "$T/err")"
	has "nor is it to: $command" "$said" '^[03] $'
done
"$nowcast" doctor --redis "$REDIS_URL" 2>"$T/err" | true
has "nor to doctor" "${PIPESTATUS[0]} $(cat "$T/err")" '^3 $'
is "one is one" "$("$nowcast" doctor --redis "$REDIS_URL" | grep -cE '(^|[ (])1 [a-z-]+s( |,|$)' )" 0

has "and in the table" "$("$nowcast" report --redis "$REDIS_URL" --by principal)" 'user/ann .* 2$'
whole "the price list" + price list --format csv
own() { # NAME FILE: a CSV that the program keeps for itself is one, too
	local got
	got=$(rows "$2")
	has "$1" "$got" '^[1-9][0-9]*$'
}
mkdir "$T/prices"
echo '{"amazon.nova-pro-v1:0": {"litellm_provider": "bedrock_converse", "mode": "chat", "input_cost_per_token": 8e-07, "output_cost_per_token": 3.2e-06},
	"acme.a,b\"c-v1:0": {"litellm_provider": "bedrock", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06}}' >"$T/litellm.json"
ok "a table of LiteLLM" "$nowcast" price import litellm --prices-dir "$T/prices" --yes "$T/litellm.json"
own "prices that were imported" "$T/prices/litellm.csv"
whole "the scoreboard, before a bill" 0 report --scoreboard --format csv
whole "the reconciliation, before a bill" 0 report --reconciliation --format csv

duck=$top/$B/tests/duck_sql
"$duck" "SELECT 1" >/dev/null 2>&1 || { diag "no libduckdb.so: the rest needs a bill"; finish; }
folder=$T/cur/x/data/BILLING_PERIOD=2026-10
mkdir -p "$folder" "$T/cur/x/metadata/BILLING_PERIOD=2026-10"
"$duck" "COPY (SELECT type AS line_item_line_item_type, 'AmazonBedrock' AS line_item_product_code, usage AS line_item_usage_type, '1K tokens' AS pricing_unit,
	'$A' AS line_item_usage_account_id, 'arn:aws:iam::$A:user/ann' AS line_item_iam_principal, '100' AS line_item_usage_amount, '0.5' AS line_item_unblended_cost,
	'2026-10-' || day || 'T03:00:00Z' AS line_item_usage_start_date, '2026-10-' || day || 'T04:00:00Z' AS line_item_usage_end_date
	FROM (VALUES ('Usage', 'USE1-NovaPro-input-tokens', '05'), ('Usage', 'USE1-NovaPro-input-tokens', '06'), ('Tax', 'Tax, \"VAT\"', '05'),
		('Credit', 'Credit', '05')) v(type, usage, day)) TO '$folder/x-00001.csv.gz' (FORMAT csv, HEADER, COMPRESSION gzip)" ||
	bail "the bill could not be made"
echo '{"dataFiles": ["s3://b/x/data/BILLING_PERIOD=2026-10/x-00001.csv.gz"]}' >"$T/cur/x/metadata/BILLING_PERIOD=2026-10/x-Manifest.json"
ok "a bill" "$nowcast" reconcile --redis "$REDIS_URL" --prices-dir "$T/prices" "$T/cur"
whole "the reconciliation" + report --reconciliation --format csv
whole "by several groups" + report --reconciliation --by tag:team,model,hour --format csv
whole "the scoreboard" + report --scoreboard --format csv
whole "FOCUS of a bill" + report all --format focus
is "has its costs, and the estimates of what it has not" "$(python3 -c '
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
print(*sorted({(r["ChargeCategory"], r["x_Basis"], bool(r["BilledCost"]), bool(r["x_EstimatedCost"])) for r in rows}), sep="\n")' "$T/out.csv")" \
	"('Credit', 'billed', True, False)
('Tax', 'billed', True, False)
('Usage', 'billed', True, False)
('Usage', 'unbilled', True, False)"
whole "a report of a bill" + report --by tag:team,model --format csv
finish
