#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Price lists from a web server: taken once, not again while they have not changed, continued where they broke off, never taken
# broken, and kept when the server is away.
. "$(dirname "$0")/../lib.sh"

export NOWCAST_PRICES_DIR=$T/prices
list=$T/www/offers/v1.0/aws/AmazonBedrock/current/index.json
mkdir -p "$(dirname "$list")"
price_list() { # USD... : a list with a rate, padded so that a part of it is not all of it
	cat <<-END
		{"products": {"A": {"attributes": {"usagetype": "USE1-MP:USE1_InputTokenCount-Units", "servicename": "Claude Sonnet 4.6 (Amazon Bedrock Edition)", "regionCode": "us-east-1"}}},
		 "padding": "$(head -c 20000 /dev/zero | tr '\0' x)",
		 "terms": {"OnDemand": {"A": {"A.T": {"effectiveDate": "2026-11-01T00:00:00Z", "priceDimensions": {"A.T.R": {"unit": "Units", "pricePerUnit": {"USD": "$1"}}}}}}}}
	END
}
start www python3 tests/price_server.py "$T/www" "$T/requests"
www=$pid
wait_for 10 test -s "$T/www.log" || bail "the web server does not start"
url=http://127.0.0.1:$(head -n 1 "$T/www.log")
update() { "$nowcast" price update --offers AmazonBedrock --url "$url" "$@"; }
last() { tail -n 1 "$T/requests" | cut -d' ' -f2,3; }
rate() { "$nowcast" price show anthropic.claude-sonnet-4-6 --time 2026-11-02 | sed -n 's/^  input *\([0-9.]*\) *\([a-z]*\);.*/\1 \2/p'; }

price_list 3.4 >"$list"
fails 0 "a dry run" update --dry-run
has "shows what would change" "$(cat "$T/out")" 'input 3\.300000 -> 3\.400000'
is "and changes nothing" "$(rate)" "3.3 builtin"
fails 0 "an update" update
is "does not download it again" "$(last)" "304 0"
is "and takes it" "$(rate)" "3.4 pricelist"
fails 0 "another one" update
has "finds it in use" "$(cat "$T/out")" 'the prices in use are these'

price_list 3.5 >"$list"
echo 9000 >"$list.cut"
fails 1 "a connection that breaks" update
has "is told, and that it will go on" "$(cat "$T/err")" 'continued the next time'
is "the old rate stays" "$(rate)" "3.4 pricelist"
fails 0 "the next one" update
is "asks for the rest" "$(last)" "206 $(($(wc -c <"$list") - 9000))"
is "and takes the whole" "$(rate)" "3.5 pricelist"

price_list 3.6 >"$list"
echo 9000 >"$list.cut"
fails 1 "broken again" update
price_list 3.7 >"$list"
fails 0 "and another list by the next time" update
is "comes whole" "$(last)" "200 $(wc -c <"$list")"
is "and is taken" "$(rate)" "3.7 pricelist"

price_list 3.8 >"$list"
touch "$list.lie"
fails 1 "what does not fit its checksum" update
has "is thrown away" "$(cat "$T/err")" 'checksum'
is "the old rate stays" "$(rate)" "3.7 pricelist"
echo damage >>"$T/prices/download/AmazonBedrock.json"
price_list 3.7 >"$list"
fails 0 "a damaged download" update
is "is made good" "$(last)" "200 $(wc -c <"$list")"

price_list 3.9 | sed 's/2026-11-01T/2026-11-20T/' >"$list"
fails 0 "a list that speaks of later days only" update
has "counts from then on" "$("$nowcast" price show anthropic.claude-sonnet-4-6 --time 2026-11-20)" 'input +3\.9 +pricelist'
is "the days before keep what they had" "$(rate)" "3.7 pricelist"
fails 0 "again" update
has "nothing changes" "$(cat "$T/out")" 'the prices in use are these'
price_list 3.7 | sed 's/2026-11-01T/2020-01-01T/' >"$list"
fails 0 "a list that speaks of days before" update
sed -i 's/Sonnet 4\.6/Sonnet 4.5/' "$list"
fails 0 "one that has no longer all of them" update
has "says which" "$(cat "$T/out")" 'claude-sonnet-4-6 regional us-east-1 standard input 3\.700000 -> - .*pricelist'
has "they have their days before still" "$("$nowcast" price show anthropic.claude-sonnet-4-6 --time 2020-01-02)" 'input +3\.7 +pricelist'
price_list 3.7 >"$list"
fails 0 "and one that has them again" update

head -c 300 /dev/urandom >"$list"
fails 2 "what is no price list" update
has "is refused" "$(cat "$T/err")" 'not JSON'
price_list 370 >"$list"
fails 2 "a rate that jumps" update
has "is refused" "$(cat "$T/err")" 'prices\.change_max'
is "the old rate stays" "$(rate)" "3.7 pricelist"
touch "$list.busy"
fails 1 "a server that is busy" update
has "is told" "$(cat "$T/err")" 'answers 503'
fails 0 "and asked again" update --yes
is "with --yes the jump is taken" "$(rate)" "370 pricelist"
fails 1 "an offer that is not there" "$nowcast" price update --offers Nothing --url "$url"
fails 2 "an offer that is no name" "$nowcast" price update --offers ../x --url "$url"
stop $www KILL
fails 1 "no server" update
has "what is there stays" "$(cat "$T/err")" 'imported from them earlier stay'
is "indeed" "$(rate)" "370 pricelist"
fails 2 "an address of another kind" "$nowcast" price update --offers AmazonBedrock --url "file://$T/www"
finish
