# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Completion of nowcast for bash. It asks the program itself what may follow (`nowcast complete`), which takes some
# milliseconds, so it always fits the installed version.
#
# `make install` puts it where bash-completion finds it; to try it: . deploy/completion/nowcast.bash

_nowcast() { # COMMAND
	local word
	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		COMPREPLY+=("$word")
		case $word in *:) compopt -o nospace 2>/dev/null ;; esac
	done < <("$1" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

complete -o default -F _nowcast nowcast
