#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a report is of: spans in words, conditions, the first N, and the span before beside it.
. "$(dirname "$0")/../lib.sh"

A=111122223333
call() { # ID USER MODEL TIME INPUT
	printf '{"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/%s","accountId":"%s"},"eventTime":"%s","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"%s"},"additionalEventData":{"inputTokens":%d,"outputTokens":0},"requestID":"%s","eventID":"e","eventType":"AwsApiCall","recipientAccountId":"%s","eventCategory":"Management"}\n' \
		$A "$2" $A "$4" "$3" "$5" "$1" $A
}
opus=anthropic.claude-opus-4-6-v1 # 5.50 USD a million, in its Region and through us.
nova=amazon.nova-pro-v1:0         # 0.80
start_redis
{
	call w-1 ann $opus 2026-11-10T10:30:00Z 1000000
	call w-2 bob $nova 2026-11-11T10:30:00Z 1000000
	call n-1 ann $opus 2026-11-17T10:30:00Z 1000000
	call n-2 ann us.$opus 2026-11-17T11:30:00Z 1000000
	call n-3 cid $nova 2026-11-18T14:30:00Z 3000000
	call n-4 dot $nova 2026-11-18T14:40:00Z 100000
} >"$T/calls.ndjson"
echo '[{"Arn": "arn:aws:iam::111122223333:user/ann", "Tags": {"team": "Search"}}]' >"$T/tags.json"
ok "a team" "$nowcast" tags import --redis "$REDIS_URL" --from 2026-10-01 "$T/tags.json"
ok "calls of two weeks" "$nowcast" replay --redis "$REDIS_URL" "$T/calls.ndjson"

now=2026-11-18T14:50:00Z # a Wednesday
rows() { # ARGUMENT...: the first column and tokens, a word a row
	"$nowcast" report --redis "$REDIS_URL" --now $now --prices builtin --format csv "$@" 2>"$T/err" |
		sed -E '1d; s/^[^,]*user\///' | cut -d, -f1,2 | paste -sd' '
}
all="ann,3000000 bob,1000000 cid,3000000 dot,100000"
is "without a span: yesterday and today" "$(rows)" "ann,2000000 cid,3000000 dot,100000"
has "the table says which that is" "$("$nowcast" report --redis "$REDIS_URL" --now $now)" '^2026-11-17 00:00 to 2026-11-18 15:00 UTC$'
has "compared with the two days before" "$("$nowcast" report --redis "$REDIS_URL" --now 2026-11-11T23:30:00Z --compare previous)" '^2026-11-10 00:00 to 2026-11-12 00:00 UTC, compared with 2026-11-08 00:00 to 2026-11-10 00:00 UTC'
is "where these have no figures: the last two days that have some" "$(now=2026-11-25T14:50:00Z; rows)" "ann,2000000 cid,3000000 dot,100000"
has "which is said" "$(cat "$T/err")" 'no figures since yesterday: this is of the last two days that have some, up to 2026-11-18 .`nowcast report all` is of all'
fails 2 "on the first day of all there is nothing before" "$nowcast" report --redis "$REDIS_URL" --now 1970-01-01T05:00:00Z --compare previous
is "all" "$(rows all)" "$all"
is "today" "$(rows today)" "cid,3000000 dot,100000"
is "yesterday" "$(rows yesterday)" "ann,2000000"
is "this week" "$(rows this-week)" "ann,2000000 cid,3000000 dot,100000"
is "last week" "$(rows last-week)" "ann,1000000 bob,1000000"
is "a day" "$(rows 2026-11-11)" "bob,1000000"
is "a month" "$(rows 2026-11)" "$all"
is "another month" "$(rows 2026-10)" ""
is "the hour in hand" "$(rows 1h)" "cid,3000000 dot,100000"
is "since a day: up to now" "$(rows --since 2026-11-11)" "ann,2000000 bob,1000000 cid,3000000 dot,100000"
is "bounds" "$(rows --from 2026-11-10T10:00:00Z --to 2026-11-10T10:59:59Z)" "ann,1000000"

is "from a time of day to another" "$(rows --from 14:00 --to 15:00)" "cid,3000000 dot,100000"
is "one that is later than now is that of yesterday" "$(rows --from 23:00)" "cid,3000000 dot,100000"
is "and the other is the first one after it" "$(rows --from 2026-11-17 --to 11:00)" "ann,1000000"
is "a model by a part of its name: all profiles" "$(rows all --model OPUS)" "ann,3000000"
is "by its whole name: one of them" "$(rows all --where model=$opus)" "ann,2000000"
is "a principal" "$(rows all --principal user/b)" "bob,1000000"
is "a team, in either case" "$(rows all --team search)" "ann,3000000"
is "a team is no part of a name" "$(rows all --team sea)" ""
is "those without a team" "$(rows all --where team=)" "bob,1000000 cid,3000000 dot,100000"
is "several conditions" "$(rows last-week --where account=$A --where 'tag:team=s*' --by model)" "$opus,1000000"

is "by week: the date of its Monday" "$(rows all --by week)" "2026-11-09,2000000 2026-11-16,5100000"
is "by month, of one of the weeks" "$(rows --by month,week this-week)" "2026-11,2026-11-16"
is "the first two, the most expensive" "$(rows all --top 2)" "ann,3000000 cid,3000000"
is "sorted by calls" "$(rows all --sort calls)" "ann,3000000 bob,1000000 cid,3000000 dot,100000"
is "sorted by tokens, by model" "$(rows all --sort tokens --by model)" "$nova,4100000 $opus,2000000 us.$opus,1000000"
"$nowcast" report --redis "$REDIS_URL" --now $now --prices builtin this-week --top 1 --compare previous >"$T/table"
has "the table says what the others come to" "$(cat "$T/table")" '^\(3 others\) +3,100,000 +2\.4800 +0\.8000 +\+1\.6800'
has "and the sum, with that of the same part of last week" "$(cat "$T/table")" '^total +5,100,000 +13\.4800 +6\.3000 +\+7\.1800 '
has "and which spans these are" "$(cat "$T/table")" '^2026-11-16 00:00 to 2026-11-18 15:00 UTC, compared with 2026-11-09 00:00 to 2026-11-11 15:00 UTC; the hour of 14:00 is not over$'
"$nowcast" report --redis "$REDIS_URL" --prices builtin --from 2026-11-16 --to 2026-11-23 --compare previous --format csv >"$T/csv"
is "a week against the week before, those who stopped too" \
	"$(python3 -c '
import csv, sys
print(*((r["principal"].split("/")[1], float(r["usd"]), float(r["usd_previous"]), float(r["usd_change"])) for r in csv.DictReader(open(sys.argv[1]))))' "$T/csv")" \
	"('ann', 11.0, 5.5, 5.5) ('cid', 2.4, 0.0, 2.4) ('dot', 0.08, 0.0, 0.08) ('bob', 0.0, 0.8, -0.8)"
is "sorted by change, up or down" "$(rows --from 2026-11-16 --to 2026-11-23 --compare previous --sort change)" "ann,2000000 cid,3000000 bob,0 dot,100000"
is "the first of them" "$(rows --from 2026-11-09 --to 2026-11-16 --compare previous --sort change --top 1)" "ann,1000000"
fails 0 "a span before without figures" "$nowcast" report --redis "$REDIS_URL" --prices builtin --now $now last-week --compare previous
has "is said to be without" "$(cat "$T/err")" 'no figures at all in the span before'
fails 0 "one with figures" "$nowcast" report --redis "$REDIS_URL" --prices builtin --now $now this-week --compare previous
is "is not" "$(cat "$T/err")" ""
has "JSON has both" "$("$nowcast" report --redis "$REDIS_URL" --prices builtin --now $now last-week --compare previous --json)" \
	'"usd_previous":null,"usd_change":null'
is "what was not observed is no zero in a table, either" "$("$nowcast" report --redis "$REDIS_URL" --prices builtin --now $now last-week --compare previous 2>/dev/null | awk '/^total/ { print $4, $5 }')" "- -"
has "of an observed span JSON has both" "$("$nowcast" report --redis "$REDIS_URL" --prices builtin --now $now this-week --compare previous --json)" \
	'"usd_previous":"5.500000000","usd_change":"5.500000000"'
"$nowcast" replay --redis "$REDIS_URL" --redis.prefix unknown - >/dev/null <<END
$(call u-1 eve someone.else-v1 2026-11-11T10:30:00Z 1000)
$(call u-2 eve $nova 2026-11-18T10:30:00Z 1000000)
$(call u-3 kim $nova 2026-11-11T10:30:00Z 1000000)
$(call u-4 kim someone.else-v1 2026-11-18T10:30:00Z 1000)
END
is "dollars that are not known are no zeros, before either, nor is their change" \
	"$("$nowcast" report --redis "$REDIS_URL" --redis.prefix unknown --prices builtin --now $now this-week --compare previous --format csv --sort name 2>/dev/null |
		sed -E '1d; s/^[^,]*user\///' | cut -d, -f1,3,9,10 | paste -sd' ')" "eve,0.800000000,, kim,,0.800000000,"

# An end that was left open, and what was not observed of a file.
last_line() { "$nowcast" report --redis "$REDIS_URL" --now $now "$@" 2>"$T/err" | grep ' UTC' | tail -1; }
is "all is what there are figures of" "$(last_line all)" "2026-11-10 10:00 to 2026-11-18 15:00 UTC"
is "the span after a time ends with the present" "$(last_line --from 2026-11-17)" "2026-11-17 00:00 to 2026-11-18 15:00 UTC"
has "and is compared with as much before" "$(last_line --from 2026-11-17 --by model --compare previous)" 'compared with 2026-11-15 09:00 to 2026-11-17 00:00 UTC'
for format in csv json focus; do
	"$nowcast" report --redis "$REDIS_URL" --now $now last-month --format $format >/dev/null 2>"$T/err"
	has "$format of a span that was not observed says so beside it" "$(cat "$T/err")" 'nothing was observed of this span .31 days.: '
done

refuses() { # WHAT PATTERN ARGUMENT...
	local what=$1 pattern=$2
	shift 2
	fails 2 "$what is refused" "$nowcast" report --redis "$REDIS_URL" "$@"
	has "with a word why" "$(cat "$T/err")" "$pattern"
}
refuses "a time within an hour" '2026-11-02T14:30.*by the hour' --from 2026-11-02T14:30
refuses "a span that is none" 'last-week.*got "lastweek"' lastweek
refuses "two spans" 'given once' today --since 7d
refuses "a condition without =" 'KEY=VALUE' --where team
refuses "a condition on what is no grouping" '^nowcast report: --where colour=red: "colour" is no grouping' --where colour=red
refuses "top nothing" '1 to' --top 0
refuses "another order" 'name, usd, tokens, calls or change' --sort size
refuses "an order by change of nothing" 'needs --compare' --sort change
refuses "a comparison of all time" 'needs a span' all --compare previous
refuses "nor of all until a time" 'needs a span' --to 2026-11-18 --compare previous
refuses "one by hour" 'by hour, day, week or month' last-week --by hour --compare previous
refuses "conditions in FOCUS" 'takes no conditions' --format focus --team search
# --- on a terminal

shown() { # COLUMNS SUBCOMMAND ARGUMENT...: as it is on a terminal of so many columns
	local columns=$1
	shift
	TERM=xterm script -qec "stty cols $columns rows 24; $(printf '%q ' "$nowcast" "$@" --redis "$REDIS_URL" --prices builtin)" /dev/null </dev/null | tr -d '\r'
}
shown 120 report --now $now today --by principal,model >"$T/screen"
has "names are short" "$(cat "$T/screen")" '^cid +nova-pro  '
shown 120 report --now $now --by principal,model --full >"$T/screen"
has "--full shows them as they are" "$(cat "$T/screen")" "^arn:aws:iam::$A:user/cid +$nova "
has "and so does a pipe" "$("$nowcast" report --redis "$REDIS_URL" --prices builtin)" "^arn:aws:iam::$A:user/cid "
shown 40 report --now $now >"$T/screen"
has "columns that have no room are named" "$(cat "$T/screen")" '^no room for: low, high, calls [(]--format csv has all[)]$'
is "on a wide one all have room" "$(shown 200 report --now $now | grep -c 'no room for')" 0
shown 120 top --turns 1 --hours 240 --team search >"$T/screen"
has "top takes conditions, too" "$(cat "$T/screen")" '\$16\.5000 in the last 240 h, 2 groups'
has "and has short names" "$(cat "$T/screen")" '^ann +claude-opus-4-6 \(us\) '

# --- what was meant

nobody() { rows "$@" >/dev/null; cat "$T/err"; }
has "a team that is misspelt" "$(nobody --team serach)" "no team of that span is called serach; did you mean Search[?]"
has "a caller" "$(nobody --principal ana)" "no principal of that span is called ana; did you mean ann[?]"
has "a name that is like none" "$(nobody --where team=xyz)" "no team of that span is called xyz; there are: .*Search"
is "conditions of which each is met, but not both, are nobody's mistake" "$(nobody --team search --model nova | grep -c 'is called')" 0
fails 2 "a team where a span is expected" "$nowcast" report search --redis "$REDIS_URL"
has "is told how it is given" "$(cat "$T/err")" 'got "search"; a team is given by --team, a caller by --principal'

# --- where it goes

out() { "$nowcast" "$1" --redis "$REDIS_URL" --now $now --prices builtin "${@:2}" 2>"$T/err"; }
out report --format csv >"$T/printed.csv"
umask 022
ok "a report into a file" out report --format csv --out "$T/report.csv"
same_file "is what it would have printed" "$T/report.csv" "$T/printed.csv"
is "for all to read, with nothing left beside it" "$(stat -c %a "$T/report.csv") $(ls "$T" | grep -c 'report.csv')" "644 1"
chmod 600 "$T/report.csv"
ln -s report.csv "$T/newest.csv"
ok "again, through a link" out report --format csv --top 1 --out "$T/newest.csv"
is "it takes the place of the old one, and keeps its mode" "$(wc -l <"$T/report.csv") $(stat -c %a "$T/report.csv") $(readlink "$T/newest.csv")" "2 600 report.csv"
cp "$T/report.csv" "$T/kept.csv"
fails 2 "a report that is none" out report --by colour --out "$T/report.csv"
fails 1 "a Redis that is away" "$nowcast" report --redis unix:"$T/nowhere" --out "$T/report.csv"
fails 2 "a disk that is full" out report --out /dev/full
has "is told" "$(cat "$T/err")" "report: --out /dev/full: No space left on device: make room"
same_file "the old file stays after each of them" "$T/report.csv" "$T/kept.csv"
fails 2 "a folder that is not there" out report --out "$T/none/x.csv"
has "is told, with what to do" "$(cat "$T/err")" "none/x.csv: No such file or directory: make the folder first"
fails 2 "a folder" out report --out "$T"
fails 2 "a bucket without a key" out report --out s3://bucket/
has "says what was expected" "$(cat "$T/err")" "--out s3://bucket/: expected s3://BUCKET/KEY"
ok "a device is written to, not replaced" out report --out /dev/null
is "as ever" "$(stat -c %F /dev/null)" "character special file"
ok "who" out who ann --out "$T/ann.txt"
has "into a file, too" "$(cat "$T/ann.txt")" "user/ann"

# --- what was not observed

of_gap() { "$nowcast" report --redis "$REDIS_URL" --redis.prefix gap --prices builtin --now 2026-11-17T12:00:00Z "$@" 2>&1; }
gap() { of_gap "$@" | tr '\n' '\t'; }
for h in 00 01 02 03 04 09 10 11; do
	call "g-$h-0" ann $nova 2026-11-17T$h:00:00Z 1000
	call "g-$h-1" ann $nova 2026-11-17T$h:59:30Z 1000
done | "$nowcast" replay --redis "$REDIS_URL" --redis.prefix gap - >/dev/null 2>&1
on_terminal() { # NAME=VALUE... : a comparison as a terminal gets it
	env TERM=xterm "$@" script -qfec "'$nowcast' report --redis $REDIS_URL --redis.prefix gap --prices builtin --now 2026-11-17T12:00:00Z --from 2026-11-17T03:00:00Z --to 2026-11-17T06:00:00Z --compare previous --by team" /dev/null </dev/null | cat -v
}
has "on a terminal heads are bold" "$(on_terminal)" '^\^\[\[1mteam\^\[\[0m  '
has "and less spend has a colour" "$(on_terminal)" '  \^\[\[32m-0.0016\^\[\[0m  '
is "not where nobody wants it, nor in a file" "$(on_terminal NO_COLOR=1 | grep -c '\^\[\[')$(on_terminal TERM=dumb | grep -c '\^\[\[')$(gap --by team | cat -v | grep -c '\^\[\[')" 000
has "four hours of which nothing was read" "$(gap --from 2026-11-17 --to 2026-11-17T12:00:00Z)" \
	'not observed of this span: 4 h, beside 8 h that were.*  2026-11-17 05:00 to 2026-11-17 09:00: nothing was read of this time'
is "an observed part of it lacks nothing" "$(gap --from 2026-11-17T09:00:00Z --to 2026-11-17T12:00:00Z | grep -c 'not observed')" 0
has "a comparison says what the span before lacks" "$(gap --from 2026-11-17T08:00:00Z --to 2026-11-17T12:00:00Z --compare previous)" \
	'not observed of this span: 1 h, .*not observed of the span before: 3 h, beside 1 h '
has "no figures of hours that were not observed" "$(gap --from 2026-11-17T06:00:00Z --to 2026-11-17T08:00:00Z)" 'nothing was observed of this span .2 h.: what was spent in it is not known'
echo yesterday >"$T/nightly"
for format in csv json focus table; do
	fails 1 "of which a nightly job makes no file: $format" of_gap --from 2026-11-17T06:00:00Z --to 2026-11-17T08:00:00Z --format $format --out "$T/nightly"
	has "  which is said" "$(cat "$T/out")" 'no figures from 2026-11-17 06:00 to 2026-11-17 08:00 UTC'
done
is "  and the old one stays" "$(cat "$T/nightly")" yesterday
for h in 6 7; do for m in $(seq 0 59); do echo "setbit gap:{$A/us-east-1}:observed:$(($(date -ud 2026-11-17 +%s) / 86400)):calls $((h * 60 + m)) 1"; done; done | redis >/dev/null
has "nor is a condition that nobody meets said to have cost nothing" "$(gap --from 2026-11-17T06:00:00Z --to 2026-11-17T08:00:00Z --team search)" 'under these conditions from .*: it was observed, and no such use was seen'
has "of observed ones nothing was spent" "$(gap --from 2026-11-17T06:00:00Z --to 2026-11-17T08:00:00Z)" 'no figures from 2026-11-17 06:00 to 2026-11-17 08:00 UTC: it was observed, and nothing was spent'
for format in csv json focus table; do
	fails 0 "which is a report like any other: $format" of_gap --from 2026-11-17T06:00:00Z --to 2026-11-17T08:00:00Z --format $format --out "$T/nightly"
	is "  with a heading, and a word on stderr" "$(head -c 14 "$T/nightly" | tr -d ' \n') $(grep -c 'no figures from' "$T/out")" "$(case $format in csv) echo principal,toke ;; json) echo '[]' ;; focus) echo BilledCost,Bil ;; esac) 1"
done

# --- a caller whose calls have jumped
{
	call u-1 eve $opus 2026-11-18T14:45:00Z 0 | sed 's/,"additionalEventData":{[^}]*}//'
	printf '{"metric_name":"InputTokenCount","namespace":"AWS/Bedrock","account_id":"%s","region":"us-east-1","dimensions":{"ModelId":"%s"},"timestamp":%d,"value":{"count":1,"sum":500,"max":500,"min":500},"unit":"Count"}\n' $A $opus "$(date -ud 2026-11-18T14:45:00Z +%s)000"
} | "$nowcast" replay --redis "$REDIS_URL" - >/dev/null 2>&1
rang() { # USER SINCE SEEN: as an alert is stored
	printf '{"rule":"jump","kind":"spike","group":"arn:aws:iam::%s:user/%s","state":"resolved","since":%d,"seen":%d,"at":%d}' $A "$1" "$(date -ud "$2" +%s)000" "$(date -ud "$3" +%s)000" "$(date -ud "$3" +%s)000"
}
redis lpush "{nowcast:alerts}:history" "$(rang eve 2026-11-18T14:46:00Z 2026-11-18T14:48:00Z)" "$(rang cid 2026-11-18T14:31:00Z 2026-11-18T14:40:00Z)" "$(rang dot 2026-11-17T14:31:00Z 2026-11-17T14:41:00Z)" >/dev/null
by_caller() { "$nowcast" report --redis "$REDIS_URL" --now $now "$@" 2>/dev/null; }
is "its split is unsure, where something was split" "$(by_caller --format json | jq -r '.[] | select(.split_unsure_since) | .principal, .split_unsure_since' | sed 's/.*user.//' | xargs)" "eve 2026-11-18T14:46:00Z"
has "the table says so" "$(by_caller today)" '^split unsure: the calls of .*eve jumped at 2026-11-18 14:46'
is "a span before it does not" "$(by_caller yesterday | grep -c unsure)" 0
is "nor does a report by model" "$(by_caller today --by model | grep -c unsure)" 0
has "the explanation of its hour does" "$("$nowcast" explain eve 2026-11-18T14:00:00Z --redis "$REDIS_URL" --now $now 2>&1)" '^split unsure: its calls jumped at 2026-11-18T14:46:00Z'

free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --now $now
ok "the server starts" wait_for 10 curl -sf "http://127.0.0.1:$port/readyz" -o "$T/ready"
unsure() { curl -s "http://127.0.0.1:$port/api/v1/breakdown?by=principal&limit=$1" | jq -r '.groups[] | select(.split_unsure_since) | .split_unsure_since'; }
lists_read() { redis info commandstats | sed -n 's/^cmdstat_lrange:calls=\([0-9]*\),.*/\1/p'; }
is "the dashboard marks it" "$(unsure 11)" 2026-11-18T14:46:00Z
before=$(lists_read)
is "another question gets the same answer" "$(unsure 12)" 2026-11-18T14:46:00Z
is "the events are not read again for it" "$(lists_read)" "$before"
redis lpush "{nowcast:alerts}:history" "$(rang eve 2026-11-18T14:45:00Z 2026-11-18T14:48:00Z)" >/dev/null
is "a new event counts" "$(unsure 13)" 2026-11-18T14:45:00Z
redis lpush "{nowcast:alerts}:history" "$(rang dot 2026-11-17T15:31:00Z 2026-11-17T15:41:00Z)" >/dev/null
is "behind a newer one, too" "$(unsure 14)" 2026-11-18T14:45:00Z
redis lrem "{nowcast:alerts}:history" 1 "$(rang eve 2026-11-18T14:45:00Z 2026-11-18T14:48:00Z)" >/dev/null
is "one that is deleted from among them does not" "$(unsure 15)" 2026-11-18T14:46:00Z
redis del "{nowcast:alerts}:history" >/dev/null
is "nor do all of them" "$(unsure 16)" ""
finish
