// SPDX-License-Identifier: Apache-2.0
#include "cli/selection.h"

#include "base/when.h"

static bool add_condition(struct selection *s, struct command *c, struct str key, struct str value,
                          struct err *err)
{
	struct grouping one;
	struct group_filter *f = &s->only;
	struct err why = ERR_INIT;
	if (!grouping_parse(&one, key, conf_sources(&c->conf), &why)) // which speaks of the option --by
		return err_set(err, why.kind, "--where %.*s=%.*s%s", STR_ARG(key), STR_ARG(value),
		               why.msg + strcspn(why.msg, ":"));
	if (one.n != 1)
		return err_set(err, ERR_CONFIG, "--where: expected one KEY=VALUE, got \"%.*s=%.*s\"", STR_ARG(key),
		               STR_ARG(value));
	if (f->by.n == GROUP_KEYS_MAX)
		return err_set(err, ERR_CONFIG, "more than %d conditions", GROUP_KEYS_MAX);
	int i = f->by.n++;
	f->by.by[i] = one.by[0];
	f->by.name[i] = one.name[0];
	f->by.tag[i] = one.tag[0];
	f->value[i] = value;
	f->is_pattern[i] = true;
	return true;
}

bool selection_take_conditions(struct selection *s, struct command *c, struct err *err)
{
	static const struct {
		const char *flag, *key;
		bool part; // of the name
	} flags[] = {
		{"--principal", "principal", true},
		{"--role", "role", true},
		{"--model", "model", true},
		{"--team", "team", false},
	};
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		const char *text = NULL;
		if (!command_option(c, flags[i].flag, &text, err))
			return false;
		if (!text)
			continue;
		struct str value = flags[i].part ? arena_text(&s->texts, "*%s*", text) : str_of(text);
		if (!add_condition(s, c, str_of(flags[i].key), value, err))
			return false;
	}
	for (;;) {
		const char *text = NULL;
		if (!command_option_next(c, "--where", &text, err))
			return false;
		if (!text)
			return true;
		struct str value = str_of(text), key = str_cut(&value, '=');
		if (!value.p)
			return err_set(err, ERR_CONFIG, "--where: expected KEY=VALUE, got \"%s\"", text);
		if (!add_condition(s, c, key, value, err))
			return false;
	}
}

// `nowcast report payments` means the team, or somebody.
static bool parse_span_word(struct selection *s, const char *word, const char *command, struct err *err)
{
	struct err why = ERR_INIT;
	if (span_parse(&s->span, &s->before, str_of(word), s->now_ms, &why))
		return true;
	if (strcmp(command, "report") == 0)
		return err_set(err, why.kind,
		               "%s; a team is given by --team, a caller by --principal, a model by --model", why.msg);
	return err_set(err, why.kind, "%s", why.msg);
}

bool selection_take_span(struct selection *s, struct command *c, int at, struct err *err)
{
	const char *from = NULL, *to = NULL, *since = NULL;
	struct err ignored = ERR_INIT;
	if (!command_now(c, &s->now_ms, err) ||
	    !span_parse(&s->span, NULL, STR("all"), s->now_ms, &ignored) ||
	    !command_option(c, "--from", &from, err) || !command_option(c, "--to", &to, err) ||
	    !command_option(c, "--since", &since, err))
		return false;
	const char *word = command_argument(c, at);
	if ((word && since) || ((word || since) && (from || to)))
		return err_set(err, ERR_CONFIG, "a span is given once: as SPAN, by --since, or by --from and --to");
	s->has_beginning = word || since || from;
	s->has_span = s->has_beginning || to;
	if (word)
		return parse_span_word(s, word, c->name, err);
	if (since) {
		bool good = span_parse(&s->span, NULL, str_of(since), s->now_ms, err);
		s->span.to = s->now_ms / MS_PER_HOUR + 1;
		s->before = span_before(s->span);
		return good;
	}
	int64_t now = s->now_ms / MS_PER_HOUR;
	if (from && !span_parse_bound(&s->span.from, str_of(from), now, "--from", err))
		return false;
	if (to && !span_parse_bound(&s->span.to, str_of(to), from ? s->span.from + 24 : now, "--to", err))
		return false;
	if (s->span.from >= s->span.to)
		return err_set(err, ERR_CONFIG, "--from %s --to %s: the span ends before it begins",
		               from ? from : "(the beginning)", to ? to : "(now)");
	s->before = span_before(s->span);
	return true;
}

bool selection_take(struct selection *ret, struct command *c, struct err *err)
{
	*ret = (struct selection){0};
	return selection_take_conditions(ret, c, err) && selection_take_span(ret, c, 0, err);
}

void selection_release(struct selection *s)
{
	arena_release(&s->texts);
}
