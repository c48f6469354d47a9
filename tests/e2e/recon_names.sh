#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whatever the bill calls a model, a caller or a unit: its dollars take the place of the estimate, once, under the names that the
# estimate has where they can be matched. What cannot be matched is told, counted by doctor, and matched by a line of the user's.
# Usage types and products as in AWS's documentation and price list (Amazon Bedrock pricing; "CUR 2.0 table dictionary").
. "$(dirname "$0")/../lib.sh"

require "no libduckdb.so: run deploy/install-deps --duckdb" "$top/$B/tests/duck_sql" "SELECT 1"
start_redis
export PYTHONPATH=$top/tests/support PYTHONDONTWRITEBYTECODE=1
hour=2026-10-05T09:00:00Z
mkdir "$T/prices"

# Reads a script that fills `signals` and `rows`; applies the former and reconciles the latter. What reconcile says is in $T/said.
bill() { # [RECONCILE-ARGUMENT...] <SCRIPT
	rm -rf "$T/cur"
	cat - >"$T/script.py"
	python3 - "$T" <<-END || bail "the bill could not be made"
		import json, sys
		import made_bill
		A, HOUR, END = "111122223333", "2026-10-05T09:00:00Z", "2026-10-05T10:00:00Z"
		MS = 1791190800000
		signals, rows, without = [], [], []
		def call(caller, model, tokens=None, **more):
		    signals.append(made_bill.call(more.pop("account", A), more.pop("region", "us-east-1"), more.pop("when", "2026-10-05T09:12:00Z"), caller, model, "%032x" % len(signals), tokens, **more))
		def metric(model, name, total):
		    signals.append(made_bill.metric(A, "us-east-1", MS, model, name, total))
		def row(caller, usage, unit, amount, cost, product="", **more):
		    rows.append(made_bill.row(A, more.pop("region", "us-east-1"), more.pop("start", HOUR), more.pop("end", END), caller, usage, unit, amount, cost, product and product + " (Amazon Bedrock Edition)", **more))
		exec(open(sys.argv[1] + "/script.py").read())
		open(sys.argv[1] + "/signals.ndjson", "w").writelines(json.dumps(s) + "\n" for s in signals)
		made_bill.write_export(sys.argv[1] + "/cur", "2026-10", rows, without)
	END
	redis flushall >/dev/null
	"$nowcast" replay --redis "$REDIS_URL" "$T/signals.ndjson" >/dev/null 2>&1
	[ ! -s "$T/tags.json" ] || "$nowcast" tags import --redis "$REDIS_URL" --from 2026-10-01 "$T/tags.json" >/dev/null
	"$nowcast" reconcile --redis "$REDIS_URL" --prices-dir "$T/prices" "$@" "$T/cur" >"$T/said" 2>&1 || diag "$(cat "$T/said")"
}
by() { "$nowcast" report all --redis "$REDIS_URL" --by "$1" --format csv | sed "1d; s/,[^,]*,[^,]*$//" | cut -d, -f"$2"; }
lines() { paste -sd' '; }

# --- products of any vendor, profiles of any geography

bill <<'END'
call("assumed-role/a/one", "xai.grok-4.3", (90000, 4000))
call("assumed-role/a/one", "mx.anthropic.claude-opus-5-5", (50000, 2000))
call("user/ann", "cohere.command-r-plus-v1:0", (7000, 500))
call("user/ann", "meta.llama3-3-70b-instruct-v1:0", (8000, 600))
row("assumed-role/a/one", "USE1-MP:USE1_input_tokens_standard-Units", "Units", "0.09", "0.1125", "xAI Grok 4.3")
row("assumed-role/a/one", "USE1-MP:USE1_output_tokens_standard-Units", "Units", "0.004", "0.01", "xAI Grok 4.3")
row("assumed-role/a/one", "USE1-MP:USE1_cached_input_tokens_standard-Units", "1M tokens", "0.03", "0.0132", "Claude Opus 5.5")
row("assumed-role/a/one", "USE1-MP:USE1_cache_writes_tokens_standard-Units", "1M tokens", "0.02", "0.11", "Claude Opus 5.5")
row("assumed-role/a/one", "USE1-MP:USE1_output_tokens_standard-Units", "1M tokens", "0.002", "0.044", "Claude Opus 5.5")
row("user/ann", "USE1-MP:USE1_InputTokenCount-Units", "Units", "0.007", "0.021", "Cohere Command R+")
row("user/ann", "USE1-Llama3-3-70B-input-tokens", "1K tokens", "8", "0.00576")
END
is "the hour is what was billed, and nothing beside it" "$(by hour 2-)" "161000,0.316460000,0.316460000,0.316460000,billed"
is "under the names of the calls" "$(by model 1-3 | lines)" "cohere.command-r-plus-v1:0,7000,0.021000000 meta.llama3-3-70b-instruct-v1:0,8000,0.005760000 \
mx.anthropic.claude-opus-5-5,52000,0.167200000 xai.grok-4.3,94000,0.122500000"
has "everything matches" "$(redis hget nowcast:reconcile:2026-10 unmatched)" '^0$'

# --- without resources, several keys of one model

bill <<'END'
without = ["line_item_resource_id"]
call("user/ann", "us.anthropic.claude-sonnet-4-6", (60000, 0))
call("user/ann", "anthropic.claude-sonnet-4-6", (20000, 0))
call("user/bob", "us.anthropic.claude-sonnet-4-6", (10000, 0))
row("user/ann", "USE1-Claude4.6Sonnet-input-tokens", "1K tokens", "80", "0.264")
row("user/bob", "USE1-MP:USE1_InputTokenCount-Units", "Units", "0.01", "0.033", "Claude Sonnet 4.6")
END
is "a line is divided among the keys that its caller used" "$(by principal,model 1-4,7 | sed 's/.*user.//' | lines)" \
	"ann,anthropic.claude-sonnet-4-6,20000,0.066000000,billed ann,us.anthropic.claude-sonnet-4-6,60000,0.198000000,billed bob,us.anthropic.claude-sonnet-4-6,10000,0.033000000,billed"

# --- resources of bedrock-mantle, and ids that are no ARN

bill <<'END'
call("user/ann", "openai.gpt-5.6-luna", (60000, 0))
call("user/ann", "apac.amazon.nova-pro-v1:0", (20000, 0))
row("user/ann", "USE1-openai.gpt-5.6-luna-mantle-input-tokens-standard", "1K tokens", "60", "0.0132",
    line_item_resource_id="arn:aws:bedrock-mantle:us-east-1:111122223333:project/proj_5f2c")
row("user/ann", "USE1-NovaPro-input-tokens", "1K tokens", "20", "0.016", line_item_resource_id="apac.amazon.nova-pro-v1:0")
END
is "a project is no model, and an id is one" "$(by model 1-3,6 | lines)" "apac.amazon.nova-pro-v1:0,20000,0.016000000,billed bedrock-mantle/openai.gpt-5.6-luna,60000,0.013200000,billed"

# --- what no name matches: shown, told, counted, and matched by a line

saga() {
	bill "$@" <<-'END'
		call("user/ann", "acme.saga-9", (60000, 0))
		call("user/ann", "amazon.nova-pro-v1:0", (1000, 0))
		row("user/ann", "USE1-MP:USE1_input_tokens_standard-Units", "Units", "0.06", "0.6", "Acme Saga the Ninth")
		row("user/ann", "USE1-NovaPro-input-tokens", "1K tokens", "1", "0.0008")
	END
}
saga
is "what was billed counts, what was estimated beside it does not" "$(by hour 2-)" "61000,0.600800000,0.600800000,0.600800000,billed; unbilled 60000 tokens"
is "both are shown" "$(by model 1-3,6 | lines)" "acme-saga-the-ninth,60000,0.600000000,billed acme.saga-9,0,0.000000000,unbilled 60000 tokens amazon.nova-pro-v1:0,1000,0.000800000,billed"
has "reconcile tells the name" "$(cat "$T/said")" '^billed, matches no model that was called: "Acme Saga the Ninth" .*60000 tokens, 0.60 USD$'
has "and what may be meant" "$(cat "$T/said")" '^called, and not billed by any name that matches: acme.saga-9 in 111122223333/us-east-1, 60000 tokens, without an estimate in dollars: no price is known$'
has "in the reconciliation, too" "$("$nowcast" report --redis "$REDIS_URL" --reconciliation --prices-dir "$T/prices")" '^60000 tokens have no price: their estimate is unknown'
has "and in its JSON" "$("$nowcast" report --redis "$REDIS_URL" --reconciliation --format json)" '"estimated_tokens_unpriced":60000[,}]'
has "and what to do" "$(cat "$T/said")" 'names\.csv'
has "doctor counts it" "$("$nowcast" doctor --redis "$REDIS_URL" 2>&1)" '^note +bill +1 name in the bill of 2026-10, for \$0\.60, matches no model that was called: .*names\.csv'
"$nowcast" report --redis "$REDIS_URL" --format focus >"$T/focus.csv"
is "FOCUS has the word and the tokens, and no cost" "$(python3 -c '
import csv, sys
for r in csv.DictReader(open(sys.argv[1])):
    if r["x_Basis"] == "unbilled": print(r["x_Model"], r["x_TokensUnbilled"], r["ConsumedQuantity"], float(r["BilledCost"]), float(r["EffectiveCost"]), float(r["ListCost"]))' "$T/focus.csv")" "acme.saga-9 60000 0 0.0 0.0 0.0"
has "so has JSON" "$("$nowcast" report --redis "$REDIS_URL" --by model --format json)" '"model":"acme.saga-9".*"tokens":0,.*"tokens_unbilled":60000,.*"basis":"unbilled 60000 tokens"'
has "the reconciliation says the same" "$("$nowcast" report --reconciliation --redis "$REDIS_URL" --by model --format csv | sed -n '/^acme.saga-9/p')" '^acme.saga-9,60000,0,'
has "explain, too" "$("$nowcast" explain --redis "$REDIS_URL" arn:aws:iam::111122223333:user/ann $hour)" 'input +60000 not on the bill, in no sum; unpriced$'
printf '[rule day]\nkind = budget\nby = all\nperiod = day\namount = 0.61\nat = 100\n' >"$T/alerts.conf"
has "a budget does not ring for it" "$("$nowcast" alert check --redis "$REDIS_URL" --now 2026-10-05T12:00:00Z --alerts.file "$T/alerts.conf" 2>&1)" '^0 conditions hold'
printf 'name,model\nAcme Saga the Ninth,acme.saga-9\n' >"$T/prices/names.csv"
saga
is "a line in names.csv matches it" "$(by model 1-3,6 | lines)" "acme.saga-9,60000,0.600000000,billed amazon.nova-pro-v1:0,1000,0.000800000,billed"
has "doctor is content" "$("$nowcast" doctor --redis "$REDIS_URL" 2>&1)" '^ok +bill +every name in the bill of 2026-10 matches'
printf 'name,model\nAcme Saga the Ninth\n' >"$T/prices/names.csv"
rm -f "$T/prices/bill.csv"
fails 2 "a bad line is refused" "$nowcast" reconcile --redis "$REDIS_URL" --prices-dir "$T/prices" "$T/cur"
has "with its number" "$(cat "$T/err")" 'names\.csv:2: expected name,model'
rm "$T/prices/names.csv"

bill <<'END'
call("user/ann", "amazon.nova-pro-v1:0", (1000, 0))
row("user/ann", "USE1-MP:USE1_input_tokens_standard-Units", "Units", "0.001", "0.0008",
    bill_billing_entity="AWS Marketplace", line_item_product_code="3f8j2k1l9m0n7p6q5r4s3t2u", product_servicecode="AmazonBedrockFoundationModels")
END
has "a product without a name is told by its code" "$(cat "$T/said")" '"3f8j2k1l9m0n7p6q5r4s3t2u"'

# --- what the bill gives to a caller is that caller's, whatever the unit

cat >"$T/tags.json" <<'END'
[{"Arn": "arn:aws:iam::111122223333:role/studio", "Tags": {"team": "film"}}, {"Arn": "arn:aws:iam::111122223333:user/ann", "Tags": {"team": "search"}}]
END
bill <<'END'
signals.append(made_bill.session_tags(A, "2026-10-05T08:50:00Z", "assumed-role/voice/line-7", "ASIATESTKEY7", {"team": "phone"}))
call("assumed-role/voice/line-7", "amazon.nova-lite-v1:0", (1000, 100), key="ASIATESTKEY7")
row("assumed-role/voice/line-7", "USE1-NovaLite-input-tokens", "1K tokens", "1", "0.00006")
row("assumed-role/voice/line-7", "USE1-NovaSonic-speech-understanding-input-token", "1K tokens", "30", "0.102")
row("assumed-role/voice/line-7", "USE1-Guardrail-ContentPolicyUnitsConsumed", "1K TextUnits", "0.25", "0.0375")
row("assumed-role/studio/cut", "USE1-NovaReel-T2V-Medfps-HDRes", "second", "6.5", "0.52")
row("assumed-role/studio/cut", "USE1-MP:USE1_CreatedImageInpaint-Units", "Units", "3", "0.21", "Stable Image Inpaint v1.0")
row("user/ann", "USE1-MP:USE1_search_units-Units", "Units", "7", "0.014", "Cohere Rerank v3.5")
row("user/ann", "USE1-WebGrounding-Requests", "Requests", "2", "0.03")
row("user/ann", "USE1-MP:USE1_InputTokenCount_Batch-Units", "Units", "0.5", "0.825", "Claude Sonnet 4.6")
row("", "USE1-OSS-CustomModelImport-Inference-v1:0", "Custom Model Unit per Min", "5", "0.4")
row("", "USE1-OSS-CustomModelImport-Storage-v1:0", "Model/month", "1", "1.95")
row("", "USE1-Consumption-based:vCPU", "vCPU-Hours", "1", "0.0895", line_item_product_code="AmazonBedrockAgentCore")
END
is "every caller has what is his" "$(by principal 1-3 | sed 's/.*333://; s/assumed-role.//' | lines)" \
	"(unattributed),5,0.400000000 user/ann,500009,0.869000000 studio/cut,9,0.730000000 voice/line-7,31250,0.139560000"
is "every team, by the tags of its roles, its users and its sessions" "$(by team 1,3 | lines)" ",0.400000000 film,0.730000000 phone,0.139560000 search,0.869000000"
is "tokens are told from other units" "$(by principal,token_type 1-4 | sed 's/.*333://; s/assumed-role.//' | lines)" \
	"(unattributed),units,5,0.400000000 user/ann,input,500000,0.825000000 user/ann,units,9,0.044000000 studio/cut,units,9,0.730000000 voice/line-7,input,31000,0.102060000 voice/line-7,units,250,0.037500000"
is "a batch has its tier" "$(by model,tier 1-3 | grep batch)" "anthropic.claude-sonnet-4-6,batch,500000"
has "what is no inference stands apart" "$("$nowcast" report --reconciliation --redis "$REDIS_URL" --format csv --by account)" ',2\.039500000000,'
has "all dollars are counted" "$(cat "$T/said")" '^billed +4\.178060 USD'
rm "$T/tags.json"

# --- a month that nobody reconciled stays with its estimate

bill <<'END'
call("user/ann", "amazon.nova-pro-v1:0", (1000000, 0))
call("user/ann", "amazon.nova-pro-v1:0", (2000000, 0), when="2026-09-15T09:12:00Z")
call("user/ann", "amazon.nova-pro-v1:0", (3000000, 0), when="2026-08-15T09:12:00Z")
row("user/ann", "USE1-NovaPro-input-tokens", "1K tokens", "1000", "0.8")
for month in ("08",):
    made_bill.write_export(sys.argv[1] + "/cur", "2026-" + month, [made_bill.row(A, "us-east-1", "2026-08-15T09:00:00Z", "2026-08-15T10:00:00Z", "user/ann", "USE1-NovaPro-input-tokens", "1K tokens", "2900", "2.32")])
END
is "between two that were" "$(by day 1-3,6 | lines)" "2026-08-15,2900000,2.320000000,billed 2026-09-15,2000000,1.600000000,exact 2026-10-05,1000000,0.800000000,billed"
# --- what was billed, by the minute: each caller's at the time of its own calls

bill <<'END'
for who, minute in ("ann", 10), ("bob", 30), ("eve", 50):
    call("user/" + who, "anthropic.claude-sonnet-4-6", (60000, 0), when=f"2026-10-05T09:{minute}:00Z")
    row("user/" + who, "USE1-Claude4.6Sonnet-input-tokens", "1K tokens", "60", "2")
END
printf '[rule each]\nkind = budget\nby = principal\nperiod = hour\namount = 1\nat = 100\n' >"$T/alerts.conf"
is "a backtest has a budget passed then" "$("$nowcast" alert backtest --redis "$REDIS_URL" --alerts.file "$T/alerts.conf" --from $hour --to 2026-10-05T10:00:00Z | sed -n 's/.*T\(.....\).*user.\([a-z]*\).*/\1 \2/p' | lines)" \
	"09:10 ann 09:30 bob 09:50 eve"
finish
