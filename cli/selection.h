// SPDX-License-Identifier: Apache-2.0
// What a subcommand that reads figures takes them of: a span of hours, and conditions on rows. The same
// arguments for every one:
//
//     SPAN                 today, yesterday, 2026-11, 24h, ... (query/span.h)
//     --since SPAN         from where that span begins up to now
//     --from T  --to T     bounds; a whole hour each. 14:00 is the last one; as --to, the first one after
//                          --from
//     --principal TEXT  --role TEXT  --model TEXT
//                          the name contains the text: "opus" is every model of that family, in every Region
//     --team NAME          the whole name
//     --where KEY=VALUE    the whole value of any grouping (tag:KEY, meta:KEY, account, ...); more than once
//     --now T              the present, for SPAN
//
// In texts and values * stands for any text; letters match in either case. All conditions must hold.
#ifndef NOWCAST_CLI_SELECTION_H
#define NOWCAST_CLI_SELECTION_H

#include "base/arena.h"
#include "base/command.h"
#include "query/grouping.h"
#include "query/span.h"

struct selection {
	struct time_span span, before; // before: to compare it with (query/span.h)
	bool has_span;            // an argument says it; else the span is `all`
	bool has_beginning; // an argument says where it begins: --to alone does not
	int64_t now_ms;
	struct group_filter only; // slices of argv, the configuration and `texts`
	struct arena texts;
};

// Takes the conditions alone, and leaves the span as it is. Release it, after a failure too.
bool selection_take_conditions(struct selection *s, struct command *c, struct err *err) NC_CHECK;

// Takes --now and the span alone. `at`: which of the arguments may be a SPAN, from 0 on. s->now_ms and
// s->span are set in any case. Nothing needs to be released. All other flags are to be taken first: behind
// one that is not, a SPAN is not looked for.
bool selection_take_span(struct selection *s, struct command *c, int at, struct err *err) NC_CHECK;

// Takes its flags, and one argument that is a span, out of the command. ERR_CONFIG names the argument.
// Release it, after a failure too.
bool selection_take(struct selection *ret, struct command *c, struct err *err) NC_CHECK;
void selection_release(struct selection *s);

#endif
