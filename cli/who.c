// SPDX-License-Identifier: Apache-2.0
// `nowcast who ARN|ACCESS-KEY|NAME [SPAN]`: what is known of a principal. An ARN may have any of its forms.
// For the access key of a session, its session is looked up. Anything else is the name of a session, a user
// or a role, or the value of a tag, such as an e-mail address. If several principals have the name, they are
// listed.
#include <stdio.h>
#include <string.h>

#include "base/when.h"
#include "cli/commands.h"
#include "cli/selection.h"
#include "cli/who_priv.h"
#include "ingest/principal.h"
#include "ingest/pseudonym.h"
#include "store/cardinality.h"

enum { SESSIONS_SHOWN = 20 };

struct question {
	struct str text;
	bool json;
	struct selection of;  // what of its time and span is used
	int64_t sessions;
	struct arena arena;
	struct str arn, hash; // what was asked for, as Redis has it where names are hashed
};

static bool parse_arguments(struct command *c, struct question *q, struct err *err)
{
	const char *format = "table", *sessions = NULL;
	*q = (struct question){.sessions = SESSIONS_SHOWN};
	if (!command_option(c, "--format", &format, err) || !command_option(c, "--sessions", &sessions, err) ||
	    !selection_take_span(&q->of, c, 1, err) || !command_done(c, 1, 1, err))
		return false;
	q->json = strcmp(format, "json") == 0;
	if (!q->json && strcmp(format, "table") != 0)
		return err_set(err, ERR_CONFIG, "--format: expected table or json, got \"%s\"", format);
	if (sessions &&
	    (!usd_parse_scaled(str_of(sessions), 0, &q->sessions) || q->sessions < 1 || q->sessions > INT32_MAX))
		return err_set(err, ERR_CONFIG, "--sessions: expected a number of sessions to show, got \"%s\"",
		               sessions);
	int64_t now = q->of.now_ms / MS_PER_HOUR;
	if (!q->of.has_span) // the month of now, and the one before it
		q->of.span.from = when_month_start(when_month_start(now) - 1);
	q->of.span.to = q->of.span.to < now + 1 ? q->of.span.to : now + 1;
	q->of.span.from = q->of.span.from < q->of.span.to ? q->of.span.from : q->of.span.to;
	q->text = str_of(c->argv[0]);
	return q->text.len || err_set(err, ERR_CONFIG, "expected an ARN, an access key, or a name, got nothing");
}

static void init_summary(struct principal_summary *s, const struct question *q)
{
	if (q->of.has_span)
		principal_summary_init_span(s, q->of.now_ms, q->of.span);
	else
		principal_summary_init(s, q->of.now_ms, q->of.span.from);
}

static bool is_access_key(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9')))
			return false;
	return str_starts(s, STR("ASIA")) || str_starts(s, STR("AKIA"));
}

static bool fail_unknown(const struct question *q, const struct principal_summary *s, struct err *err)
{
	char from[WHEN_SIZE], to[WHEN_SIZE];
	return err_set(
		err, ERR_SKIP,
		"nothing is known of %.*s: it has no figures %s %s%s%s (--from T searches earlier hours), and no tags%s",
		STR_ARG(q->text), q->of.has_span ? "from" : "since", when_format(q->of.span.from * MS_PER_HOUR, from),
		q->of.has_span ? " to " : "", q->of.has_span ? when_format(q->of.span.to * MS_PER_HOUR, to) : "",
		!s->maybe_other ? str_starts(q->text, STR("arn:")) ? ""
	                                                       : "; a name counts as a whole: `nowcast report "
	                                                         "--principal TEXT` finds a part of one"
		: cardinality_is_of_sessions(cardinality_group(s->arn))
			? "; a session may be among the " OTHER_SESSIONS
			  " of its role, of which sessions.max keep their names each day"
			: "; a user may be among the " OTHER_USERS
			  " of the account, of which users.max keep their names each day");
}

static bool answer_arn(const struct question *q, struct view *v, struct str arn,
                       const struct session *session, struct err *err)
{
	struct principal_summary s;
	init_summary(&s, q);
	if (session) {
		s.session = *session;
		s.key = q->text;
	}
	bool good = principal_summary_gather(&s, v, arn, err) &&
	            (session || principal_summary_is_known(&s) || fail_unknown(q, &s, err));
	if (good && q->json)
		who_print_json(&s);
	else if (good)
		who_print_text(&s, (int)q->sessions);
	principal_summary_release(&s);
	return good;
}

static bool answer_key(const struct question *q, struct view *v, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct session session;
	if (str_starts(q->text, STR("AKIA")))
		return err_set(
			err, ERR_SKIP,
			"%.*s is a long-term key, and those are not stored: `aws iam get-access-key-last-used --access-key-id %.*s` names its user, "
			"`nowcast who USER` says more",
			STR_ARG(q->text), STR_ARG(q->text));
	bool good = session_find(view_redis(v), view_prefix(v), q->text, &arena, &session, err);
	if (good && !session.arn.len)
		good = err_set(
			err, ERR_SKIP,
			"no session is known by the access key %.*s: keys of sessions are stored as long as their calls, for `window` and the hours that learn "
			"from them",
			STR_ARG(q->text));
	good = good && answer_arn(q, v, session.arn, &session, err);
	arena_release(&arena);
	return good;
}

static bool answer_name(const struct question *q, struct view *v, struct err *err)
{
	struct principal_summary s;
	init_summary(&s, q);
	bool good = principal_summary_find(&s, v, q->text, q->hash, err) && (s.nseen || fail_unknown(q, &s, err));
	if (good && s.nseen == 1)
		good = answer_arn(q, v, s.seen[0].arn, NULL, err);
	else if (good && q->json)
		who_print_list_json(&s, q->text);
	else if (good)
		who_print_list(&s);
	principal_summary_release(&s);
	return good;
}

// People ask by the real name. Redis may hold its hash.
static bool hash_names(struct command *c, struct question *q, struct err *err)
{
	struct pseudonyms *p;
	if (!pseudonyms_open(&p, &c->conf, err))
		return false;
	q->arn = pseudonym_asked(p, &q->arena, principal_canonical(&q->arena, q->text));
	struct str name = str_after_last(q->text, '/'), role = {q->text.p, q->text.len - name.len}; // "gateway/"
	q->hash = p ? arena_text(&q->arena, "%.*s%.*s", STR_ARG(role), STR_ARG(pseudonym_of(p, &q->arena, name)))
	            : STR_NONE;
	pseudonyms_close(p);
	return true;
}

int cmd_who(struct command *c)
{
	struct err err = ERR_INIT;
	struct question q;
	struct view *v = NULL;
	if (!parse_arguments(c, &q, &err) ||
	    !view_open(&v, redis_target_of(&c->conf),
	               &err))
		return command_fail(c, &err);
	bool good = !view_map(v, &c->conf, &err) || !hash_names(c, &q, &err) ? false
	            : str_starts(q.text, STR("arn:")) ? answer_arn(&q, v, q.arn, NULL, &err)
	            : is_access_key(q.text)           ? answer_key(&q, v, &err)
	                                              : answer_name(&q, v, &err);
	view_close(v);
	arena_release(&q.arena);
	return good ? STATUS_OK : command_fail(c, &err);
}
