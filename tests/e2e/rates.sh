#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Rates on what the world sends: profiles of new geographies, prompts beyond a limit, Regions without a rate, tiers that no list
# knows, discounts; and price lists that `run` keeps current.
. "$(dirname "$0")/../lib.sh"

# call N REGION MODEL INPUT OUTPUT [more request parameters]: a CloudTrail record of a Converse call.
call() {
	printf '{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE1:w","arn":"arn:aws:sts::111122223333:assumed-role/app/w","accountId":"111122223333","accessKeyId":"ASIAEXAMPLEKEY000001","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE1","arn":"arn:aws:iam::111122223333:role/app","accountId":"111122223333","userName":"app"},"attributes":{"creationDate":"2026-11-20T09:00:00Z","mfaAuthenticated":"false"}}},"eventTime":"2026-11-20T09:12:31Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"%s","requestParameters":{"modelId":"%s"%s},"responseElements":null,"requestID":"%02dad863a-5cef-4cf5-8fe1-729739310001","eventID":"%02d51958f-4e57-4a09-b30f-24e271570001","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","additionalEventData":{"inputTokens":%s,"outputTokens":%s}}\n' "$2" "$3" "${6:-}" "$1" "$1" "$4" "$5"
}
metric() { # NAME MODEL SUM
	printf '{"metric_stream_name":"b","account_id":"111122223333","region":"us-east-1","namespace":"AWS/BedrockMantle","metric_name":"%s","dimensions":{"Model":"%s"},"timestamp":1795165920000,"value":{"count":1.0,"sum":%s,"max":%s,"min":1.0},"unit":"Count"}\n' "$1" "$2" "$3" "$3"
}
start_redis
# replay FILE [option...]: replays and keeps the report by model in $T/models.csv
replay() {
	local file=$1
	shift
	redis flushall >/dev/null
	"$nowcast" replay --prices builtin --redis "$REDIS_URL" "$@" "$file" >"$T/out" 2>"$T/err" || { cat "$T/err"; return 1; }
	"$nowcast" report --redis "$REDIS_URL" --by model --format csv | sed "s/,[^,]*,[^,]*$//" >"$T/models.csv"
}
usd() { grep -F "$1," "$T/models.csv" | cut -d, -f3; }
basis() { grep -F "$1," "$T/models.csv" | cut -d, -f6-; }

# Profiles of geographies that came later.
{
	call 1 ap-south-1 in.anthropic.claude-haiku-4-5-20251001-v1:0 40000 9000
	call 2 ap-south-1 in.anthropic.claude-sonnet-5 40000 9000
	call 3 ap-south-1 in.openai.gpt-5.6-terra 40000 9000
	call 4 sa-east-1 sa.anthropic.claude-opus-5 1000 100
	call 5 ap-south-2 in.moonshotai.kimi-k3 1000 100
} >"$T/profiles.ndjson"
ok "calls through India's profiles" replay "$T/profiles.ndjson"
is "Haiku 4.5 at the regional rate" "$(usd in.anthropic.claude-haiku-4-5-20251001-v1:0)" 0.093500000
is "Sonnet 5" "$(usd in.anthropic.claude-sonnet-5)" 0.187000000
is "GPT-5.6 Terra" "$(usd in.openai.gpt-5.6-terra)" 0.206800000
is "a geography that AWS has not named yet" "$(usd sa.anthropic.claude-opus-5)" 0.008250000
is "an open model" "$(usd in.moonshotai.kimi-k3)" 0.004950000
is "as exact figures" "$(basis in.openai.gpt-5.6-terra)" exact
head=model,scope,region,from,to,input,output,cache_read,cache_write_5m,cache_write_1h,source
printf '%s\nin.anthropic.claude-sonnet-5,any,,,,5,25,,,,ours\n' "$head" >"$T/in.csv"
{ call 1 ap-south-1 in.anthropic.claude-sonnet-5 1000 0; call 2 ap-south-1 apac.anthropic.claude-sonnet-5 1000 0; } >"$T/two.ndjson"
ok "a price file with a rate of one profile" replay "$T/two.ndjson" --prices user,builtin --prices-file "$T/in.csv"
is "has it for calls through that" "$(usd in.anthropic.claude-sonnet-5)" 0.005000000
is "and for no others" "$(usd apac.anthropic.claude-sonnet-5)" 0.002200000

# Long prompts.
{
	call 1 us-east-1 us.openai.gpt-5.6-terra 301016 1000
	call 2 us-east-1 us.openai.gpt-5.5 301016 1000
	call 3 us-east-1 global.openai.gpt-6-sol 272001 1000
	call 4 us-east-1 us.openai.gpt-6-luna 272000 1000
	call 5 us-east-1 us.anthropic.claude-haiku-5-5 100001 1000
} >"$T/long.ndjson"
ok "prompts around the limits" replay "$T/long.ndjson"
is "Terra beyond 272,000: twice for input, one and a half for output" "$(usd us.openai.gpt-5.6-terra)" 1.344270400
is "GPT-5.5" "$(usd us.openai.gpt-5.5)" 3.360676000
is "GPT-6 Sol through the global profile" "$(usd global.openai.gpt-6-sol)" 1.103004000
is "GPT-6 Luna at the limit" "$(usd us.openai.gpt-6-luna)" 0.030470000
is "Haiku 5.5 beyond 100,000" "$(usd us.anthropic.claude-haiku-5-5)" 0.057750550
{
	call 1 us-east-1 x 0 0 | sed 's/bedrock.amazonaws.com/bedrock-mantle.amazonaws.com/; s/"Converse"/"CreateInference"/; s/"modelId":"x"/"model":"openai.gpt-5.4","stream":true/; s/,"additionalEventData":{[^}]*}//; s/"Management"}/"Data"}/; s/"eventCategory":"Management"/"eventCategory":"Data","resources":[{"type":"AWS::BedrockMantle::Project","ARN":"arn:aws:bedrock-mantle:us-east-1:111122223333:project\/default"}]/; s/"managementEvent":true/"managementEvent":false/'
	metric TotalInputTokens openai.gpt-5.4 301016
	metric TotalOutputTokens openai.gpt-5.4 5
} >"$T/mantle.ndjson"
ok "a long prompt on bedrock-mantle, known from metrics" replay "$T/mantle.ndjson"
is "GPT-5.4" "$(usd bedrock-mantle/openai.gpt-5.4)" 1.655711750

# Regions.
{
	call 1 eu-west-2 qwen.qwen3-next-80b-a3b 1000000 100000
	call 2 eu-south-1 amazon.nova-2-lite-v1:0 1000000 100000
	call 3 eu-west-2 nvidia.nemotron-super-3-120b 1000000 100000
	call 4 eu-central-1 mistral.mistral-large-2402-v1:0 1000000 100000
} >"$T/regions.ndjson"
ok "calls in London, Milan and Frankfurt" replay "$T/regions.ndjson"
is "Qwen3-Next in London" "$(usd qwen.qwen3-next-80b-a3b)" 0.416000000
is "Nova 2 Lite in Milan" "$(usd amazon.nova-2-lite-v1:0)" 0.969100000
is "Nemotron in London" "$(usd nvidia.nemotron-super-3-120b)" 0.331000000
is "Mistral Large has no rate in Frankfurt" "$(basis mistral.mistral-large-2402-v1:0)" unpriced
has "and doctor says why" "$("$nowcast" doctor --redis "$REDIS_URL")" 'mistral\.mistral-large-2402-v1:0 is unpriced: .* no rate for this Region'

ok "with the nearest Region's rate, if one asks for it" "$nowcast" reprice --redis "$REDIS_URL" --prices builtin --from 2026-11-01 --prices-nearest-region true
"$nowcast" report --redis "$REDIS_URL" --by model --format csv | sed "s/,[^,]*,[^,]*$//" >"$T/models.csv"
is "Mistral Large in Frankfurt at the rate of Paris, from the lowest to the highest of all" "$(grep -F mistral.mistral-large "$T/models.csv" | cut -d, -f2-)" "1100000,6.760000000,5.200000000,8.720000000,exact; rate of another Region"
is "what has a rate keeps it" "$(usd qwen.qwen3-next-80b-a3b)" 0.416000000
fails 0 "the hour is explained" "$nowcast" price explain --redis "$REDIS_URL" --principal arn:aws:sts::111122223333:assumed-role/app/w --hour 2026-11-20T09 --model mistral.mistral-large-2402-v1:0 --prices-nearest-region true
has "with the Region" "$(cat "$T/out")" 'the rate of eu-west-3, the nearest Region that has one; those of all are 4 to 6\.7'
has "and what it may be less" "$(cat "$T/out")" 'input may cost 1\.200000000000 USD less'
ok "and back" "$nowcast" reprice --redis "$REDIS_URL" --prices builtin --from 2026-11-01
"$nowcast" report --redis "$REDIS_URL" --by model --format csv | sed "s/,[^,]*,[^,]*$//" >"$T/models.csv"
is "it is unpriced again" "$(basis mistral.mistral-large-2402-v1:0)" unpriced

# Tiers.
{
	call 1 us-east-1 us.anthropic.claude-sonnet-4-6 1000 100 ',"serviceTier":"hyperspeed"'
	call 2 us-east-1 openai.gpt-oss-120b-1:0 1000 100 ',"serviceTier":"flex"'
	call 3 us-east-1 us.openai.gpt-6-astra 1000 100 ',"serviceTier":{"type":"ultrafast"}'
} >"$T/tiers.ndjson"
ok "calls of tiers" replay "$T/tiers.ndjson"
is "an unknown one has no price" "$(basis us.anthropic.claude-sonnet-4-6)" unpriced
has "and the reason" "$("$nowcast" doctor --redis "$REDIS_URL")" 'claude-sonnet-4-6 is unpriced: .*a service tier that nowcast does not know'
is "flex" "$(usd openai.gpt-oss-120b-1:0)" 0.000105000
is "ultrafast" "$(usd us.openai.gpt-6-astra)" 0.099000000

# Discounts.
printf 'account,model,from,to,percent,note\n111122223333,anthropic.*,2026-01-01,2027-01-01,12.5,private pricing\n,,2026-01-01,,4,of the organisation\n111122223333,openai.gpt-5.5,,2026-11-01,50,over\n' >"$T/discounts.csv"
{ call 1 us-east-1 us.anthropic.claude-sonnet-4-6 1000000 0; call 2 us-east-1 us.openai.gpt-5.5 100000 0; } >"$T/discounted.ndjson"
ok "a replay with discounts" replay "$T/discounted.ndjson" --discounts-file "$T/discounts.csv"
is "an account's discount on a vendor" "$(usd us.anthropic.claude-sonnet-4-6)" 2.887500000
is "the organisation's, where a model's is over" "$(usd us.openai.gpt-5.5)" 0.528000000
fails 0 "the hour is explained" "$nowcast" price explain --redis "$REDIS_URL" --principal arn:aws:sts::111122223333:assumed-role/app/w --hour 2026-11-20T09 --discounts-file "$T/discounts.csv"
has "with the discount and its line" "$(cat "$T/out")" '12\.5% +off 3\.3; private pricing \(discounts\.file:2\)'
ok "without discounts" "$nowcast" reprice --redis "$REDIS_URL" --prices builtin --from 2026-11-01
"$nowcast" report --redis "$REDIS_URL" --by model --format csv | sed "s/,[^,]*,[^,]*$//" >"$T/models.csv"
is "it is the list's rate" "$(usd us.anthropic.claude-sonnet-4-6)" 3.300000000
sed 's/12\.5/112.5/' "$T/discounts.csv" >"$T/bad.csv"
fails 2 "a bad file" "$nowcast" price check --discounts-file "$T/bad.csv"
has "is refused with its line" "$(cat "$T/err")" 'discounts\.file: .*bad\.csv:2: percent: expected 0 to 100.*"112\.5"'

# The age of the lists, and models that came after them.
call 1 us-east-1 us.anthropic.claude-novel-9 1000 100 >"$T/novel.ndjson"
ok "a model of tomorrow" replay "$T/novel.ndjson"
has "doctor names it, beside the age of the newest list" "$("$nowcast" doctor --redis "$REDIS_URL")" '^warn +price age +the newest price list is [0-9]+ days? old \(builtin, 2026-11-29\); models called today that are in no list: us\.anthropic\.claude-novel-9'
redis flushall >/dev/null
has "without one, only the age" "$("$nowcast" doctor --redis "$REDIS_URL")" '^(ok|note) +price age +the newest price list is [0-9]+ days? old'

# `run` keeps the lists current.
list=$T/www/offers/v1.0/aws/AmazonBedrock/current/index.json
for offer in AmazonBedrock AmazonBedrockFoundationModels AmazonBedrockService; do
	mkdir -p "$T/www/offers/v1.0/aws/$offer/current"
	cat >"$T/www/offers/v1.0/aws/$offer/current/index.json" <<-END
		{"products": {"A": {"attributes": {"usagetype": "USE1-MP:USE1_InputTokenCount-Units", "servicename": "Claude Sonnet 4.6 (Amazon Bedrock Edition)", "regionCode": "us-east-1"}}},
		 "terms": {"OnDemand": {"A": {"A.T": {"effectiveDate": "2026-11-01T00:00:00Z", "priceDimensions": {"A.T.R": {"unit": "Units", "pricePerUnit": {"USD": "3.4000000000"}}}}}}}}
	END
done
sed -i 's/3\.4000/34.000/' "$list" # beyond prices.change_max
start www python3 tests/price_server.py "$T/www" "$T/requests"
wait_for 10 test -s "$T/www.log" || bail "the web server does not start"
free_port
printf 'brokers = 127.0.0.1:%s\ntopics = t\nredis = %s\nprices.dir = %s\nprices.update = daily\nprices.url = http://127.0.0.1:%s\n' "$port" "$REDIS_URL" "$T/prices" "$(head -n 1 "$T/www.log")" >"$T/run.conf"
unset NOWCAST_PRICES_DIR
start daemon "$nowcast" run --config "$T/run.conf"
daemon=$pid
ok "the daemon downloads the lists" wait_for 30 grep -q 'the prices were not all updated' "$T/daemon.log"
has "what changes is in its log" "$(cat "$T/daemon.log")" 'claude-sonnet-4-6 regional us-east-1 standard input 3\.300000 -> 3\.400000'
has "a jump is refused there as by hand" "$(cat "$T/daemon.log")" 'AmazonBedrock: .*prices\.change_max'
is "and what is right is taken" "$(sed -n 's/.*,standard,2026-11-01T00:00:00Z,,,\([0-9.]*\),.*/\1/p' "$T"/prices/pricelist-*.csv | sort -u)" 3.4
ok "the daemon ends in peace" stop "$daemon"
sed -i 's/daily/hourly/' "$T/run.conf"
fails 2 "there is no other schedule" "$nowcast" check-config --config "$T/run.conf"
finish
