// SPDX-License-Identifier: Apache-2.0
// One pass over the model hours sums what the subject spent and notes when it was seen and with which session
// tags. Sums go through groups.c, so that dollars, bands and basis are those of every report.
#include <stdlib.h>
#include <strings.h>

#include "base/hash.h"
#include "base/when.h"
#include "ingest/principal.h"
#include "query/principal_summary.h"
#include "store/cardinality.h"

static const char *const cuts[SUMMARY_CUTS] = {"", "model", "principal"};

void principal_summary_init(struct principal_summary *d, int64_t now_ms, int64_t from)
{
	struct err never = ERR_INIT;
	int64_t hour = now_ms / MS_PER_HOUR;
	*d = (struct principal_summary){
		.now_ms = now_ms, .from = from, .day = when_day_start(hour), .month = when_month_start(hour)};
	for (int span = 0; span < SUMMARY_SPANS; span++) {
		for (int cut = 0; cut < SUMMARY_CUTS; cut++) {
			struct grouping by;
			if (grouping_parse(&by, str_of(cuts[cut]), STR_NONE, &never))
				groups_init(&d->sums[span][cut], &by);
		}
	}
}

void principal_summary_release(struct principal_summary *d)
{
	for (int span = 0; span < SUMMARY_SPANS; span++)
		for (int cut = 0; cut < SUMMARY_CUTS; cut++)
			groups_release(&d->sums[span][cut]);
	free(d->seen);
	free(d->tagsets);
	map_release(&d->index);
	arena_release(&d->arena);
}

static uint64_t key_of(struct str a, struct str b, uint64_t seed)
{
	return hash64_seeded(b.p ? b.p : "", b.len, hash64_seeded(a.p, a.len, seed));
}

enum { SEEN = 1, TAGSET, LOOKED_AT }; // what a key of the index is of

static void stretch(int64_t *first, int64_t *last, int64_t hour)
{
	if (hour > *last)
		*last = hour;
	if (hour < *first)
		*first = hour;
}

static struct summary_seen *see(struct principal_summary *d, struct str arn, int64_t hour)
{
	bool added;
	int32_t at = *map_add(&d->index, key_of(arn, STR_NONE, SEEN), d->nseen, &added);
	if (added) {
		if (d->nseen == d->capseen)
			d->seen =
				xrealloc(d->seen, (size_t)(d->capseen = d->capseen ? d->capseen * 2 : 64), sizeof *d->seen);
		d->seen[d->nseen++] = (struct summary_seen){.arn = arena_str(&d->arena, arn), .first = hour};
	}
	stretch(&d->seen[at].first, &d->seen[at].last, hour);
	return &d->seen[at];
}

static void see_tagset(struct principal_summary *d, struct str id, int64_t hour)
{
	bool added;
	int32_t at = *map_add(&d->index, key_of(id, STR_NONE, TAGSET), d->ntagsets, &added);
	if (added) {
		if (d->ntagsets == d->captagsets)
			d->tagsets =
				xrealloc(d->tagsets, (size_t)(d->captagsets = d->captagsets ? d->captagsets * 2 : 16),
			             sizeof *d->tagsets);
		d->tagsets[d->ntagsets++] = (struct summary_tagset){.id = arena_str(&d->arena, id), .first = hour};
	}
	stretch(&d->tagsets[at].first, &d->tagsets[at].last, hour);
}

static bool add_sums(struct principal_summary *d, struct view *v, const struct model_hour *model_hour)
{
	for (int cut = 0; cut < SUMMARY_CUTS; cut++)
		if ((model_hour->hour >= d->month && !groups_add(&d->sums[SUMMARY_MONTH][cut], v, model_hour)) ||
		    (model_hour->hour >= d->day && !groups_add(&d->sums[SUMMARY_TODAY][cut], v, model_hour)))
			return false;
	return true;
}

// ---- one of them --------------------------------------------------------------------------------

static bool is_meant(const struct principal_summary *d, const struct model_hour *model_hour,
                     const struct view_row *row)
{
	return d->is_role ? str_eq(row->role, d->only.value[0]) && str_eq(model_hour->account, d->only.value[1])
	                  : str_eq(row->principal, d->arn);
}

static bool gather_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct principal_summary *d = user;
	for (int i = 0; i < model_hour->nrows; i++) {
		const struct view_row *row = &model_hour->rows[i];
		d->maybe_other |= is_overflow_name(row->principal) &&
		                  str_eq(cardinality_group(row->principal), cardinality_group(d->arn));
		if (!is_meant(d, model_hour, row))
			continue;
		see(d, row->principal, model_hour->hour);
		if (!d->is_role && !str_is(row->tagset, "-"))
			see_tagset(d, row->tagset, model_hour->hour);
	}
	return add_sums(d, v, model_hour);
}

// "arn:P:iam::A:role/NAME" for a session of that role.
static struct str role_arn(struct arena *arena, struct str arn)
{
	struct str rest = arn, part[5];
	for (int i = 0; i < 5; i++)
		part[i] = str_cut(&rest, ':');
	if (!str_is(str_cut(&rest, '/'), "assumed-role"))
		return STR_NONE;
	struct str name = str_cut(&rest, '/');
	return arena_text(arena, "arn:%.*s:iam::%.*s:role/%.*s", STR_ARG(part[1]), STR_ARG(part[4]),
	                  STR_ARG(name));
}

static void choose_subject(struct principal_summary *d, struct str arn)
{
	struct err never = ERR_INIT;
	d->arn = principal_canonical(&d->arena, arn);
	d->role = role_arn(&d->arena, d->arn);
	struct str rest = d->arn, part[5];
	for (int i = 0; i < 5; i++)
		part[i] = str_cut(&rest, ':');
	struct str kind = str_cut(&rest, '/');
	d->is_role = str_is(kind, "role") ||
	             (str_is(kind, "assumed-role") && !memchr(rest.p ? rest.p : "", '/', rest.len));
	if (d->is_role && d->role.len)
		d->arn = d->role;
	d->only = (struct group_filter){.value = {d->is_role ? rest : d->arn, part[4]}};
	if (!grouping_parse(&d->only.by, d->is_role ? STR("role,account") : STR("principal"), STR_NONE, &never))
		return;
	for (int span = 0; span < SUMMARY_SPANS; span++)
		for (int cut = 0; cut < SUMMARY_CUTS; cut++)
			d->sums[span][cut].only = &d->only;
}

bool principal_summary_gather(struct principal_summary *d, struct view *v, struct str arn, struct err *err)
{
	choose_subject(d, arn);
	if (!view_each(v, d->from, d->now_ms / MS_PER_HOUR + 1, gather_model_hour, d, err))
		return false;
	// One without figures has tags all the same.
	tag_history_ask(view_tags(v), view_redis(v), view_prefix(v), d->arn,
	                d->ntagsets ? d->tagsets[0].id : STR("-"));
	if (!redis_exec(view_redis(v), err))
		return false;
	tag_history_take(view_tags(v), view_redis(v));
	return true;
}

static void count_tag(void *user, const struct tag_held *t)
{
	(void)t;
	++*(int *)user;
}

bool principal_summary_is_known(const struct principal_summary *d, struct view *v)
{
	int tags = 0;
	tag_history_changes(view_tags(v), d->arn, d->ntagsets ? d->tagsets[0].id : STR("-"), count_tag, &tags);
	return d->nseen || (tags && (d->is_role || !d->role.len)); // the tags of its role do not make a session
}

// ---- by name ------------------------------------------------------------------------------------

struct search {
	struct principal_summary *principal_summary;
	struct str name, hash; // hash: what it may be kept as; none
	struct str tag; // in hand: the key of a tag that has the name for its value
};

static bool same_word(const struct search *s, struct str a)
{
	return a.len && ((a.len == s->name.len && strncasecmp(a.p, s->name.p, a.len) == 0) || str_eq(a, s->hash));
}

static void look_at_tag(void *user, const struct tag_held *t)
{
	struct search *s = user;
	if (!s->tag.len && same_word(s, t->value))
		s->tag = t->key;
}

// What of the row bears the name; none.
static struct str reason(struct search *s, struct view *v, const struct model_hour *model_hour,
                         const struct view_row *row)
{
	struct str path = row->principal;
	for (int i = 0; i < 5; i++)
		str_cut(&path, ':');
	struct str kind = str_cut(&path, '/');
	if (same_word(s, row->role))
		return STR("role");
	if (same_word(s, str_after_last(path, '/')))
		return str_is(kind, "assumed-role") ? STR("session")
		       : str_is(kind, "user")       ? STR("user")
		                                    : STR("name");
	s->tag = STR_NONE;
	tag_history_each(view_tags(v), row->principal, row->tagset, (model_hour->hour + 1) * MS_PER_HOUR,
	                 look_at_tag, s);
	return s->tag.len ? arena_text(&s->principal_summary->arena, "tag %.*s", STR_ARG(s->tag)) : STR_NONE;
}

static bool find_in_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct search *s = user;
	struct principal_summary *d = s->principal_summary;
	bool added;
	for (int i = 0; i < model_hour->nrows; i++) {
		const struct view_row *row = &model_hour->rows[i];
		d->maybe_other |= is_overflow_name(row->principal);
		// Tags hold for a while: a caller is looked at once a day.
		int32_t *known = map_add(
			&d->index,
			key_of(row->principal, row->tagset, LOOKED_AT + (uint64_t)when_day_start(model_hour->hour)), -1,
			&added);
		if (!added && *known < 0)
			continue;
		struct str why = added ? reason(s, v, model_hour, row) : STR_NONE;
		if (added && !why.len)
			continue;
		*known = 1;
		struct str arn = str_is(why, "role") || (!added && same_word(s, row->role))
		                     ? role_arn(&d->arena, row->principal)
		                     : row->principal;
		struct summary_seen *seen = see(d, arn.len ? arn : row->principal, model_hour->hour);
		if (!seen->why.len)
			seen->why = why;
	}
	return add_sums(d, v, model_hour);
}

bool principal_summary_find(struct principal_summary *d, struct view *v, struct str name, struct str hash,
                            struct err *err)
{
	struct search s = {.principal_summary = d, .name = name, .hash = hash};
	return view_each(v, d->from, d->now_ms / MS_PER_HOUR + 1, find_in_model_hour, &s, err);
}
