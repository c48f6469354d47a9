#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is told of the program is what it does: the manual names every subcommand and flag there is, and no other; its page of
# keys is the one that the table prints; completion offers what the program has.
. "$(dirname "$0")/../lib.sh"

page=$top/deploy/man/nowcast.1
"$nowcast" check-config --man >"$T/nowcast.conf.5"
same_file "nowcast.conf.5 is what the table prints: else run make sample-config and commit it" "$top/deploy/man/nowcast.conf.5" "$T/nowcast.conf.5"

subcommands=$("$nowcast" help | sed -n 's/^  \([a-z-]*\) .*/\1/p')
synopses() { for name in $subcommands; do "$nowcast" help "$name" | sed 1q; done; }
is "the manual has every subcommand, in the order of the list" "$(sed -nE 's/^\.It Cm ([a-z-]+).*/\1/p' "$page" | xargs)" "$(xargs <<<"$subcommands")"
is "and every flag of theirs, and no other" "$(sed -nE 's/^\.It Cm [a-z-]+//p' "$page" | grep -oE 'Fl -[a-z-]+|\| -[a-z-]+' | sed -E 's/^(Fl|\|) -/--/' | sort -u | xargs)" \
	"$(synopses | grep -oE -- '--[a-z-]+' | sort -u | xargs)"
is "and every exit status" "$(sed -n '/^\.Sh EXIT STATUS/,/^\.El/s/^\.It //p' "$page" | xargs)" "0 1 2 3"

# A variable that is no key of the configuration is ignored.
variables() { "$nowcast" check-config --sample | sed -nE 's/^#?([a-z0-9_.]+) =.*/NOWCAST_\U\1/p' | tr . _; printf 'NOWCAST_%s\n' CONFIG TOKENS; }
is "compose.yaml, image, chart and docs/install.md set no other variables" "$(grep -ohrE 'NOWCAST_[A-Z0-9_]+' "$top"/deploy/{compose.yaml,container,helm} "$top/docs/install.md" |
	sort -u | grep -vxFf <(variables))" ""

if command -v mandoc >/dev/null; then
	# That a page is not installed here is no fault of the other.
	is "mandoc finds no fault" "$(mandoc -T lint -W style "$top"/deploy/man/* 2>&1 | grep -vE 'referenced manual not found|outdated mandoc.db|mandoc.db lacks')" ""
else
	echo "# mandoc is not installed: the manual's form is not checked"
fi

# --- completion, as bash calls it
nowcast() { :; } # so that nobody else's can be meant
. "$top/deploy/completion/nowcast.bash"
complete_words() { # WORD... : the last one is being typed
	COMP_WORDS=(nowcast "$@") COMP_CWORD=$#
	_nowcast "$nowcast" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
	echo "${COMPREPLY[*]}"
}
is "completion: subcommands" "$(complete_words '')" "$(xargs <<<"$subcommands")"
is "completion: one that has begun" "$(complete_words re)" "$(grep ^re <<<"$subcommands" | xargs)"
is "completion: its flags" "$(complete_words report --f)" "--from --format --full --firehose-keys-file --firehose-memory --future"
is "completion: behind flags of everybody" "$(complete_words --redis unix:/x top --tur)" "--turns"
is "completion: keys of the configuration" "$(complete_words run --batch-)" "--batch-records --batch-interval --batch-bytes"
is "completion: values" "$(complete_words report --format '')" "table csv json focus html"
is "completion: those of another" "$(complete_words who --format '')" "table json"
is "completion: of a key" "$(complete_words serve --log-level '')" "error warn info debug"
is "completion: what a subcommand does" "$(complete_words price a)" "add"
is "completion: spans" "$(complete_words report last)" "last-week last-month"
is "completion: orders" "$(complete_words report --sort '')" "usd tokens calls name change"
is "completion: the last of several keys" "$(complete_words report --by hour,t)" "hour,team hour,token_type hour,tier hour,tag:"
keys=$("$nowcast" help report | sed -n 's/^KEYS are any of \([^ ]*\).*/\1/p')
is "the manual has every key of reports" "$(sed -n 's/^\.Cm \(hour , .*\)/\1/p' "$page" | tr -d ' ')" "${keys%,tag:KEY}"
touch "$T/trail.json.gz"
is "completion: nothing where a file may stand, so that the shell looks for one" "$(complete_words replay "$T/tra")" ""
is "completion: what help knows" "$(complete_words help de)" "demo"
is "completion: the flags of a verb, and of no other" "$(complete_words alert list -- | cut -d" " -f -6)" "--history --dead --now --out --config --help"
is "completion: its values" "$(complete_words budget status --format '')" "table csv json"
is "completion: a span behind a name" "$(complete_words who ann last)" "last-week last-month"
for shell in bash:nowcast.bash zsh:_nowcast fish:nowcast.fish; do
	"$nowcast" complete "${shell%:*}" >"$T/script"
	same_file "the script of ${shell%:*} is in the program" "$T/script" "$top/deploy/completion/${shell#*:}"
done
fails 2 "that of no shell" "$nowcast" complete tcsh
mkdir "$T/bin"
ln -s "$nowcast" "$T/bin/nowcast"
if command -v fish >/dev/null; then
	is "fish: words, and what they are" "$(HOME=$T PATH=$T/bin:$PATH fish -c "source '$top/deploy/completion/nowcast.fish'; complete -C 'nowcast report --sort '" | sort | xargs)" "calls change name tokens usd"
	is "fish: files, where nothing else may stand" "$(cd "$T" && HOME=$T PATH=$T/bin:$PATH fish -c "source '$top/deploy/completion/nowcast.fish'; complete -C 'nowcast replay tra'")" "trail.json.gz"
fi
if command -v zsh >/dev/null; then
	is "zsh: words" "$(cd "$T" && PATH=$T/bin:$PATH zsh -f "$top/tests/support/complete.zsh" "$top/deploy/completion" 'nowcast report last-')" "last-week last-month"
	is "zsh: files, where nothing else may stand" "$(cd "$T" && PATH=$T/bin:$PATH zsh -f "$top/tests/support/complete.zsh" "$top/deploy/completion" 'nowcast replay tra')" "trail.json.gz"
fi
finish
