#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The command line's promises: help everywhere, mistakes named with what is allowed, exit statuses that scripts can use
# (0 done, 1 tried and failed, 2 wrong arguments or configuration).
. "$(dirname "$0")/../lib.sh"

fails 0 "--help" "$nowcast" --help
help=$(cat "$T/out")
for name in run replay report top doctor price reprice tags check-config demo; do
	has "the list of subcommands has $name" "$help" "^ *(nowcast )?$name( |\$)"
	fails 0 "$name --help" "$nowcast" $name --help
	has "says what $name does" "$(cat "$T/out")" "nowcast .*$name"
done
fails 2 "no subcommand" "$nowcast"
fails 2 "an unknown one" "$nowcast" reprot
has "is told what it may be" "$(cat "$T/err")" 'did you mean report[?]'
fails 2 "an unknown flag" "$nowcast" report --pricnipal=x
has "is told what it may be" "$(cat "$T/err")" 'unknown flag --pricnipal; did you mean --principal[?]'
fails 2 "a flag of another verb" "$nowcast" price list --model x
has "is not proposed again" "$(cat "$T/err")" '^nowcast price: --model does not go with this use of it; `nowcast help price` says where it does$'
fails 2 "an unknown flag of the configuration, before the subcommand" "$nowcast" --listne=x serve
has "is told what it may be" "$(cat "$T/err")" 'unknown flag --listne before the subcommand; did you mean --listen[?]'
fails 2 "one that only the help of a verb names" "$nowcast" budget set month --ammount 5
has "is told what it may be" "$(cat "$T/err")" 'unknown flag --ammount; did you mean --amount[?]'
for misspelt in "budget stauts status" "alert lsit list" "price explian explain" "tags imprt import" "profiles lst list"; do
	set -- $misspelt
	fails 2 "an unknown verb of $1" "$nowcast" "$1" "$2"
	has "is told what it may be" "$(cat "$T/err")" "expected .*, got $2; did you mean $3[?] .nowcast help $1. says more"
done
while IFS='|' read -r words form; do
	# shellcheck disable=SC2086 # words
	fails 2 "$words without an argument" "$nowcast" $words
	has "is told how it is called" "$(cat "$T/err")" "an argument is missing: nowcast $form; .nowcast help"
done <<-'END'
	explain ann|explain .*PRINCIPAL HOUR
	replay|replay .*PATH.*
	tags show|tags show .* ARN .*
	profiles import|profiles import [^|]*FILE[.]*
	price diff|price diff \[OLD\] NEW
	budget set|budget set NAME --amount USD .*
END
fails 2 "a format as a flag" "$nowcast" report --csv
has "is told the flag" "$(cat "$T/err")" 'unknown flag --csv; did you mean --format csv[?]'
fails 2 "a format of another report" "$nowcast" report --format html
has "is told whose it is" "$(cat "$T/err")" 'html is of .nowcast report --reconciliation.'
fails 2 "what is no address of Redis" "$nowcast" report --redis localhost
has "is shown" "$(cat "$T/err")" 'redis: expected .*, got "localhost"$'
fails 2 "but not one with a password" "$nowcast" report --redis user:secret@host
is "in it" "$(grep -c secret "$T/err")" 0
fails 1 "a Redis that is not running" "$nowcast" report --redis redis://127.0.0.1:1
has "is told how to name another" "$(cat "$T/err")" '127.0.0.1:1: Connection refused; is it running[?] --redis URL'
fails 2 "budgets of a file that is not there yet" "$nowcast" budget list --alerts-file "$T/none.conf"
has "it is said how to make it" "$(cat "$T/err")" 'there is no .*none[.]conf yet; `nowcast budget set month --amount 5000` makes it'
fails 2 "rules likewise" "$nowcast" alert test --alerts-file "$T/none.conf"
has "it is said how to make it" "$(cat "$T/err")" 'there is no .*none[.]conf yet; `nowcast budget set month --amount 5000` makes it'
printf '[receiver slack]\nkind = command\ncommand = cat\n' >"$T/alerts.conf"
fails 2 "a misspelt receiver" "$nowcast" alert test slak --alerts-file "$T/alerts.conf"
has "  has what was meant" "$(cat "$T/err")" 'no \[receiver slak\]; did you mean slack\? `nowcast alert rules` lists them$'
fails 2 "two reports at once" "$nowcast" report --scoreboard --reconciliation
has "  are named" "$(cat "$T/err")" '\-\-reconciliation and --scoreboard are two reports'
fails 2 "a span of the reconciliation" "$nowcast" report --reconciliation yesterday
has "  is told what it is of" "$(cat "$T/err")" 'yesterday: this report is of a month of the bill .*: --period YYYY-MM, or all$'
fails 2 "a call without its Region and tokens" "$nowcast" price explain --model amazon.nova-pro-v1:0
has "  names what is missing" "$(cat "$T/err")" 'without --region, --tokens: expected'
fails 2 "an hour without its caller" "$nowcast" price explain --hour 2026-11-02T05:00:00Z
has "  names that" "$(cat "$T/err")" 'without --principal: expected'
fails 0 "a misspelt Region" "$nowcast" price explain --model anthropic.claude-3-haiku-20240307-v1:0 --region us-esat-1 --tokens input=1
has "  is told" "$(cat "$T/err")" 'no Region us-esat-1 is known; did you mean us-east-1\?'
fails 3 "a misspelt model" "$nowcast" price show claude-sonet-4-6
has "  is told, with what was meant" "$(cat "$T/err")" 'no model claude-sonet-4-6 has a price; did you mean anthropic.claude-sonnet-4-6\?'
fails 3 "of a call, too" "$nowcast" price explain --model us.anthropic.claude-haiku-4-5-v2 --region us-east-1 --tokens input=1
has "  is told" "$(cat "$T/err")" 'did you mean anthropic.claude-haiku-4-5\?'
fails 0 "one in the other case" "$nowcast" price show anthropic.claude-3-haiku-20240307-v1:0 --region US-EAST-1
has "  too" "$(cat "$T/err")" 'no Region US-EAST-1 is known; did you mean us-east-1\?'
fails 0 "a new Region" "$nowcast" price show anthropic.claude-3-haiku-20240307-v1:0 --region zz-upper-77
has "  is told, without a guess" "$(cat "$T/err")" 'no Region zz-upper-77 is known\. Where'
has "  and has a price" "$(cat "$T/out")" '^ +output +[0-9.]+ '
fails 3 "a Region of China, whose places are not known" "$nowcast" price explain --model anthropic.claude-3-haiku-20240307-v1:0 --region cn-north-1 --tokens input=1
is "  is not taken for a misspelt one, for which other rates hold" "$(grep -c 'is known' "$T/err")" 0
for region in us-east-1 ap-southeast-6 us-gov-west-1; do
	fails 0 "the Region $region" "$nowcast" price show anthropic.claude-3-haiku-20240307-v1:0 --region $region
	is "  is known" "$(cat "$T/err")" ""
done
fails 2 "a misspelt grouping" "$nowcast" report --by principle
has "is told what it may be" "$(cat "$T/err")" 'did you mean principal[?]'
fails 2 "what is like nothing" "$nowcast" report --by xyzzy
has "gets the whole list" "$(cat "$T/err")" 'there are hour, day'
has "is told the nearest" "$(cat "$T/err")" 'report'

echo 'redsi = redis://127.0.0.1:1' >"$T/typo.conf"
fails 2 "an unknown key in the configuration" "$nowcast" check-config --config "$T/typo.conf"
has "is named" "$(cat "$T/err")" 'redsi'
has "with its place" "$(cat "$T/err")" 'typo\.conf:1'
has "and the nearest known one" "$(cat "$T/err")" "redis"
echo 'window = 5' >"$T/unit.conf"
fails 2 "a duration without a unit" "$nowcast" check-config --config "$T/unit.conf"
has "is told which units there are" "$(cat "$T/err")" 'window.*(ms|h)'
echo 'kafka.sesion.timeout.ms = 5' >"$T/kafka.conf"
fails 2 "a kafka.* key that librdkafka does not know" "$nowcast" check-config --config "$T/kafka.conf"
has "is named" "$(cat "$T/err")" 'kafka\.sesion\.timeout\.ms'
fails 2 "a configuration that is not there" "$nowcast" check-config --config "$T/none.conf"
has "is named" "$(cat "$T/err")" 'none\.conf'

for key in prices.file discounts.file auth.tokens.file alerts.file map.file; do
	fails 2 "a file that is not there: $key" "$nowcast" check-config --$key "$T/none.csv"
	has "  it is named" "$(cat "$T/err")" "$key.*(none\.csv.*No such file|there is no .*none\.csv yet)"
done
printf '[rule search]\nkind = budget\nby = team\nonly = search\nperiod = month\namount = $5,000\nat = 100\n' >"$T/alerts.conf"
fails 2 "a wrong rule" "$nowcast" check-config --alerts.file "$T/alerts.conf"
has "has its line" "$(cat "$T/err")" 'alerts\.conf:6: amount: expected dollars'
sed -i.was 's/\$5,000/5000/' "$T/alerts.conf"
fails 0 "a right one" "$nowcast" check-config --alerts.file "$T/alerts.conf"
has "is counted" "$(cat "$T/err")" 'alerts\.conf has 1 rule and 0 receivers'

# Every mistake of the configuration and of the files that it names, in one run, and where it is.
cat >"$T/all.conf" <<-END
	listen = 127.0.0.1:99999
	workers = 900
	just some words
	redis = redis://127.0.0.1:99999
	kafka.nonsense = 1
	kafka.group.instance = 1
	trust.calls = bogus
	team.from = metadata
	accounts.allowed = 12
	map.file = $T/all.map
	prices.file = $T/all.csv, $T/none.csv
	discounts.file = $T/all.off
	alerts.file = $T/all.alerts
	auth.tokens.file = $T/all.tokens
END
printf 'kind,name,account,team\nrole,a,12,x\nrolle,b,,x\nrole,c/d,,x\n' >"$T/all.map"
printf 'model,scope,region,from,to,input,output,cache_read,cache_write_5m,cache_write_1h,source\nm.a,any,nowhere,,,x,1,,,,me\nm.b,any,,,,1\n' >"$T/all.csv"
printf 'account,model,from,to,percent,note\n12,,,,120,x\n' >"$T/all.off"
printf '[rule a]\nkind = budget\n[rule b]\nkind = bugdet\nat = 5000000\n[rule c]\nkind = new\nby = model\nreceivers = slak\n' >"$T/all.alerts"
printf 'ann short\nbob short\n' >"$T/all.tokens"
fails 2 "a configuration full of mistakes" "$nowcast" check-config --config "$T/all.conf"
is "each is named, with its line, in one run" "$(sed -E "s#$T/##g; s/^nowcast check-config: ((all.conf:[0-9]+): )?([a-z.]+:? )?(all\.[a-z]*:[0-9]+)?.*/\2 \4/" "$T/err" | sort -V | xargs)" \
	"all.conf:1 all.conf:2 all.conf:3 all.conf:4 all.conf:5 all.conf:6 all.conf:7 all.conf:8 all.conf:9 all.conf:10 all.map:2 all.conf:10 all.map:3 all.conf:10 all.map:4 all.conf:11 all.conf:11 all.csv:2 all.conf:11 all.csv:2 all.conf:11 all.csv:3 all.conf:12 all.off:2 all.conf:12 all.off:2 all.conf:14 all.tokens:1 all.conf:14 all.tokens:2 all.alerts:1 all.alerts:4 all.alerts:5 all.alerts:6"
has "a value out of range with the range" "$(cat "$T/err")" 'all.conf:1: listen = 127.0.0.1:99999: expected a port from 0 to 65535'
has "a number likewise" "$(cat "$T/err")" 'all.conf:2: workers = 900: expected a whole number from 1 to 64'
mv "$T/err" "$T/all.err"
printf '%s\n' "names.hash = users" "names.hash.key = $T/none" "redis = rediss://127.0.0.1:1" "redis.iam = x" "redis.ca = $T/none" "prices.dir = $T/all.map" "secrets.file = $T/none" >"$T/keys.conf"
fails 2 "files and words of other keys" env -u NOWCAST_PRICES_DIR "$nowcast" check-config --config "$T/keys.conf"
is "  each with the line of its key" "$(sed -E "s#$T/##g; s/^nowcast check-config: (keys.conf:[0-9]+: [a-z.]+)[: ].*/\1/" "$T/err" | sort | xargs)" \
	"keys.conf:2: names.hash.key keys.conf:4: redis.iam keys.conf:5: redis.ca keys.conf:6: prices.dir keys.conf:7: secrets.file"
for name in run serve; do
	fails 2 "$name refuses it" "$nowcast" $name --config "$T/all.conf"
	is "  in the same words" "$(sed "s/^nowcast $name: //" "$T/err" | grep -vxFf <(sed 's/^nowcast check-config: //' "$T/all.err"))" ""
done

grep "file = " "$T/all.conf" >"$T/files.conf"
fails 2 "files full of mistakes" "$nowcast" check-config --config "$T/files.conf"
sed 's/^nowcast check-config: //' "$T/err" >"$T/files.err"
ok "are many" [ "$(grep -c . "$T/files.err")" -ge 15 ]
fails 2 "run refuses them before it starts" "$nowcast" run --config "$T/files.conf"
is "  in the same words, all of them" "$(sed 's/^nowcast run: //' "$T/err")" "$(cat "$T/files.err")"
fails 2 "and so does serve" "$nowcast" serve --config "$T/files.conf"
is "  which names all of them as well" "$(sed 's/^nowcast serve: //' "$T/err")" "$(cat "$T/files.err")"
for file in "prices.file = $T/all.csv" "discounts.file = $T/all.off" "alerts.file = $T/all.alerts" "map.file = $T/all.map"; do
	echo "$file" >"$T/one.conf"
	fails 2 "one bad file alone: ${file%% *}" "$nowcast" serve --config "$T/one.conf"
	has "  is named" "$(cat "$T/err")" "serve: $T/one.conf:1: |all\.alerts:"
done
printf '%s\n' "trust.calls = bogus" "names.hash = users" "names.hash.key = $T/none" "listen = nowhere.invalid:1" >"$T/workers.conf"
fails 2 "a server does not need what only workers read" "$nowcast" serve --config "$T/workers.conf"
is "  and does not look at it" "$(grep -c 'trust.calls\|names.hash' "$T/err")" 0

yes 'nonsense = 1' | head -n 2000 >"$T/long.conf"
fails 2 "a file that is something else" "$nowcast" check-config --config "$T/long.conf"
has "is read up to some line" "$(tail -n 1 "$T/err")" 'check-config: behind 1001 mistakes nothing more is read'
is "which is the last that is named" "$(sed -n '$!p' "$T/err" | tail -n 1 | grep -o 'long.conf:[0-9]*')" long.conf:1001
for command in help "help report" version "complete bash" "complete -- budget"; do
	fails 0 "it is no hindrance to $command" "$nowcast" $command --config "$T/all.conf"
done

fails 0 "check-config --sample" "$nowcast" check-config --sample
same_file "prints deploy/nowcast.conf (else: make sample-config)" "$T/out" deploy/nowcast.conf
cp "$T/out" "$T/sample.conf"
fails 0 "and what it prints is valid" "$nowcast" check-config --config "$T/sample.conf"

printf '\033[2Jgzip or what' >"$T/binary.conf"
fails 2 "a file that is no configuration" "$nowcast" check-config --config "$T/binary.conf"
has "is shown without what terminals obey" "$(cat "$T/err")" 'u001b\[2Jgzip'
printf '\033[2J = or what' >"$T/binary.conf"
fails 2 "nor one that has a = in it" "$nowcast" check-config --config "$T/binary.conf"
has "is shown with it" "$(cat "$T/err")" 'unknown key \?\[2J'
printf '\357\273\277redis.prefix = mark\r\n' >"$T/mark.conf"
fails 0 "a configuration with a byte order mark and line ends of Windows" "$nowcast" check-config --config "$T/mark.conf"
has "is read" "$(cat "$T/out")" '^redis\.prefix = mark '
printf 'redis.prefix = mark\0\n' >"$T/nul.conf"
fails 2 "a value with a NUL behind it" "$nowcast" check-config --config "$T/nul.conf"

for command in budget alert price tags profiles; do
	fails 2 "$command without a verb, whatever else is said" "$nowcast" $command --now 2026-11-18T14:50:00Z
	has "  names the verbs" "$(cat "$T/err")" "^nowcast $command: expected .* or [a-z-]+, got nothing; .nowcast help $command. says more"
	fails 2 "$command with a flag first" "$nowcast" $command --format json list
	has "  says where the verb is to be" "$(cat "$T/err")" 'got none before --format'
	fails 2 "$command with the or of that list" "$nowcast" $command or
	has "  is no verb" "$(cat "$T/err")" "^nowcast $command: expected .*, got or;"
done
fails 0 "a verb behind --now" "$nowcast" price --now 2026-11-18T14:50:00Z list sonnet --prices builtin

free_port
fails 2 "run without brokers" "$nowcast" run --redis "redis://127.0.0.1:$port"
has "names the key" "$(cat "$T/err")" 'brokers'
is "and says nothing of an end, for it never began" "$(grep -c ended "$T/err")" 0
fails 2 "an argument too many, even of version" "$nowcast" version please
is "--version begins with the number in VERSION" "$("$nowcast" --version | sed 1q)" "nowcast $(cat VERSION)"
is "and names the commit and its day" "$("$nowcast" version | sed -n 2p)" "commit $(base/make-version.sh --commit | (read -r commit seconds; date -ud "@$seconds" "+$commit of %F"))"
has "and every library" "$("$nowcast" version | sed 's/ .*//' | xargs)" '^nowcast commit schema hiredis jansson libcurl libmicrohttpd librdkafka OpenSSL simdjson xxHash zlib$'
is "each with its number" "$("$nowcast" version | sed 1,3d | grep -vE '^[A-Za-z]+ [0-9]+\.[0-9.]+$')" ""
if [ -e .git ]; then
	git archive --prefix=archive/ HEAD VERSION base/make-version.sh .gitattributes | tar -xC "$T"
	is "an archive of the sources knows its commit, too" "$("$T/archive/base/make-version.sh" --commit)" "$(git log -1 --format='%H %ct' | sed -E 's/^(.{12})[^ ]*/\1/')"
fi
fails 1 "report from a Redis that is not there" timeout 30 "$nowcast" report --redis "redis://127.0.0.1:$port"
has "names the address" "$(cat "$T/err")" "127\.0\.0\.1:$port"
fails 2 "a Redis URL that is none" "$nowcast" report --redis "http://127.0.0.1"
start_redis
fails 2 "report --by nonsense" "$nowcast" report --redis "$REDIS_URL" --by hour,nonsense
has "names it" "$(cat "$T/err")" 'nonsense'
fails 2 "a span that ends before it begins is a mistake" "$nowcast" report --redis "$REDIS_URL" --from 2026-11-03 --to 2026-11-02
has "which is said" "$(cat "$T/err")" "ends before it begins"
fails 2 "so it is of reprice" "$nowcast" reprice --redis "$REDIS_URL" --from 2026-11-03 --to 2026-11-02
fails 2 "of which the hours must be given" "$nowcast" reprice --redis "$REDIS_URL"
fails 2 "whole ones" "$nowcast" reprice --redis "$REDIS_URL" --from 2026-11-03T10:30:00Z
for words in "report today" "who ann last-week" "reprice 2026-11" "alert backtest 7d" "alert backtest --since this-week" "reprice --since yesterday"; do
	"$nowcast" $words --redis "$REDIS_URL" --now 2026-11-18T14:50:00Z >/dev/null 2>"$T/err"
	has "a span of $words" "$? $(cat "$T/err")" "^(0|1 nowcast report: no figures from 2026-11-18 00:00 |1 nowcast who: nothing is known of ann: it has no figures from 2026-11-09T00:00:00Z to 2026-11-16T00:00:00Z)"
	fails 2 "and one that is none" "$nowcast" ${words% *} lastweek --redis "$REDIS_URL"
done
for words in report "explain ann 05:00" "who ann" "top --turns 1" "alert list" "alert rules" "alert check" "alert backtest" "budget list" "budget status" doctor \
	"price list" "price show x" "price explain --model x --region y --tokens input=1" "reprice all" "tags show arn:aws:iam::111122223333:user/ann" "profiles list" \
	"report --reconciliation" "report --scoreboard"; do
	"$nowcast" $words --redis "$REDIS_URL" --now 2026-11-18T14:50:00Z >/dev/null 2>"$T/err"
	is "--now of $words" "$(grep -c 'unknown flag\|unexpected argument' "$T/err")" 0
done
fails 1 "report from an empty Redis, of which nothing is known" "$nowcast" report --redis "$REDIS_URL" --by hour --format csv
is "is its header" "$(cat "$T/out")" "hour,tokens,usd,usd_low,usd_high,basis,calls,failed"
fails 0 "a reconciliation that has not begun" "$nowcast" report --redis "$REDIS_URL" --reconciliation
is "is no table of zeros" "$(cat "$T/out")" ""
fails 0 "nor a failure in another form" "$nowcast" report --redis "$REDIS_URL" --reconciliation --format csv
has "its header" "$(cat "$T/out")" "^principal,estimated_tokens,"
has "and a word what to do" "$(cat "$T/err")" "nowcast reconcile"
fails 0 "and a scoreboard without days" "$nowcast" report --redis "$REDIS_URL" --scoreboard --format csv
fails 1 "but a threshold that nothing can be held against has failed" "$nowcast" report --redis "$REDIS_URL" --reconciliation --threshold 1
fails 2 "a month that is none" "$nowcast" report --redis "$REDIS_URL" --reconciliation --period 2026-1x
fails 1 "an output that cannot be written" sh -c '"$0" help >/dev/full' "$nowcast"
has "is told" "$(cat "$T/err")" "cannot be written: No space left"
fails 1 "flags may stand before the subcommand" "$nowcast" --redis "$REDIS_URL" report --format json
is "which prints what it has" "$(tr -d '\n' <"$T/out")" "[]"
fails 2 "replay of a file that is not there" "$nowcast" replay --redis "$REDIS_URL" "$T/none.ndjson"
has "names it" "$(cat "$T/err")" 'none\.ndjson'
finish
