// SPDX-License-Identifier: Apache-2.0
// The answer of `nowcast who`, for people and for programs.
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/table.h"
#include "query/principal_summary.h"
#include "web/api.h"

enum { USD_SHOWN = 4 };

static const char *const span_names[SUMMARY_SPANS] = {"today", "month"};

static const char *usd_text(const struct group *g, struct usd usd, char *buf)
{
	return g->tokens && g->unpriced == g->tokens ? "unpriced" : usd_format(usd, USD_SHOWN, buf);
}

static struct group total_of(const struct principal_summary *d, enum summary_span span)
{
	const struct groups *all = &d->sums[span][SUMMARY_ALL];
	return all->n ? all->list[0] : (struct group){0};
}

static const struct group *same_key(const struct groups *g, struct str key)
{
	for (int32_t i = 0; i < g->n; i++)
		if (str_eq(g->list[i].keys[0], key))
			return &g->list[i];
	return NULL;
}

// ---- tags ---------------------------------------------------------------------------------------

struct tags {
	struct principal_summary *principal_summary;
	struct buf *json;      // NULL: to the table
	struct table table;
	const struct summary_tagset *set; // of a session; NULL: of the role or user
	struct str mine[256];  // keys of session tags
	int nmine;
	int n;
};

static bool is_overridden(const struct tags *t, struct str key)
{
	for (int i = 0; i < t->nmine; i++)
		if (t->mine[i].len == key.len && strncasecmp(t->mine[i].p, key.p, key.len) == 0)
			return true;
	return false;
}

static void tag_json(struct tags *t, const struct tag_held *held, const char *of, int64_t since_ms,
                     int64_t until_ms)
{
	buf_adds(t->json, t->n++ ? ",\n  {\"key\":" : "\n  {\"key\":");
	buf_add_json(t->json, held->key);
	buf_adds(t->json, ",\"value\":");
	buf_add_json(t->json, held->value);
	buf_addf(t->json, ",\"of\":\"%s\",\"overridden\":%s,\"from\":", of,
	         !t->set && is_overridden(t, held->key) ? "true" : "false");
	json_time(t->json, since_ms);
	buf_adds(t->json, ",\"until\":");
	if (until_ms == INT64_MAX)
		buf_adds(t->json, "null");
	else
		json_time(t->json, until_ms);
	buf_adds(t->json, ",\"event\":");
	buf_add_json(t->json, held->event);
	buf_addc(t->json, '}');
}

static void add_tag(void *user, const struct tag_held *held)
{
	struct tags *t = user;
	if (t->set && !held->of_session)
		return;
	char since[WHEN_SIZE], until[WHEN_SIZE];
	const char *of = t->set ? str_starts(held->key, STR("aws:")) ? "call" : "session"
	                 : memmem(t->principal_summary->arn.p, t->principal_summary->arn.len, "role/", 5)
	                     ? "role"
	                     : "user";
	int64_t since_ms = t->set ? t->set->first * MS_PER_HOUR : held->since_ms,
			until_ms = t->set ? (t->set->last + 1) * MS_PER_HOUR : held->until_ms;
	if (t->json) {
		tag_json(t, held, of, since_ms, until_ms);
	} else {
		table_cell(&t->table, held->key);
		table_cell(&t->table, held->value);
		table_cell(&t->table, !t->set && is_overridden(t, held->key)
		                          ? arena_text(&t->principal_summary->arena, "%s, overridden", of)
		                          : str_of(of));
		table_cell(&t->table, str_of(when_format(since_ms, since)));
		table_cell(&t->table, until_ms == INT64_MAX ? STR("") : str_of(when_format(until_ms, until)));
		table_cell(&t->table, t->set ? STR("seen with it") : held->event);
	}
	if (t->set && t->nmine < 256)
		t->mine[t->nmine++] = held->key;
}

static void each_tag(struct tags *t, struct view *v)
{
	struct principal_summary *d = t->principal_summary;
	for (int32_t i = 0; i < d->ntagsets; i++) {
		t->set = &d->tagsets[i];
		tag_history_each(view_tags(v), d->arn, t->set->id, INT64_MAX, add_tag, t);
	}
	t->set = NULL;
	tag_history_changes(view_tags(v), d->arn, d->ntagsets ? d->tagsets[0].id : STR("-"), add_tag, t);
}

// ---- text ---------------------------------------------------------------------------------------

static void print_head(const struct principal_summary *d)
{
	char first[WHEN_SIZE], last[WHEN_SIZE], from[WHEN_SIZE];
	int64_t a = INT64_MAX, b = 0;
	for (int32_t i = 0; i < d->nseen; i++) {
		a = d->seen[i].first < a ? d->seen[i].first : a;
		b = d->seen[i].last > b ? d->seen[i].last : b;
	}
	printf("%.*s\n", STR_ARG(d->arn));
	if (d->key.len)
		printf("access key  %.*s%s\n", STR_ARG(d->key),
		       d->session.tagged ? ", handed out by STS" : ", no STS record of it");
	if (d->role.len && !d->is_role)
		printf("role        %.*s\n", STR_ARG(d->session.role_arn.len ? d->session.role_arn : d->role));
	printf("account     %.*s\n", STR_ARG(d->only.value[1]));
	when_format(d->from * MS_PER_HOUR, from);
	if (!d->nseen) {
		printf("seen        in no hour since %s\n", from);
		return;
	}
	printf("first seen  in the hour of %s%s\n", when_format(a * MS_PER_HOUR, first),
	       a == d->from ? ", the first that was looked at (--from)" : "");
	printf("last seen   in the hour of %s\n", when_format(b * MS_PER_HOUR, last));
	if (d->is_role)
		printf("sessions    %d since %s\n", d->nseen, from);
}

static void print_spend(const struct principal_summary *d)
{
	struct table t = TABLE_INIT;
	char a[USD_SIZE], b[USD_SIZE], c[USD_SIZE], n[TABLE_COUNT_SIZE], calls[TABLE_COUNT_SIZE],
		basis[GROUP_BASIS_SIZE];
	static const char *const labels[SUMMARY_SPANS] = {"today", "this month"};
	static const char *const heads[] = {"spend", "usd", "low", "high", "calls", "tokens", "basis"};
	for (int i = 0; i < 7; i++)
		table_column(&t, str_of(heads[i]), i == 0 || i == 6 ? TABLE_TEXT : TABLE_NUMBER, 0);
	for (int span = 0; span < SUMMARY_SPANS; span++) {
		struct group g = total_of(d, (enum summary_span)span);
		table_cell(&t, str_of(labels[span]));
		table_cell(&t, str_of(usd_text(&g, g.usd, a)));
		table_cell(&t, str_of(usd_text(&g, g.usd_low, b)));
		table_cell(&t, str_of(usd_text(&g, g.usd_high, c)));
		table_cell(&t, str_of(table_count(g.calls, calls)));
		table_cell(&t, str_of(table_count(g.tokens, n)));
		table_cell(&t, str_of(group_basis(&g, basis)));
	}
	putchar('\n');
	table_print(&t, stdout, 0, -1, "\n");
	table_release(&t);
}

// Of this month, the dearest first; returns how many did not fit.
static int32_t print_cut(struct principal_summary *d, enum summary_cut cut, const char *head, int most)
{
	struct groups *month = &d->sums[SUMMARY_MONTH][cut];
	struct table t = TABLE_INIT;
	char a[USD_SIZE], b[USD_SIZE], calls[TABLE_COUNT_SIZE], tokens[TABLE_COUNT_SIZE], basis[GROUP_BASIS_SIZE];
	const char *const heads[] = {head, "today", "month", "calls", "tokens", "basis"};
	if (month->n == 0)
		return 0;
	groups_sort_by_usd(month);
	for (int i = 0; i < 6; i++)
		table_column(&t, str_of(heads[i]), i == 0 ? TABLE_NAME : i == 5 ? TABLE_TEXT : TABLE_NUMBER, 0);
	for (int32_t i = 0; i < month->n && i < most; i++) {
		const struct group *g = &month->list[i], *today = same_key(&d->sums[SUMMARY_TODAY][cut], g->keys[0]);
		table_cell(&t, g->keys[0]);
		table_cell(&t, today ? str_of(usd_text(today, today->usd, a)) : STR("0.0000"));
		table_cell(&t, str_of(usd_text(g, g->usd, b)));
		table_cell(&t, str_of(table_count(g->calls, calls)));
		table_cell(&t, str_of(table_count(g->tokens, tokens)));
		table_cell(&t, str_of(group_basis(g, basis)));
	}
	putchar('\n');
	table_print(&t, stdout, 0, -1, "\n");
	table_release(&t);
	return month->n > most ? month->n - most : 0;
}

void who_print_text(struct principal_summary *d, struct view *v, int sessions)
{
	static const char *const heads[] = {"tag", "value", "of", "from", "until", "event"};
	struct tags tags = {.principal_summary = d};
	print_head(d);
	if (d->nseen)
		print_spend(d);
	print_cut(d, SUMMARY_BY_MODEL, "model", INT32_MAX);
	for (int i = 0; i < 6; i++)
		table_column(&tags.table, str_of(heads[i]), TABLE_TEXT, 0);
	each_tag(&tags, v);
	if (table_rows(&tags.table)) {
		putchar('\n');
		table_print(&tags.table, stdout, 0, -1, "\n");
	} else {
		printf("\nno tags are known\n");
	}
	table_release(&tags.table);
	if (!d->is_role)
		return;
	int32_t more = print_cut(d, SUMMARY_BY_PRINCIPAL, "session", sessions);
	if (more)
		printf("and %d more (--sessions N shows more)\n", more);
}

// ---- json ---------------------------------------------------------------------------------------

static void figure_json(struct buf *b, const char *name, const struct group *g)
{
	static const struct group nothing = {0};
	buf_addf(b, "\"%s\":{", name);
	json_figure(b, g ? g : &nothing);
	buf_addc(b, '}');
}

static void cut_json(struct principal_summary *d, enum summary_cut cut, const char *list, const char *key,
                     struct buf *b)
{
	struct groups *month = &d->sums[SUMMARY_MONTH][cut];
	groups_sort_by_usd(month);
	buf_addf(b, ",\n \"%s\":[", list);
	for (int32_t i = 0; i < month->n; i++) {
		buf_addf(b, "%s\n  {\"%s\":", i ? "," : "", key);
		buf_add_json(b, month->list[i].keys[0]);
		buf_addc(b, ',');
		figure_json(b, "today", same_key(&d->sums[SUMMARY_TODAY][cut], month->list[i].keys[0]));
		buf_addc(b, ',');
		figure_json(b, "month", &month->list[i]);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

// What of a sum is the principal's; a role's is all of its sessions'.
static struct group spent(const struct principal_summary *d, enum summary_span span, struct str arn)
{
	struct group sum = {0};
	const struct groups *g = &d->sums[span][SUMMARY_BY_PRINCIPAL];
	struct str role = memmem(arn.p, arn.len, ":role/", 6) ? str_after_last(arn, '/') : STR_NONE;
	for (int32_t i = 0; i < g->n; i++) {
		struct str at = g->list[i].keys[0], rest = at;
		const char *session = role.len ? memmem(at.p, at.len, ":assumed-role/", 14) : NULL;
		if (session)
			rest = (struct str){session + 14, at.len - (size_t)(session + 14 - at.p)};
		if (str_eq(at, arn) || (session && str_eq(str_cut(&rest, '/'), role)))
			group_add(&sum, &g->list[i]);
	}
	return sum;
}

static void spent_json(const struct principal_summary *d, struct str arn, struct buf *b)
{
	for (int span = 0; span < SUMMARY_SPANS; span++) {
		struct group g = spent(d, (enum summary_span)span, arn);
		buf_addc(b, ',');
		figure_json(b, span_names[span], &g);
	}
}

static void seen_json(const struct principal_summary *d, struct buf *b)
{
	buf_adds(b, ",\n \"looked_at_from\":");
	json_time(b, d->from * MS_PER_HOUR);
	buf_adds(b, ",\"seen\":[");
	for (int32_t i = 0; i < d->nseen; i++) {
		buf_adds(b, i ? ",\n  {\"principal\":" : "\n  {\"principal\":");
		buf_add_json(b, d->seen[i].arn);
		buf_adds(b, ",\"first\":");
		json_time(b, d->seen[i].first * MS_PER_HOUR);
		buf_adds(b, ",\"last\":");
		json_time(b, d->seen[i].last * MS_PER_HOUR);
		if (d->seen[i].why.len) {
			buf_adds(b, ",\"why\":");
			buf_add_json(b, d->seen[i].why);
			spent_json(d, d->seen[i].arn, b);
		}
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

void who_print_json(struct principal_summary *d, struct view *v)
{
	struct buf b = BUF_INIT;
	struct tags tags = {.principal_summary = d, .json = &b};
	buf_adds(&b, "{\"principal\":");
	buf_add_json(&b, d->arn);
	buf_adds(&b, ",\"role\":");
	buf_add_json(&b, d->session.role_arn.len ? d->session.role_arn : d->role);
	buf_adds(&b, ",\"account\":");
	buf_add_json(&b, d->only.value[1]);
	seen_json(d, &b);
	for (int span = 0; span < SUMMARY_SPANS; span++) {
		struct group g = total_of(d, (enum summary_span)span);
		buf_adds(&b, ",\n ");
		figure_json(&b, span_names[span], &g);
	}
	cut_json(d, SUMMARY_BY_MODEL, "models", "model", &b);
	buf_adds(&b, ",\n \"tags\":[");
	each_tag(&tags, v);
	buf_addc(&b, ']');
	if (d->is_role)
		cut_json(d, SUMMARY_BY_PRINCIPAL, "sessions", "principal", &b);
	buf_adds(&b, "}\n");
	fwrite(b.data, 1, b.len, stdout);
	buf_release(&b);
}

// ---- those of a name ----------------------------------------------------------------------------

void who_print_list(struct principal_summary *d, struct str name, bool json)
{
	static const char *const heads[] = {"principal", "by its", "first seen", "last seen", "today", "month"};
	struct table t = TABLE_INIT;
	struct buf b = BUF_INIT;
	char first[WHEN_SIZE], last[WHEN_SIZE], a[USD_SIZE], m[USD_SIZE];
	for (int i = 0; i < 6; i++)
		table_column(&t, str_of(heads[i]), i == 0 ? TABLE_NAME : i < 4 ? TABLE_TEXT : TABLE_NUMBER, 0);
	for (int32_t i = 0; i < d->nseen && !json; i++) {
		const struct summary_seen *s = &d->seen[i];
		struct group today = spent(d, SUMMARY_TODAY, s->arn), month = spent(d, SUMMARY_MONTH, s->arn);
		table_cell(&t, s->arn);
		table_cell(&t, s->why);
		table_cell(&t, str_of(when_format(s->first * MS_PER_HOUR, first)));
		table_cell(&t, str_of(when_format(s->last * MS_PER_HOUR, last)));
		table_cell(&t, str_of(usd_text(&today, today.usd, a)));
		table_cell(&t, str_of(usd_text(&month, month.usd, m)));
	}
	if (json) {
		buf_adds(&b, "{\"name\":");
		buf_add_json(&b, name);
		seen_json(d, &b);
		buf_adds(&b, "}\n");
		fwrite(b.data, 1, b.len, stdout);
	} else {
		table_print(&t, stdout, 0, -1, "\n");
		printf("\n`nowcast who ARN` says more of each\n");
	}
	buf_release(&b);
	table_release(&t);
}
