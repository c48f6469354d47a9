#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Rules of the source that no compiler holds, each a function below; `make check` runs them.
#
#     tests/check.sh [RULE...]
#
# Prints a TAP line a rule and, under one that is broken, the lines that break it.
set -u
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C
: "${CC:=cc}"
rules=(headers layers foreign keys key_table money width functions spdx templates aws_code documents disasters executable hardening)
: "${B:=build}"

# Each header compiles alone.
headers() {
	local h flags
	flags="-I. -D_GNU_SOURCE $(pkg-config --cflags rdkafka jansson hiredis libcurl 2>/dev/null)"
	for h in $(git ls-files '*.h'); do
		# shellcheck disable=SC2086 # flags are words
		$CC -std=c11 -fsyntax-only -Wall -Wextra -Werror $flags -x c -include "$h" /dev/null 2>&1
	done
}

# Who may include whom: a folder, and the folders it may look into (beside its own).
may='
base
aws        base
pricing    base aws
ingest     base aws pricing
estimator  base pricing ingest
store      base aws pricing ingest estimator
reconcile  base aws pricing ingest estimator store
query      base pricing ingest estimator store reconcile
alert      base aws pricing ingest estimator store reconcile query
web        base aws pricing ingest estimator store reconcile query alert
cli        base aws pricing ingest estimator store reconcile query alert web
run        base aws pricing ingest estimator store reconcile query alert web cli
demo       base aws pricing ingest estimator store reconcile query alert web cli run
'
layers() {
	local from to
	while read -r from to; do
		[ -n "$from" ] || continue
		[ -d "$from" ] || continue
		grep -rnE '^#[[:space:]]*include[[:space:]]+"' --include='*.[ch]' --include='*.cc' "$from" |
			grep -vE "include[[:space:]]+\"(${to// /|}${to:+|}$from)/" | sed "s|\$|   ($from may include: ${to:-nothing but itself})|"
	done <<<"$may"
}

# A foreign library is included by one module (its file, or the few files of its noun), so that its types cross no border of ours:
# no header includes one but a *_priv.h.
owners='
(librdkafka/)?rdkafka.h       ingest/kafka.c ingest/kafka_positions.c ingest/kafka_lag.c ingest/kafka_retention.c ingest/kafka_unreadable.c ingest/kafka_conf.c ingest/kafka_login.c ingest/kafka_priv.h ingest/kafka_producer.c demo/mock_broker.c
(librdkafka/)?rdkafka_mock.h  demo/mock_broker.c
(hiredis/.*|hiredis.h)        store/redis_priv.h
simdjson.h                    ingest/json.cc
(curl/.*|curl.h)              aws/http_client.c
microhttpd.h                  web/http_priv.h
xxhash.h                      base/hash.c
zlib.h                        web/gzip.c ingest/files.c ingest/inflate.c
openssl/.*                    base/digest.c store/redis_wire.c
jansson.h                     aws/[a-z_]+.c pricing/import_[a-z]+.c store/[a-z_]+.c reconcile/[a-z_]+.c alert/[a-z_]+.c alert/[a-z_]+_priv.h web/api_[a-z]+.c cli/alert.c cli/alert_backtest.c
'
foreign() {
	local header files
	while read -r header files; do
		[ -n "$header" ] || continue
		git ls-files '*.c' '*.h' '*.cc' | grep -v '^tests/' | xargs grep -nE "^#[[:space:]]*include[[:space:]]+[<\"](${header})[>\"]" /dev/null |
			grep -vE "^(${files// /|}):" | sed "s|\$|   (only: $files)|"
	done <<<"$owners"
}

# Redis keys are spelled in store/keys.c and alert/keys.c alone. Looked for are the names of keys behind a colon, at the start of a
# string or behind the prefix or a hash tag, and hash tags.
keys() {
	local names
	names=$(grep -ohE '":[a-z_]+' store/keys.c store/keys_priv.h | sed 's/":/ /' | sort -u | tr -d ' ' | paste -sd '|')
	names=$names'|alerts|'$(grep -oE '\] = "[a-z]+"' alert/keys.c | grep -oE '[a-z]+' | paste -sd '|')
	git ls-files '*.c' '*.h' '*.cc' '*.lua' | grep -vE '^(tests/|store/keys|alert/keys)' |
		xargs grep -nE "[\"'](:|[^\"']*(%s|%\.\*s|\}|nowcast):)($names)[\"':%]|\{%(\.\*)?s(/%(\.\*)?s|:[a-z]+)?\}"
}

# docs/redis-keys.md lists the keys of these headers, each with its type, and no others.
key_table() {
	diff <(sed -nE 's/^[[:space:]]*\/\/ (nowcast:[^ ]*|\{nowcast:[^ ]*)  ([A-Za-z ]+)$/\1 \2/p' store/keys.h alert/keys.h | sort) \
		<(sed -nE 's/^\| `([^`]*nowcast:[^`]*)` \| ([A-Za-z ]+) \|.*/\1 \2/p' docs/redis-keys.md | sort) |
		sed -nE 's/^< (.*)/\1: a header has it, docs\/redis-keys.md has not/p; s/^> (.*)/\1: docs\/redis-keys.md has it, no header has/p'
}

# No float holds money or tokens: what touches them has no floating-point type, conversion or constant in it.
# learn.c, fit*.c, equations.c, hour_stats*.c, cache_users.c, contest.c, lag.c and solve.c hold statistics about tokens, and give back integers.
money() {
	git ls-files 'base/usd.*' 'pricing/*.[ch]' 'estimator/*.[ch]' 'store/*.[ch]' 'reconcile/*.[ch]' | grep -vE '^estimator/(learn|fit|fit_check|fit_doubt|fit_filter|fit_prior|fit_spread|fit_walk|contest|equations|hour_stats(_codec|_priv)?|cache_users|lag|solve)\.[ch]$' |
		while read -r file; do
			# Comments and strings are blanked first: prose may speak of floats.
			perl -0pe 's{(//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*")}{$_=$1; s/[^\n]/ /g; $_}gse' "$file" |
				grep -nE '\b(float|double|strtod|strtof|atof|lround|llround|floor|ceil|powl?)\b|[0-9]\.[0-9]*(e[0-9+-]+)?\b' | sed "s|^|$file:|"
		done
}

# Lines are at most 110 columns wide, a tab being four; a long string stays in one piece, so that it can be searched for.
width() {
	git ls-files '*.c' '*.h' '*.cc' '*.lua' | xargs perl -ne '
		my $line = $_; chomp $line; 1 while $line =~ s/\t/" " x (4 - length($`) % 4)/e;
		print "$ARGV:$.: " . length($line) . " columns\n" if length($line) > 110 && $line !~ /"(?:\\.|[^"\\]){40,}"/;
		close ARGV if eof'
}

# A function has at most 70 lines from its brace to the other, and seven parameters. (libmicrohttpd's callback has eight.) Both
# braces of a function are the first character of their lines; what else begins a line so is data.
functions() {
	git ls-files '*.c' '*.cc' '*.h' | grep -v '^tests/' | xargs perl -0ne '
		s{(//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|\x27(?:\\.|[^\x27\\])+\x27)}{$_ = $1; s/[^\n]//g; $_}gse;
		while (/^[a-z][\w *]*?\b(\w+)(\((?:[^(){};]|\((?:[^(){};]|\([^(){};]*\))*\))*\))/mg) {
			my ($name, $all, $line) = ($1, $2, 1 + substr($_, 0, $-[0]) =~ tr/\n//);
			my $inner = substr $all, 1, -1;
			1 while $inner =~ s/\([^()]*\)//;
			my $n = 1 + $inner =~ tr/,//;
			print "$ARGV:$line: $name has $n parameters\n" if $n > 7 && $name ne "http_on_request";
		}
		while (/^(?:[a-z].*|[ \t]+.*)\)\n\{\n(.*?)^\}/msg) {
			my ($body, $line) = ($1, 1 + substr($_, 0, $-[1]) =~ tr/\n//);
			my $lines = $body =~ tr/\n//;
			print "$ARGV:$line: a function of $lines lines\n" if $lines > 70;
		}'
}

# Every source file names its licence in its first lines.
spdx() {
	git ls-files '*.c' '*.h' '*.cc' '*.sh' '*.yaml' '*.tf' Makefile deploy/install-deps | while read -r file; do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file"
	done
}

# The CloudFormation templates are what cfn-lint takes for right, where it is: it comes with moto (deploy/install-deps --test).
templates() {
	local lint
	lint=$(command -v cfn-lint || ls "${XDG_CACHE_HOME:-$HOME/.cache}"/nowcast/moto-*/bin/cfn-lint 2>/dev/null | head -n 1)
	[ -z "$lint" ] || "$lint" deploy/aws/*.yaml 2>&1
}

# Templates, Terraform, the policy, documents and code say the same of the AWS side. PyYAML comes with cfn-lint.
aws_code() {
	local python
	python=$(ls "${XDG_CACHE_HOME:-$HOME/.cache}"/nowcast/moto-*/bin/python 2>/dev/null | head -n 1)
	"${python:-python3}" -c 'import yaml' 2>/dev/null || return
	"${python:-python3}" tests/aws_code.py 2>&1
}

# What README, CONTRIBUTING and docs/ name exists: paths, commands, flags, keys, targets, links. The self-test shows that the
# rule can fail.
documents() {
	python3 tests/documents.py --self-test 2>&1
	python3 tests/documents.py 2>&1
}

# Every disaster says what it does and with what it compares the result: `make disasters` prints both.
disasters() {
	git ls-files 'tests/disasters/*.sh' | while read -r file; do
		grep -q '^# Done: .' "$file" || echo "$file: no line '# Done: ...'"
		grep -q '^# Compared: .' "$file" || echo "$file: no line '# Compared: ...'"
	done
}

# What prove runs can be run.
executable() {
	git ls-files -s 'tests/*.sh' | awk '$1 == 100644 && $4 != "tests/lib.sh" { print $4 " is not executable: chmod +x" }'
}

# The program that was built, if one was: position-independent, with nothing to write to in what the linker fills in, guards on the
# stack, checked copies, and landing pads for jumps where the compiler makes them. (Builds with sanitizers have other checks.)
hardening() {
	local p=$B/nowcast said
	[ -x "$p" ] && command -v readelf >/dev/null || return
	said=$(readelf -W -h -l -d -n -s --dyn-syms "$p" 2>/dev/null)
	grep -q '__asan_init' <<<"$said" && return
	hard() { grep -Eq "$2" <<<"$said" || echo "$p: $1"; } # WHAT-IS-MISSING PATTERN
	hard "not position-independent (-fPIE -pie)" '^ *Type: +DYN'
	hard "no GNU_RELRO segment (-z relro)" '^ *GNU_RELRO'
	hard "not bound at start (-z now)" 'BIND_NOW|Flags:.* NOW'
	hard "no guards on the stack (-fstack-protector-strong)" '__stack_chk_fail'
	hard "no checked copies (-D_FORTIFY_SOURCE)" '__(memcpy|memmove|snprintf|vsnprintf|fprintf)_chk'
	grep -Eq 'GNU_STACK.* RWE' <<<"$said" && echo "$p: its stack can be executed"
	grep -Eq '^ *(RPATH|RUNPATH)|\((RPATH|RUNPATH)\)' <<<"$said" && echo "$p: it looks for libraries in a folder of its own"
	if grep -q 'Machine:.*X86-64' <<<"$said" && echo | $CC -fcf-protection -x c -c -o /dev/null - 2>/dev/null; then
		# the linker notes them only if the C library's own start files have them, too
		[ "$(objdump -d --no-show-raw-insn "$p" 2>/dev/null | grep -m 100 -c 'endbr64')" = 100 ] ||
			echo "$p: no landing pads (-fcf-protection)"
	fi
}

[ $# = 0 ] || rules=("$@")
count=0 failed=0
for rule in "${rules[@]}"; do
	count=$((count + 1))
	broken=$("$rule")
	if [ -z "$broken" ]; then
		echo "ok $count - $rule"
	else
		failed=$((failed + 1))
		echo "not ok $count - $rule"
		sed 's/^/# /' <<<"$broken"
	fi
done
echo "1..$count"
exit $((failed > 0))
