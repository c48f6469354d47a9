#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Does this build do what another one did? Both are given the very same records, bills, tags and prices, each in a Redis of its
# own, and are asked the same questions: every command, every answer of the API, the page, and the figures in Redis. Answers
# are compared byte for byte; tests/compare_builds.allowed lists what is meant to differ, with the reason.
#
#     tests/compare_builds.sh BASE_REV [REV]   the build of BASE_REV beside build/nowcast, or beside that of REV
#     tests/compare_builds.sh --self-test      would it notice? one side reads one token more; then answers are altered one by one
#
# Variables: STATES="plain price" asks about these only; KEEP=1 leaves the answers; SHARED says where the worlds are made (../shared).
# A revision is built once, in $B/compare/SHA, and the table of all questions is left in $B/compare/table.txt.
. "$(dirname "$0")/lib.sh"

# What both builds are given: a function each, below. The second list needs the shared folder.
own_states="identity hashed tiers mixed units profiles many past decode price cli"
shared_states="plain bill logs exact days crowd coders drift folded samples cases"
# Fewer answers that say something than this would be no comparison: nine tenths of what there are.
own_answers=3000 shared_answers=7000

# --- what both builds are given ----------------------------------------------------------------------------------------

world_of() { # NAME KIND ARGUMENT...: $in/NAME/, by world.py or a family of families.py
	local name=$1 kind=$2
	shift 2
	if [ "$kind" = world ]; then
		make_world "$@"
	else
		make_world_by families.py "$kind" "$@"
	fi
	ln -s "$world" "$in/$name"
}

# Times at which the stream of the plain world is cut, so that the scoreboard has what was said at each.
cuts="2026-11-02T01:05:30Z 2026-11-02T02:01:00Z 2026-11-02T02:05:30Z 2026-11-02T03:01:00Z 2026-11-02T03:05:30Z 2026-11-02T04:01:00Z 2026-11-03T01:01:00Z 2026-11-03T02:59:00Z"
bills=("daily" "nobody" "halve" "flex" "discount" "marketplace" "without line_item_resource_id" "without pricing_public_on_demand_cost" "untagged" "negative" "tribute" "create" "monthly" "until 2026-11-02T01:00:00Z")

prepare_shared() {
	world_of plain world --hours 3 --scale 0.05
	world_of logs world --hours 3 --scale 0.02 --log-share 0.5 --tokens-in-cloudtrail some --duplicates 0.1 --seed 2
	world_of exact world --hours 2 --scale 0.02 --log-share 1.0
	world_of days world --hours 48 --scale 0.01 --spike bob:1500:20:10
	world_of crowd hc --hours 3 --n 60
	world_of coders ent --hours 3 --n 12 --tokens-in-cloudtrail some
	world_of drift drift --hours 4
	local at from=0 to how
	mkdir "$in/parts"
	for at in $cuts; do
		to=$(date -d "$at" +%s000)
		awk -v from="$from" -v to="$to" '{ at = substr($0, index($0, "\"ts\":") + 5, 13); if (at >= from && at < to) print }' "$in/plain/stream.ndjson" >"$in/parts/$at.ndjson"
		from=$to
	done
	for how in "${bills[@]}"; do # shellcheck disable=SC2086 # words
		python3 tests/support/cur.py "$in/plain/cur2" "$in/bills/$how" $how >/dev/null || bail "no bill: $how"
	done
	python3 tests/support/cur.py "$in/days/cur2" "$in/bills/two days, discount" discount >/dev/null
}

prepare() {
	in=$T/in
	mkdir -p "$in"/{identity,tiers,units,profiles,decode,bills}
	python3 tests/support/identity.py "$in/identity" || bail "no records of identities"
	(. tests/support/tiers.sh; tier_records "$in/tiers")
	(. tests/support/units.sh; unit_records "$in/units")
	(. tests/support/profiles.sh; profile_records "$in/profiles")
	python3 tests/many_principals.py 120 2 >"$in/many.ndjson"
	"$top/$B/tests/unit/decode_test" --write "$in/decode" tests/decode/*.txt >/dev/null 2>&1
	python3 tests/support/pricelist.py "$in/offer.json" "$in/offer.csv" --models 20 >/dev/null || bail "no price list"
	printf 'a key of thirty-two bytes or more, no less\n' >"$in/key"
	printf '%s\n' model,scope,region,account,tier,from,to,prompt_tokens_over,input,output,cache_read,cache_write_5m,cache_write_1h,unit,per_unit,source \
		anthropic.claude-sonnet-4-6,regional,,,,,,,7.5,31,,,,,,ours >"$in/ours.csv"
	cat >"$in/tags.json" <<-'END'
		{"UserDetailList": [{"UserName": "ann", "Arn": "arn:aws:iam::111122223333:user/eng/ann", "Tags": [{"Key": "team", "Value": "imported"}]},
		                    {"UserName": "bob", "Arn": "arn:aws:iam::111122223333:user/bob"}],
		 "RoleDetailList": [{"RoleName": "gateway", "Arn": "arn:aws:iam::111122223333:role/gateway", "Tags": [{"Key": "team", "Value": "imported"}, {"Key": "env", "Value": "test"}]}]}
	END
	local by kind
	{ # every kind of rule; what they tell goes to a file of the side that runs
		for by in all team principal; do printf '[rule budget-%s]\nkind = budget\nby = %s\nperiod = month\namount = 2\nat = 10,50,100\n' $by $by; done
		printf '[rule day]\nkind = budget\nby = account\nperiod = day\namount = 1\n[rule soon]\nkind = forecast\nby = all\nperiod = day\namount = 40\n'
		printf '[rule burn]\nkind = burn\nby = all\nperiod = month\namount = 100\n[rule jump]\nkind = spike\nby = principal\nfloor = 0.01\n'
		for kind in new unpriced; do printf '[rule %s]\nkind = %s\nby = model\n' $kind $kind; done
		printf '[rule who]\nkind = new\nby = principal\n[rule silent]\nkind = silent\n[rule bill]\nkind = bill\nby = account\nperiod = day\nat = 1,5\n'
	} >"$in/rules"
	[ -z "$with_shared" ] || prepare_shared
}

# --- one side: its states, its questions -------------------------------------------------------------------------------

mask() { COMPARE_MASK="$T=SCRATCH
$tree=TREE
127.0.0.1:$redis_port=REDIS
127.0.0.1:${serve_port:-0}=SERVE"; export COMPARE_MASK; }

begin() { # STATE: a Redis with nothing in it
	if [ -n "${redis_pid:-}" ] && alive "$redis_pid"; then redis flushall >/dev/null; else start_redis; fi
	state=$1
	mask
}
did() { # NAME STATUSES COMMAND...: whose status, output and complaints are an answer
	python3 tests/support/questions.py "$answers" run "$state: $1" "${@:2}" || bail "no answer to $1"
}
fed() { # FILE...
	did "replay $(basename "${!#}")" 0 "$nowcast" replay --redis "$REDIS_URL" "${flags[@]}" "$@"
}
reconciled() { # FOLDER
	did "reconcile $(basename "$1")" 0,1,2,3 "$nowcast" reconcile --redis "$REDIS_URL" --scoreboard.keep 3650d "${flags[@]}" "$1"
	spoil
}
ask() { # NOW [short|page|commands]: everything; short: figures and sums only; commands: without the server
	local url=- ask_pid=
	spoil
	case ${2:-} in short | commands) ;; *)
		free_port
		serve_port=$port url=http://127.0.0.1:$port
		mask
		start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --listen-rate 1000 --now "$1" "${flags[@]}"
		ask_pid=$pid
		wait_for 10 listens "$port" || { sed 's/^/# /' "$T/serve.log"; bail "nowcast serve does not listen"; }
		;;
	esac
	ASK_FLAGS="$(printf '%s\n' "${flags[@]}")" python3 tests/support/questions.py "$answers" ask "$state" "$redis_port" "$url" "$1" "$nowcast" "${2:-all}" || bail "$state: no answers"
	[ -z "$ask_pid" ] || stop "$ask_pid"
}
# For the self-test: this side reads one token more.
spoil() {
	[ -n "${SPOIL:-}" ] || return
	(. tests/support/tiers.sh; log spoilt ann amazon.nova-pro-v1:0 1 0 '{}') | "$nowcast" replay --redis "$REDIS_URL" "${flags[@]}" - >/dev/null 2>&1
}

state_plain() {
	local at now=2026-11-02T02:40:00Z
	begin plain
	for at in $cuts; do
		fed "$in/parts/$at.ndjson"
		did "snapshots at $at" 0 "$tree/$tree_build/tests/take_snapshots" "$REDIS_URL" "$at"
	done
	ask $now
	state=billed
	reconciled "$in/plain/cur2"
	ask $now page
	did "reconcile again" 0 "$nowcast" reconcile --redis "$REDIS_URL" --scoreboard.keep 3650d "$in/plain/cur2"
	ask $now short
	state=repriced
	did "reprice" 0 "$nowcast" reprice --redis "$REDIS_URL" --from 2026-11-01 --prices-file "$in/ours.csv"
	ask $now short
}
state_bill() {
	local how
	for how in "${bills[@]}"; do
		begin "bill $how"
		fed "$in/plain/stream.ndjson"
		reconciled "$in/bills/$how"
		ask 2026-11-02T02:40:00Z short
	done
}
state_logs() { estimate_and_bill logs 2026-11-02T02:40:00Z; }
state_exact() { estimate_and_bill exact 2026-11-02T01:40:00Z commands; }
state_crowd() { estimate_and_bill crowd 2026-11-02T02:40:00Z; }
state_coders() { estimate_and_bill coders 2026-11-02T02:40:00Z; }
state_drift() { estimate_and_bill drift 2026-11-02T03:40:00Z commands; }
estimate_and_bill() { # WORLD NOW [commands]
	begin "$1"
	fed "$in/$1/stream.ndjson"
	ask "$2" "${3:-all}"
	state="$1 billed"
	reconciled "$in/$1/cur2"
	ask "$2" short
}
state_days() {
	begin days
	fed "$in/days/stream.ndjson"
	alerted 2026-11-02T05:30:00Z 2026-11-02T12:00:00Z 2026-11-03T01:20:00Z 2026-11-03T23:50:00Z
	ask 2026-11-03T14:40:00Z
	state="days billed"
	reconciled "$in/bills/two days, discount"
	alerted 2026-11-03T23:55:00Z
	ask 2026-11-03T14:40:00Z
	flags=()
}
alerted() { # TIME...: rules are evaluated then; their messages and what is up are answers
	local at
	{ cat "$in/rules"; printf '[receiver file]\nkind = command\ncommand = cat >>%s/told; echo >>%s/told\n' "$T" "$T"; } >"$T/alerts.conf"
	flags=(--alerts-file "$T/alerts.conf")
	: >"$T/told"
	for at; do
		did "alert check $at" 0,1 "$nowcast" alert check --redis "$REDIS_URL" "${flags[@]}" --now "$at"
		did "alert list after $at" 0 "$nowcast" alert list --redis "$REDIS_URL" "${flags[@]}" --history 1000
	done
	did "messages of alerts" 0 cat "$T/told"
	did "alert silence" 0 "$nowcast" alert silence 'budget*' --for 2h --why known --redis "$REDIS_URL" "${flags[@]}"
	did "alert backtest" 0 "$nowcast" alert backtest --redis "$REDIS_URL" "${flags[@]}" --from 2026-11-01
}
state_folded() {
	begin folded
	flags=(--sessions-max 1 --users-max 1 --models-max 1)
	fed "$in/plain/stream.ndjson"
	ask 2026-11-02T02:40:00Z
	state="folded billed"
	reconciled "$in/plain/cur2"
	ask 2026-11-02T02:40:00Z short
	flags=()
}
state_identity() {
	begin identity
	fed "$in/identity/calls.ndjson"
	ask 2026-11-02T06:00:00Z short
	fed "$in/identity/late.ndjson" "$in/identity/history.ndjson" "$in/identity/guest.ndjson"
	ask 2026-11-02T06:00:00Z
	state="imported tags"
	did "tags import" 0 "$nowcast" tags import --redis "$REDIS_URL" --from 2026-11-02T05:00:00Z "$in/tags.json"
	ask 2026-11-02T06:00:00Z commands
	state="few names"
	redis flushall >/dev/null
	did "replay with few names" 0 "$nowcast" replay --redis "$REDIS_URL" --sessions-max 2 --users-max 2 "$in/identity/calls.ndjson" "$in/identity/late.ndjson"
	ask 2026-11-02T06:00:00Z commands
}
state_hashed() {
	begin hashed
	flags=(--names-hash "sessions,users,tag:Email,tag:user" --names-hash-key "$in/key")
	fed "$in/identity/calls.ndjson" "$in/identity/late.ndjson"
	did "tags import" 0 "$nowcast" tags import --redis "$REDIS_URL" "${flags[@]}" --from 2026-11-02T05:59:00Z "$in/tags.json"
	local who
	for who in u-2 u2@example.com ASIADEE ann; do did "who $who" 0 "$nowcast" who --redis "$REDIS_URL" "${flags[@]}" --now 2026-11-02T06:00:00Z $who; done
	did "who without the key" 1 "$nowcast" who --redis "$REDIS_URL" --now 2026-11-02T06:00:00Z u-2
	did "replay without the key" 2 "$nowcast" replay --redis "$REDIS_URL" "$in/identity/calls.ndjson"
	ask 2026-11-02T06:00:00Z
	if [ -e "$in/plain" ]; then
		begin "hashed billed"
		fed "$in/plain/stream.ndjson"
		reconciled "$in/plain/cur2"
		ask 2026-11-02T02:40:00Z short
	fi
	flags=()
}
state_tiers() {
	flags=(--prices builtin)
	begin tiers
	fed "$in/tiers/tiers.ndjson" "$in/tiers/bands.ndjson"
	did "reprice" 0 "$nowcast" reprice --redis "$REDIS_URL" --prices builtin --from 2026-11-01
	ask 2026-11-02T05:50:00Z
	flags=()
}
state_mixed() { # tiers that metrics tell, of callers and of nobody
	local name
	flags=(--prices builtin)
	for name in mantle told nobody; do
		begin "mixed $name"
		fed "$in/tiers/$name.ndjson"
		ask 2026-11-02T05:50:00Z commands
	done
	flags=()
}
state_units() {
	begin units
	flags=(--prices-file "$in/units/ours.csv")
	fed "$in/units/units.ndjson"
	ask 2026-11-02T05:50:00Z
	state="units repriced"
	did "reprice" 0 "$nowcast" reprice --redis "$REDIS_URL" --prices builtin --from 2026-11-01
	ask 2026-11-02T05:50:00Z commands
	flags=()
}
state_profiles() {
	begin profiles
	fed "$in/profiles/calls.ndjson"
	ask 2026-11-02T05:50:00Z commands
	state="profiles imported"
	did "profiles import" 0 "$nowcast" profiles import --redis "$REDIS_URL" "$in/profiles/profiles.json"
	did "profiles import, a map" 0 "$nowcast" profiles import --redis "$REDIS_URL" --from 2026-11-02T03:00:00Z "$in/profiles/map.csv"
	did "reprice" 0 "$nowcast" reprice --redis "$REDIS_URL" --from 2026-11-01
	ask 2026-11-02T05:50:00Z
}
state_many() { # with tags that would like to be more than text
	begin many
	flags=(--sessions-max 40)
	fed "$in/many.ndjson"
	ask 2026-11-02T01:40:00Z page
	flags=()
}
state_past() { # weeks of figures, put into Redis as this side's own tests lay them out
	begin past
	python3 "$tree/tests/support/past.py" --days 20 --now 2026-11-19T14:40:00Z | redis --pipe >/dev/null
	alerted 2026-11-19T14:40:00Z
	ask 2026-11-19T14:40:00Z
	flags=()
}
state_decode() { # each message by itself
	begin decode
	each "$in"/decode/*
	fed --dead-letter-file "$T/dead" "$in"/decode/*
	did "dead letters" 0 cat "$T/dead"
	ask 2026-11-02T05:50:00Z commands
}
each() { # FILE...: in a Redis each, what comes of it
	ASK_EACH="report --by hour,account,region,model,principal,team,token_type,tier --format csv" \
		python3 tests/support/questions.py "$answers" each "$state" "$redis_port" "$nowcast" "$@" || bail "$state: no answers"
}
state_samples() {
	begin samples
	each "$shared"/samples/*
	fed "$shared"/samples
	ask 2026-11-02T05:50:00Z short
}
state_cases() {
	local case bill
	begin cases
	each $(find "$shared/cases" -type f \( -name '*.json' -o -name '*.ndjson' -o -name '*.txt' \) -not -path '*/cur2*' | sort)
	for case in "$shared"/cases/*/; do
		for bill in "$case"cur2*; do
			[ -d "$bill" ] || continue
			begin "case $(basename "$case") $(basename "$bill")"
			fed $(find "$case" -maxdepth 1 -name '*.ndjson')
			reconciled "$bill"
			ask 2026-11-20T05:50:00Z short
		done
	done
}
state_price() {
	local source model
	begin price
	export NOWCAST_PRICES_DIR=$T/prices
	for source in builtin user pricelist; do did "list $source" 0,1 "$nowcast" price list --source $source --format csv --all --time 2026-11-02; done
	did "list" 0 "$nowcast" price list --time 2026-11-02
	did "list nova" 0 "$nowcast" price list nova --time 2026-11-02 --format table
	for model in us.anthropic.claude-sonnet-4-6 global.anthropic.claude-haiku-4-5-20251001-v1:0 amazon.nova-pro-v1:0 openai.gpt-oss-120b amazon.nova-canvas-v1:0 cohere.rerank-v3-5:0 acme.unheard; do
		did "show $model" 0,1,3 "$nowcast" price show $model --time 2026-11-02
		did "show $model flex" 0,1,3 "$nowcast" price show $model --time 2026-11-02 --tier flex --region eu-west-1 --account 111122223333
		did "explain $model" 0,1,3 "$nowcast" price explain --model $model --region us-east-1 --tokens input=150001,output=7,cache_read=10,cache_write_5m=3,cache_write_1h=5 --time 2026-11-02
	done
	did "check" 0 "$nowcast" price check "$in/ours.csv"
	did "diff" 3 "$nowcast" price diff "$in/ours.csv"
	did "import, to see" 0,3 "$nowcast" price import pricelist --dry-run "$in/offer.json"
	did "import" 0,3 "$nowcast" price import pricelist --yes "$in/offer.json"
	did "imported" 0 cat "$T/prices/pricelist-offer.csv" "$T"/prices/pricelist*.csv
	did "import again" 0,3 "$nowcast" price import pricelist --yes "$in/offer.json"
	did "list of all" 0 "$nowcast" price list --format csv --all --time 2026-11-02
	did "usage types" 3 "$nowcast" price usage-type USE1-NovaPro-input-tokens-flex USE1-MP:USE1_InputTokenCount-Units USE1-Nonsense
	[ -z "$with_shared" ] || prices_of_the_world
	export NOWCAST_PRICES_DIR=
}
prices_of_the_world() {
	local file
	for file in "$shared"/prices/litellm*.json; do did "import $(basename "$file")" 0,1,2,3 "$nowcast" price import litellm --yes "$file"; done
	for file in "$shared"/prices/pricelist/*.json "$shared"/prices/pricelist_reduced*.json; do did "import $(basename "$file")" 0,1,2,3 "$nowcast" price import pricelist --yes "$file"; done
	did "list with all imports" 0 "$nowcast" price list --format csv --all --time 2026-11-02
	cut -d, -f1 "$shared/cur/usage_types.csv" >"$T/usage_types"
	did "usage types of the world" 0,3 sh -c '"$0" price usage-type - <"$1"' "$nowcast" "$T/usage_types"
}
state_cli() { # what needs no figures
	local name line
	begin cli
	did "help" 0 "$nowcast" --help
	for name in run replay report reconcile explain who top serve alert doctor price reprice tags profiles check-config demo version; do
		did "help $name" 0 "$nowcast" $name --help
		did "$name with a wrong flag" 1,2 "$nowcast" $name --colour blue
	done
	did "version" 0 sh -c '"$0" version | grep -v "^commit "' "$nowcast"
	did "sample configuration" 0 "$nowcast" check-config --sample
	did "manual of the configuration" 0 "$nowcast" check-config --man
	did "check-config" 0 "$nowcast" check-config --redis "$REDIS_URL"
	"$nowcast" check-config --sample >"$T/sample.conf"
	did "check-config of the sample" 0 "$nowcast" check-config --config "$T/sample.conf"
	while IFS= read -r line; do
		printf '%s\n' "$line" >"$T/wrong.conf"
		did "check-config of $line" 0,2 "$nowcast" check-config --config "$T/wrong.conf"
	done <<-'END'
		redsi = redis://127.0.0.1:1
		window = 5
		kafka.sesion.timeout.ms = 5
		sessions.max = many
		names.hash = roles
		prices = cheap
		watermark = soon
	END
	for line in "--by hour,nonsense" "--from 2026-11-03 --to 2026-11-02" "--format xml" "--reconciliation --period 2026-1x" "--from yesterday"; do # shellcheck disable=SC2086 # words
		did "report $line" 2 "$nowcast" report --redis "$REDIS_URL" $line
	done
	for line in "--by hour --format csv" "--reconciliation --format csv" "--scoreboard --format csv" "--format json" "--format focus"; do # shellcheck disable=SC2086 # words
		did "report of nothing $line" 0 "$nowcast" report --redis "$REDIS_URL" $line
	done
	did "doctor of nothing" 0,1,3 "$nowcast" doctor --redis "$REDIS_URL"
	did "nothing to replay" 2 "$nowcast" replay --redis "$REDIS_URL" "$T/none.ndjson"
	printf '[rule x]\nkind = bugdet\n' >"$T/wrong.alerts"
	did "a wrong rule" 2 "$nowcast" alert list --redis "$REDIS_URL" --alerts-file "$T/wrong.alerts"
	did "tags of what is no ARN" 2 "$nowcast" tags show --redis "$REDIS_URL" app
	did "nobody" 1,2 "$nowcast" who --redis "$REDIS_URL" --now 2026-11-02T06:00:00Z nobody
}

one_side() { # ANSWERS TREE TREE-BUILD INPUTS STATE...
	answers=$1 tree=$2 tree_build=$3 in=$4 nowcast=$2/$3/nowcast flags=()
	shift 4
	local name
	for name; do
		begin "$name"
		state_"$name"
	done
	echo done >"$answers.done"
	exit 0
}

# --- both sides ----------------------------------------------------------------------------------------------------------

build_of() { # REV: its tree in $tree, built once
	local sha
	sha=$(git rev-parse --verify -q "$1^{commit}") || bail "$1 is no commit here"
	tree=$top/$B/compare/$sha
	[ -e "$tree/.built" ] && return
	echo "building $(git log -1 --format='%h %s' "$sha")"
	rm -rf "$tree" && mkdir -p "$tree" || exit 1
	git archive "$sha" | tar -x -C "$tree" || bail "git archive failed"
	CCACHE_NOHASHDIR=1 nice make -C "$tree" --no-print-directory -j"$(nproc)" B=build SAN= build/nowcast build/tests/take_snapshots >"$tree/build.log" 2>&1 ||
		{ tail -n 20 "$tree/build.log"; bail "$1 does not build; $tree/build.log says why"; }
	touch "$tree/.built"
}

ask_side() { # NAME TREE TREE-BUILD [VARIABLE=VALUE]: in a process of its own, which ends with this one
	mkdir -p "$T/answers"
	: >"$T/answers/$1"
	start "$1" env ${4:+"$4"} with_shared="$with_shared" nice bash tests/compare_builds.sh --side "$T/answers/$1" "$2" "$3" "$in" $states
	sides+=("$1:$pid")
}
wait_for_sides() {
	local side
	for side in "${sides[@]}"; do
		wait_for 3600 gone "${side##*:}"
		[ -e "$T/answers/${side%:*}.done" ] || { tail -n 20 "$T/${side%:*}.log" | sed 's/^/# /'; bail "the ${side%:*} build did not answer to the end"; }
	done
}
judged() { python3 tests/support/compare_answers.py "$T/answers/base" "$T/answers/present" "$@"; }

self_test() {
	local status
	with_shared='' states=tiers
	prepare
	ask_side base "$top" "$B"
	ask_side present "$top" "$B"
	ask_side spoilt "$top" "$B" SPOIL=1
	wait_for_sides
	python3 tests/support/compare_answers.py --self-test "$T/answers/base" "$T/answers/present" || exit 1
	python3 tests/support/compare_answers.py "$T/answers/base" "$T/answers/spoilt" --allowed /dev/null --states tiers >"$T/spoilt"
	status=$?
	for what in 'tiers: redis usage' 'tiers: report --by principal --format csv' 'tiers: GET /api/v1/summary'; do
		if [ $status = 1 ] && grep -qF "differs: $what" "$T/spoilt"; then echo "ok - one token more in one Redis is noticed by: $what"; else
			echo "not ok - one token more in one Redis is noticed by: $what"; tail -n 20 "$T/spoilt" | sed 's/^/# /'; exit 1; fi
	done
	exit 0
}

case ${1:-} in
--side) shift; one_side "$@" ;;
esac
[ -x "$nowcast" ] || bail "no $nowcast: make builds it"
with_shared=${shared:+yes} states=${STATES:-} at_least=10 sides=()
if [ -n "$with_shared" ] && ! [ -x "$shared/world/world.py" ]; then with_shared=; fi
case ${1:-} in
--self-test) self_test ;;
'' | -*) echo "usage: tests/compare_builds.sh BASE_REV [REV] | --self-test" >&2; exit 2 ;;
esac

began=$SECONDS
build_of "$1"
base=$tree present=$top present_build=$B
if [ -n "${2:-}" ]; then
	build_of "$2"
	present=$tree present_build=build
fi
built=$SECONDS
if [ -z "$states" ]; then
	states="$own_states${with_shared:+ $shared_states}" at_least=$own_answers
	[ -z "$with_shared" ] || at_least=$shared_answers
fi
[ -n "$with_shared" ] || echo "skipped, for there is no ../shared (SHARED=DIR says where): $shared_states, imports of price lists of the world"
prepare
ask_side base "$base" build
ask_side present "$present" "$present_build"
wait_for_sides
judged --at-least "$at_least" --states "$(echo $states | tr ' ' ,)" --table "$top/$B/compare/table.txt"
status=$?
echo "$(wc -l <"$T/answers/present") questions in $((SECONDS - built)) s, after $((built - began)) s of building; each of them: $B/compare/table.txt"
exit $status
