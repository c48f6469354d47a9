// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/table.h"
#include "cli/who_priv.h"
#include "query/figure_json.h"

enum { USD_SHOWN = 4 };

static const char *const span_names[SUMMARY_SPANS] = {"today", "month", "span"};

static const char *format_usd(const struct group *g, struct usd usd, char *buf)
{
	return g->tokens && g->unpriced == g->tokens ? "unpriced" : usd_format(usd, USD_SHOWN, buf);
}

static const struct group *find_group(const struct groups *g, struct str key)
{
	for (int32_t i = 0; i < g->n; i++)
		if (str_eq(g->list[i].keys[0], key))
			return &g->list[i];
	return NULL;
}

static void add_columns(struct table *t, const char *const *heads, int n, int texts)
{
	for (int i = 0; i < n; i++)
		table_column(t, str_of(heads[i]), i == 0 ? TABLE_NAME : i < texts ? TABLE_TEXT : TABLE_NUMBER, 0);
}

static void print_table(struct table *t)
{
	putchar('\n');
	table_print(t, stdout, 0, -1, "\n");
	table_release(t);
}

// ---- text ---------------------------------------------------------------------------------------

static void print_identity(const struct principal_summary *s)
{
	char first[WHEN_SIZE], last[WHEN_SIZE], from[WHEN_SIZE];
	int64_t first_hour = INT64_MAX, last_hour = 0;
	for (int32_t i = 0; i < s->nseen; i++) {
		first_hour = s->seen[i].first < first_hour ? s->seen[i].first : first_hour;
		last_hour = s->seen[i].last > last_hour ? s->seen[i].last : last_hour;
	}
	printf("%.*s\n", STR_ARG(s->arn));
	if (s->key.len)
		printf("access key  %.*s%s\n", STR_ARG(s->key),
		       s->session.tagged ? ", handed out by STS" : ", no STS record of it");
	if (s->role.len && !s->is_role)
		printf("role        %.*s\n", STR_ARG(s->session.role_arn.len ? s->session.role_arn : s->role));
	printf("account     %.*s\n", STR_ARG(s->account));
	when_format(s->from * MS_PER_HOUR, from);
	if (!s->nseen) {
		printf("seen        in no hour %s%s\n", s->of_span ? "of the span from " : "since ", from);
		return;
	}
	printf("first seen  in the hour of %s%s\n", when_format(first_hour * MS_PER_HOUR, first),
	       first_hour == s->from ? ", the first hour that was searched (--from)" : "");
	printf("last seen   in the hour of %s\n", when_format(last_hour * MS_PER_HOUR, last));
	if (s->is_role)
		printf("sessions    %d since %s\n", s->nseen, from);
}

static void print_spend(const struct principal_summary *s)
{
	struct table t = TABLE_INIT;
	char text[USD_SIZE], count[TABLE_COUNT_SIZE], basis[GROUP_BASIS_SIZE];
	char from[WHEN_SIZE], to[WHEN_SIZE], labels[SUMMARY_SPANS][2 * WHEN_SIZE] = {"today", "this month"};
	static const char *const heads[] = {"spend", "usd", "low", "high", "calls", "tokens"};
	add_columns(&t, heads, 6, 1);
	table_column(&t, STR("basis"), TABLE_TEXT, 0);
	when_format(s->from * MS_PER_HOUR, from);
	when_format(s->to * MS_PER_HOUR, to);
	snprintf(labels[SUMMARY_SPAN], sizeof labels[0], "%.10s %.5s to %.10s %.5s", from, from + 11, to,
	         to + 11);
	for (int span = 0; span < SUMMARY_SPANS; span++) {
		if (!principal_summary_has(s, (enum summary_span)span))
			continue;
		struct group g = principal_summary_total(s, (enum summary_span)span);
		const struct usd usd[] = {g.usd, g.usd_low, g.usd_high};
		table_cell(&t, str_of(labels[span]));
		for (int i = 0; i < 3; i++)
			table_cell(&t, str_of(format_usd(&g, usd[i], text)));
		table_cell(&t, str_of(table_count(g.calls, count)));
		table_cell(&t, str_of(table_count(g.tokens, count)));
		table_cell(&t, str_of(group_basis(&g, basis)));
	}
	print_table(&t);
}

// The widest span there is, by which lists are sorted.
static enum summary_span widest(const struct principal_summary *s)
{
	return s->of_span ? SUMMARY_SPAN : SUMMARY_MONTH;
}

// The most expensive first. Returns how many were left out.
static int32_t print_groups(struct principal_summary *s, enum summary_cut cut, const char *head, int most)
{
	struct groups *all = &s->sums[widest(s)][cut];
	struct table t = TABLE_INIT;
	char text[USD_SIZE], count[TABLE_COUNT_SIZE], basis[GROUP_BASIS_SIZE];
	if (all->n == 0)
		return 0;
	groups_sort(all, ORDER_USD);
	table_column(&t, str_of(head), TABLE_NAME, 0);
	for (int span = 0; span < SUMMARY_SPANS; span++)
		if (principal_summary_has(s, (enum summary_span)span))
			table_column(&t, str_of(span_names[span]), TABLE_NUMBER, 0);
	table_column(&t, STR("calls"), TABLE_NUMBER, 0);
	table_column(&t, STR("tokens"), TABLE_NUMBER, 0);
	table_column(&t, STR("basis"), TABLE_TEXT, 0);
	for (int32_t i = 0; i < all->n && i < most; i++) {
		const struct group *g = &all->list[i];
		table_cell(&t, g->keys[0]);
		for (int span = 0; span < SUMMARY_SPANS; span++) {
			const struct group *part = find_group(&s->sums[span][cut], g->keys[0]);
			if (principal_summary_has(s, (enum summary_span)span))
				table_cell(&t, part ? str_of(format_usd(part, part->usd, text)) : STR("0.0000"));
		}
		table_cell(&t, str_of(table_count(g->calls, count)));
		table_cell(&t, str_of(table_count(g->tokens, count)));
		table_cell(&t, str_of(group_basis(g, basis)));
	}
	print_table(&t);
	return all->n > most ? all->n - most : 0;
}

static void print_tags(struct principal_summary *s)
{
	static const char *const heads[] = {"tag", "value", "of", "from", "until", "event"};
	struct table t = TABLE_INIT;
	char since[WHEN_SIZE], until[WHEN_SIZE];
	if (s->ntags == 0) {
		printf("\nno tags are known\n");
		return;
	}
	for (int i = 0; i < 6; i++)
		table_column(&t, str_of(heads[i]), TABLE_TEXT, 0);
	for (int32_t i = 0; i < s->ntags; i++) {
		const struct summary_tag *tag = &s->tags[i];
		table_cell(&t, tag->key);
		table_cell(&t, tag->value);
		table_cell(&t, tag->overridden ? arena_text(&s->arena, "%s, overridden", tag->of) : str_of(tag->of));
		table_cell(&t, str_of(when_format(tag->since_ms, since)));
		table_cell(&t, tag->until_ms == INT64_MAX ? STR("") : str_of(when_format(tag->until_ms, until)));
		table_cell(&t, tag->of_session && !tag->event.len ? STR("seen with it") : tag->event);
	}
	print_table(&t);
}

static void print_keys(struct principal_summary *s)
{
	static const char *const heads[] = {"access key", "session began", "used after", "and before"};
	struct table t = TABLE_INIT;
	char text[WHEN_SIZE];
	if (!s->keys.n)
		return;
	for (int i = 0; i < 4; i++)
		table_column(&t, str_of(heads[i]), TABLE_TEXT, 0);
	for (int i = 0; i < s->keys.n; i++) {
		const struct session_key *k = &s->keys.list[i];
		table_cell(&t, k->id);
		table_cell(&t, k->start_ms ? str_of(when_format(k->start_ms, text)) : STR_NONE);
		table_cell(&t, str_of(when_format(principal_summary_key_from(k), text)));
		table_cell(&t, str_of(when_format(principal_summary_key_to(s, k), text)));
	}
	print_table(&t);
	if (s->keys.more)
		printf("and more, in a shorter SPAN; `nowcast who KEY` says whose any of them is\n");
}

void who_print_text(struct principal_summary *s, int sessions)
{
	print_identity(s);
	if (s->nseen)
		print_spend(s);
	print_groups(s, SUMMARY_BY_MODEL, "model", INT32_MAX);
	print_tags(s);
	print_keys(s);
	if (!s->is_role)
		return;
	int32_t more = print_groups(s, SUMMARY_BY_PRINCIPAL, "session", sessions);
	if (more)
		printf("and %d more (--sessions N shows more)\n", more);
}

void who_print_list(const struct principal_summary *s)
{
	static const char *const heads[] = {"principal", "by its", "first seen", "last seen"};
	struct table t = TABLE_INIT;
	char text[WHEN_SIZE], usd[USD_SIZE];
	add_columns(&t, heads, 4, 4);
	for (int span = 0; span < SUMMARY_SPANS; span++)
		if (principal_summary_has(s, (enum summary_span)span))
			table_column(&t, str_of(span_names[span]), TABLE_NUMBER, 0);
	for (int32_t i = 0; i < s->nseen; i++) {
		const struct summary_seen *seen = &s->seen[i];
		table_cell(&t, seen->arn);
		table_cell(&t, seen->why);
		table_cell(&t, str_of(when_format(seen->first * MS_PER_HOUR, text)));
		table_cell(&t, str_of(when_format(seen->last * MS_PER_HOUR, text)));
		for (int span = 0; span < SUMMARY_SPANS; span++) {
			if (!principal_summary_has(s, (enum summary_span)span))
				continue;
			struct group g = principal_summary_spend(s, (enum summary_span)span, seen->arn);
			table_cell(&t, str_of(format_usd(&g, g.usd, usd)));
		}
	}
	table_print(&t, stdout, 0, -1, "\n");
	table_release(&t);
	printf("\n`nowcast who ARN` says more about each\n");
}

// ---- JSON ---------------------------------------------------------------------------------------

static void write_text(struct json_writer *j, const char *key, struct str s)
{
	jw_str(j, key, s.p ? s : STR(""));
}

static void write_figure(struct json_writer *j, const char *key, const struct group *g)
{
	static const struct group nothing = {0};
	jw_object(j, key);
	figure_json_members(j, g ? g : &nothing, true);
	jw_end(j);
}

static void write_groups(struct json_writer *j, struct principal_summary *s, enum summary_cut cut,
                         const char *list, const char *key)
{
	struct groups *all = &s->sums[widest(s)][cut];
	groups_sort(all, ORDER_USD);
	jw_line(j);
	jw_array(j, list);
	for (int32_t i = 0; i < all->n; i++) {
		struct str name = all->list[i].keys[0];
		jw_line(j);
		jw_object(j, NULL);
		write_text(j, key, name);
		for (int span = 0; span < SUMMARY_SPANS; span++)
			if (principal_summary_has(s, (enum summary_span)span))
				write_figure(j, span_names[span], find_group(&s->sums[span][cut], name));
		jw_end(j);
	}
	jw_end(j);
}

static void write_seen(struct json_writer *j, const struct principal_summary *s)
{
	jw_line(j);
	jw_time(j, "looked_at_from", s->from * MS_PER_HOUR);
	jw_time(j, "looked_at_to", s->to * MS_PER_HOUR);
	jw_array(j, "seen");
	for (int32_t i = 0; i < s->nseen; i++) {
		const struct summary_seen *seen = &s->seen[i];
		jw_line(j);
		jw_object(j, NULL);
		jw_str(j, "principal", seen->arn);
		jw_time(j, "first", seen->first * MS_PER_HOUR);
		jw_time(j, "last", seen->last * MS_PER_HOUR);
		if (seen->why.len)
			jw_str(j, "why", seen->why);
		for (int span = 0; seen->why.len && span < SUMMARY_SPANS; span++) {
			if (!principal_summary_has(s, (enum summary_span)span))
				continue;
			struct group g = principal_summary_spend(s, (enum summary_span)span, seen->arn);
			write_figure(j, span_names[span], &g);
		}
		jw_end(j);
	}
	jw_end(j);
}

static void print_json(struct buf *b)
{
	buf_addc(b, '\n');
	(void)!text_print(stdout, b); // main looks whether all was written
	buf_release(b);
}

void who_print_json(struct principal_summary *s)
{
	struct buf b = BUF_INIT;
	struct json_writer j = JSON_WRITER(&b);
	jw_object(&j, NULL);
	jw_str(&j, "principal", s->arn);
	write_text(&j, "role", s->session.role_arn.len ? s->session.role_arn : s->role);
	write_text(&j, "account", s->account);
	write_seen(&j, s);
	for (int span = 0; span < SUMMARY_SPANS; span++) {
		if (!principal_summary_has(s, (enum summary_span)span))
			continue;
		struct group g = principal_summary_total(s, (enum summary_span)span);
		jw_line(&j);
		write_figure(&j, span_names[span], &g);
	}
	write_groups(&j, s, SUMMARY_BY_MODEL, "models", "model");
	principal_summary_json(s, &j);
	if (s->is_role)
		write_groups(&j, s, SUMMARY_BY_PRINCIPAL, "sessions", "principal");
	jw_end(&j);
	print_json(&b);
}

void who_print_list_json(const struct principal_summary *s, struct str name)
{
	struct buf b = BUF_INIT;
	struct json_writer j = JSON_WRITER(&b);
	jw_object(&j, NULL);
	jw_str(&j, "name", name);
	write_seen(&j, s);
	jw_end(&j);
	print_json(&b);
}
