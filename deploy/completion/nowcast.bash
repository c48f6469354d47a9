# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Completion of nowcast for bash. It asks the program itself what there is (`nowcast help`, `nowcast help SUBCOMMAND`,
# `nowcast check-config --sample`), which takes some milliseconds, so it always fits the installed version.
#
# `make install` puts it where bash-completion finds it; to try it: . deploy/completion/nowcast.bash

_nowcast_subcommands() { # COMMAND
	"$1" help 2>/dev/null | sed -n 's/^  \([a-z-]*\) .*/\1/p'
}

# The subcommand among the words before the one in hand; nothing if there is none yet.
_nowcast_subcommand() { # COMMAND
	local i known
	known=" $(_nowcast_subcommands "$1" | tr '\n' ' ')"
	for ((i = 1; i < COMP_CWORD; i++)); do
		case $known in *" ${COMP_WORDS[i]} "*) echo "${COMP_WORDS[i]}"; return ;; esac
	done
}

# Keys joined by commas: completes the last of them.
_nowcast_keys() { # COMMAND WORD
	local before= last=$2 key
	case $2 in *,*) before=${2%,*}, last=${2##*,} ;; esac
	for key in $("$1" help report 2>/dev/null | sed -n 's/^KEYS are any of \([a-z_,]*\),tag:KEY.*/\1,tag:/p' | tr , ' '); do
		case $key in "$last"*) COMPREPLY+=("$before$key") ;; esac
	done
	compopt -o nospace 2>/dev/null
}

_nowcast_formats() { # COMMAND SUBCOMMAND
	"$1" help "$2" 2>/dev/null | grep -oE -- '--format [a-z|]+' | sed 's/--format //' | tr '|' '\n' | sort -u
}

_nowcast_flags() { # COMMAND SUBCOMMAND
	[ -z "$2" ] || "$1" help "$2" 2>/dev/null | sed 1q | grep -oE -- '--[a-z-]+'
	echo --config --help
	"$1" check-config --sample 2>/dev/null | sed -nE 's/^#([a-z_.]+) =.*/\1/p' | tr '._' '--' | sed '/^kafka-/d; s/^/--/'
}

_nowcast() { # COMMAND WORD PREVIOUS
	local word=$2 subcommand
	COMPREPLY=()
	case $3 in
	--by) _nowcast_keys "$1" "$word"; return ;;
	--format) mapfile -t COMPREPLY < <(compgen -W "$(_nowcast_formats "$1" "$(_nowcast_subcommand "$1")")" -- "$word"); return ;;
	--sort | --compare) mapfile -t COMPREPLY < <(compgen -W "$("$1" help report 2>/dev/null | sed -nE "1s/.*$3 ([a-z|]+).*/\\1/p" | tr '|' ' ')" -- "$word"); return ;;
	--log-level) mapfile -t COMPREPLY < <(compgen -W 'error warn info debug' -- "$word"); return ;;
	--log-format) mapfile -t COMPREPLY < <(compgen -W 'logfmt json' -- "$word"); return ;;
	--config | --dead-letter-file | --redis-ca) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
	esac
	subcommand=$(_nowcast_subcommand "$1")
	case $word in
	-*) mapfile -t COMPREPLY < <(compgen -W "$(_nowcast_flags "$1" "$subcommand")" -- "$word") ;;
	*)
		if [ -z "$subcommand" ] || [ "$subcommand" = help ]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_nowcast_subcommands "$1")" -- "$word")
		elif [ "$subcommand" = report ]; then
			mapfile -t COMPREPLY < <(compgen -W "$("$1" help report 2>/dev/null | sed -n 's/^SPAN is one of [0-9hdw, ]*\(today.*-month\), a day.*/\1/p' | tr -d ,)" -- "$word")
		elif [ "$subcommand" = replay ] || [ "$subcommand" = tags ] || [ "$subcommand" = profiles ]; then
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
		fi
		;;
	esac
}

complete -F _nowcast nowcast
