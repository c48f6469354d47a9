// SPDX-License-Identifier: Apache-2.0
// One pass over the model hours adds up what the principal spent, and records when it was seen and with which
// session tags. The sums are made by query/group.h, so that dollars, bands and basis are those of every
// report.
#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "base/hash.h"
#include "base/when.h"
#include "ingest/principal.h"
#include "query/freshness.h"
#include "query/group_sum.h"
#include "query/principal_summary.h"
#include "store/cardinality.h"
#include "store/tagset.h"

enum { KEYS_HOURS_MAX = 40 * 24 }; // names of callers are hardly kept for longer (`reopen.keep`)

static const char *const cut_names[SUMMARY_CUTS] = {"", "model", "principal"};

void principal_summary_init(struct principal_summary *s, int64_t now_ms, int64_t from)
{
	struct err unused = ERR_INIT;
	int64_t hour = now_ms / MS_PER_HOUR;
	*s = (struct principal_summary){
		.now_ms = now_ms, .seen_until_ms = now_ms, .from = from, .to = hour + 1,
		.day = when_day_start(hour), .month = when_month_start(hour)};
	for (int span = 0; span < SUMMARY_SPANS; span++) {
		for (int cut = 0; cut < SUMMARY_CUTS; cut++) {
			struct grouping by;
			bool good = grouping_parse(&by, str_of(cut_names[cut]), (struct caller_sources){0}, &unused);
			assert(good);
			groups_init(&s->sums[span][cut], &by);
		}
	}
}

void principal_summary_init_span(struct principal_summary *s, int64_t now_ms, struct time_span span)
{
	assert(span.from <= span.to);
	principal_summary_init(s, now_ms, span.from);
	s->to = span.to;
	s->of_span = true;
}

void principal_summary_init_facts(struct principal_summary *s, int64_t now_ms, struct time_span span,
                                  const struct group_filter *within)
{
	assert(span.from <= span.to);
	principal_summary_init(s, now_ms, span.from);
	s->to = span.to;
	s->facts_only = true;
	s->within = within;
}

void principal_summary_release(struct principal_summary *s)
{
	for (int span = 0; span < SUMMARY_SPANS; span++)
		for (int cut = 0; cut < SUMMARY_CUTS; cut++)
			groups_release(&s->sums[span][cut]);
	free(s->seen);
	free(s->tagsets);
	free(s->mapped);
	free(s->tags);
	free(s->places);
	map_release(&s->index);
	arena_release(&s->arena);
}

static uint64_t index_key(struct str a, struct str b, uint64_t seed)
{
	return hash64_seeded(b.p ? b.p : "", b.len, hash64_seeded(a.p, a.len, seed));
}

enum { KEY_SEEN = 1, KEY_TAGSET, KEY_MAPPED, KEY_SEARCHED }; // the seed of an index key: what the key is of

static void extend_span(int64_t *first, int64_t *last, int64_t hour)
{
	if (hour > *last)
		*last = hour;
	if (hour < *first)
		*first = hour;
}

static struct summary_seen *record_seen(struct principal_summary *s, struct str arn, int64_t hour)
{
	bool added;
	int32_t at = *map_add(&s->index, index_key(arn, STR_NONE, KEY_SEEN), s->nseen, &added);
	if (added) {
		if (s->nseen == s->capseen)
			s->seen =
				xrealloc(s->seen, (size_t)(s->capseen = s->capseen ? s->capseen * 2 : 64), sizeof *s->seen);
		s->seen[s->nseen++] = (struct summary_seen){.arn = arena_str(&s->arena, arn), .first = hour};
	}
	extend_span(&s->seen[at].first, &s->seen[at].last, hour);
	assert(at < s->nseen && s->seen[at].first <= s->seen[at].last);
	return &s->seen[at];
}

static void record_tagset(struct principal_summary *s, struct str id, int64_t hour)
{
	bool added;
	int32_t at = *map_add(&s->index, index_key(id, STR_NONE, KEY_TAGSET), s->ntagsets, &added);
	if (added) {
		if (s->ntagsets == s->captagsets)
			s->tagsets =
				xrealloc(s->tagsets, (size_t)(s->captagsets = s->captagsets ? s->captagsets * 2 : 16),
			             sizeof *s->tagsets);
		s->tagsets[s->ntagsets++] = (struct summary_tagset){.id = arena_str(&s->arena, id), .first = hour};
	}
	extend_span(&s->tagsets[at].first, &s->tagsets[at].last, hour);
}

// "map.csv:3, session gateway/batch-*"
static struct str line_text(struct principal_summary *s, const char *file, const struct mapping_line *l)
{
	return arena_text(&s->arena, "%s:%d, %s %.*s%s%.*s", file, l->number, mapping_kind_names[l->kind],
	                  STR_ARG(l->role), l->role.len ? "/" : "", STR_ARG(l->name));
}

static void record_mapped(struct principal_summary *s, struct view *v, const struct model_hour *model_hour,
                          const struct view_row *row)
{
	for (int key = 0; key < mapping_nkeys(view_mapping(v)); key++) {
		struct mapped m = view_mapped(v, model_hour, row, key);
		bool added;
		if (!m.line)
			continue;
		const uint64_t which[] = {mapping_digest(view_mapping(v)), (uint64_t)key, (uint64_t)m.line->number};
		int32_t at = *map_add(&s->index, hash64_seeded(which, sizeof which, KEY_MAPPED), s->nmapped, &added);
		if (added) {
			if (s->nmapped == s->capmapped)
				s->mapped =
					xrealloc(s->mapped, (size_t)(s->capmapped = s->capmapped ? s->capmapped * 2 : 16),
				             sizeof *s->mapped);
			s->mapped[s->nmapped++] =
				(struct summary_mapped){.key = arena_text(&s->arena, "map:%.*s",
			                                              STR_ARG(mapping_key(view_mapping(v), key))),
			                            .value = arena_str(&s->arena, m.value),
			                            .line = line_text(s, view_mapping_file(v), m.line),
			                            .first = model_hour->hour};
		}
		extend_span(&s->mapped[at].first, &s->mapped[at].last, model_hour->hour);
	}
}

// Model hours of one account and Region follow one another.
static void record_place(struct principal_summary *s, const struct model_hour *h)
{
	struct str last = s->nplaces ? s->places[s->nplaces - 1] : STR_NONE;
	if (last.len == h->account.len + 1 + h->region.len && str_starts(last, h->account) &&
	    memcmp(last.p + h->account.len + 1, h->region.p, h->region.len) == 0)
		return;
	if (s->nplaces == s->capplaces)
		s->places = xrealloc(s->places, (size_t)(s->capplaces = s->capplaces ? s->capplaces * 2 : 8),
		                     sizeof *s->places);
	s->places[s->nplaces++] = arena_text(&s->arena, "%.*s/%.*s", STR_ARG(h->account), STR_ARG(h->region));
}

static bool add_sums(struct principal_summary *s, struct view *v, const struct model_hour *model_hour)
{
	for (int cut = 0; cut < SUMMARY_CUTS && !s->facts_only; cut++)
		if ((s->of_span && !groups_add(&s->sums[SUMMARY_SPAN][cut], v, model_hour)) ||
		    (model_hour->hour >= s->month && !groups_add(&s->sums[SUMMARY_MONTH][cut], v, model_hour)) ||
		    (model_hour->hour >= s->day && !groups_add(&s->sums[SUMMARY_TODAY][cut], v, model_hour)))
			return false;
	return true;
}

// ---- one principal ------------------------------------------------------------------------------

static bool is_wanted(const struct principal_summary *s, const struct model_hour *model_hour,
                     const struct view_row *row)
{
	return s->is_role ? str_eq(row->role, s->only.value[0]) && str_eq(model_hour->account, s->account)
	                  : str_eq(row->principal, s->arn);
}

static bool gather_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct principal_summary *s = user;
	const struct model_hour_names names = model_hour_names_of(model_hour);
	for (int i = 0; i < model_hour->nrows; i++) {
		const struct view_row *row = &model_hour->rows[i];
		s->maybe_other |= is_overflow_name(row->principal) &&
		                  str_eq(cardinality_group(row->principal), cardinality_group(s->arn));
		if (!is_wanted(s, model_hour, row) || !group_filter_passes(s->within, v, model_hour, row, &names))
			continue;
		record_seen(s, row->principal, model_hour->hour);
		record_place(s, model_hour);
		record_mapped(s, v, model_hour, row);
		if (!s->is_role && !str_is(row->tagset, "-"))
			record_tagset(s, row->tagset, model_hour->hour);
	}
	return add_sums(s, v, model_hour);
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

static void choose_principal(struct principal_summary *s, struct str arn)
{
	struct err unused = ERR_INIT;
	s->arn = principal_canonical(&s->arena, arn);
	s->role = role_arn(&s->arena, s->arn);
	struct str rest = s->arn, part[5];
	for (int i = 0; i < 5; i++)
		part[i] = str_cut(&rest, ':');
	struct str kind = str_cut(&rest, '/');
	s->is_role = str_is(kind, "role") ||
	             (str_is(kind, "assumed-role") && !memchr(rest.p ? rest.p : "", '/', rest.len));
	if (s->is_role && s->role.len)
		s->arn = s->role;
	s->account = part[4];
	s->only = (struct group_filter){.value = {s->is_role ? rest : s->arn, part[4]}};
	bool good = grouping_parse(&s->only.by, s->is_role ? STR("role,account") : STR("principal"),
	                           (struct caller_sources){0}, &unused);
	assert(good);
	for (int span = 0; span < SUMMARY_SPANS; span++)
		for (int cut = 0; cut < SUMMARY_CUTS; cut++)
			s->sums[span][cut].only = &s->only;
}

// ---- tags ---------------------------------------------------------------------------------------

// By a tag of the session; one of the account, by one that the role or user has as well. These are there
// already.
static bool is_overridden(const struct principal_summary *s, struct str key, bool of_account)
{
	for (int32_t i = 0; i < s->ntags; i++) {
		const struct summary_tag *tag = &s->tags[i];
		bool counts =
			tag->of_session || (of_account && tag->until_ms == INT64_MAX && strcmp(tag->of, "account") != 0);
		if (counts && tag->key.len == key.len && strncasecmp(tag->key.p, key.p, key.len) == 0)
			return true;
	}
	return false;
}

static void add_tag(struct principal_summary *s, const struct summary_tag *tag)
{
	if (s->ntags == s->captags)
		s->tags = xrealloc(s->tags, (size_t)(s->captags = s->captags ? s->captags * 2 : 16), sizeof *s->tags);
	struct summary_tag *t = &s->tags[s->ntags++];
	*t = *tag;
	t->key = arena_str(&s->arena, tag->key);
	t->value = arena_str(&s->arena, tag->value);
	t->event = arena_str(&s->arena, tag->event);
}

// The end of an hour that something was seen in, or of a bucket of hours, may not have come yet.
static int64_t seen_until(const struct principal_summary *s, int64_t from_ms, int64_t to_ms)
{
	int64_t until = to_ms < s->seen_until_ms ? to_ms : s->seen_until_ms;
	return until > from_ms ? until : from_ms;
}

int64_t principal_summary_key_from(const struct session_key *k)
{
	int64_t from = k->from * MS_PER_HOUR;
	return k->start_ms > from && k->start_ms < k->to * MS_PER_HOUR ? k->start_ms : from;
}

int64_t principal_summary_key_to(const struct principal_summary *s, const struct session_key *k)
{
	return seen_until(s, principal_summary_key_from(k), k->to * MS_PER_HOUR);
}

static bool read_seen_until(struct principal_summary *s, struct view *v, struct err *err)
{
	struct freshness f;
	if (!freshness_read(&f, view_redis(v), view_prefix(v), s->now_ms, err))
		return false;
	int64_t newest = f.signals[SIGNAL_CALL].event_ms, after = (newest / MS_PER_MINUTE + 1) * MS_PER_MINUTE;
	if (newest && after < s->now_ms)
		s->seen_until_ms = after;
	return true;
}

struct session_tag_adder {
	struct principal_summary *summary;
	const struct summary_tagset *tagset;
};

static void add_session_tag(void *user, const struct tag_held *held)
{
	const struct session_tag_adder *t = user;
	int64_t since_ms = t->tagset->first * MS_PER_HOUR;
	if (held->of_session)
		add_tag(t->summary,
		        &(struct summary_tag){.key = tagset_shown_key(held->key),
		                              .value = held->value,
		                              .of = str_starts(held->key, STR("aws:")) ? "call" : "session",
		                              .of_session = true,
		                              .since_ms = since_ms,
		                              .until_ms = seen_until(t->summary, since_ms,
		                                                     (t->tagset->last + 1) * MS_PER_HOUR),
		                              .event = held->event});
}

static void add_own_tag(void *user, const struct tag_held *held)
{
	struct principal_summary *s = user;
	s->has_own_tags |= !held->of_account;
	add_tag(s, &(struct summary_tag){.key = held->key,
	                                 .value = held->value,
	                                 .of = tag_held_of(held, s->arn),
	                                 .overridden = is_overridden(s, held->key, held->of_account),
	                                 .since_ms = held->since_ms,
	                                 .until_ms = held->until_ms,
	                                 .event = held->event});
}

static void add_mapped_tags(struct principal_summary *s)
{
	for (int32_t i = 0; i < s->nmapped; i++) {
		const struct summary_mapped *m = &s->mapped[i];
		int64_t since_ms = m->first * MS_PER_HOUR;
		add_tag(s, &(struct summary_tag){.key = m->key,
		                                 .value = m->value,
		                                 .of = "map",
		                                 .of_session = true,
		                                 .since_ms = since_ms,
		                                 .until_ms = seen_until(s, since_ms, (m->last + 1) * MS_PER_HOUR),
		                                 .event = m->line});
	}
}

// A principal without figures has tags all the same.
static bool gather_tags(struct principal_summary *s, struct view *v, struct err *err)
{
	struct str tagset = s->ntagsets ? s->tagsets[0].id : STR("-");
	tag_history_ask(view_tags(v), view_redis(v), view_prefix(v), s->arn, tagset);
	if (!redis_exec(view_redis(v), err))
		return false;
	tag_history_take(view_tags(v), view_redis(v));
	for (int32_t i = 0; i < s->ntagsets; i++)
		tag_history_each(view_tags(v), s->arn, s->tagsets[i].id, INT64_MAX, add_session_tag,
		                 &(struct session_tag_adder){s, &s->tagsets[i]});
	tag_history_changes(view_tags(v), s->arn, tagset, add_own_tag, s);
	add_mapped_tags(s);
	return true;
}

// Names of callers are kept as long as facts: earlier ones are not there.
static bool gather_keys(struct principal_summary *s, struct view *v, struct err *err)
{
	const struct session_key_query q = {
		.prefix = view_prefix(v), .arn = s->arn, .acct_regions = s->places, .nacct_regions = s->nplaces,
		.from = s->from > s->to - KEYS_HOURS_MAX ? s->from : s->to - KEYS_HOURS_MAX, .to = s->to};
	return s->is_role || session_keys_read(&s->keys, view_redis(v), &q, &s->arena, err);
}

// ---- what the caller asks -----------------------------------------------------------------------

bool principal_summary_gather(struct principal_summary *s, struct view *v, struct str arn, struct err *err)
{
	assert(s->nseen == 0 && !s->arn.p); // fresh from principal_summary_init
	choose_principal(s, arn);
	return view_each(v, s->from, s->to, gather_model_hour, s, err) &&
	       read_seen_until(s, v, err) && gather_tags(s, v, err) && gather_keys(s, v, err);
}

static void write_tags(struct json_writer *j, const struct principal_summary *s)
{
	jw_array(j, "tags");
	for (int32_t i = 0; i < s->ntags; i++) {
		const struct summary_tag *tag = &s->tags[i];
		jw_line(j);
		jw_object(j, NULL);
		jw_str(j, "key", tag->key);
		jw_str(j, "value", tag->value.p ? tag->value : STR(""));
		jw_strz(j, "of", tag->of);
		jw_bool(j, "overridden", tag->overridden);
		jw_time(j, "since", tag->since_ms);
		jw_time_if(j, "until", tag->until_ms != INT64_MAX, tag->until_ms);
		jw_str(j, "event", tag->event.len ? tag->event : STR_NONE);
		jw_end(j);
	}
	jw_end(j);
}

static void write_keys(struct json_writer *j, const struct principal_summary *s)
{
	jw_array(j, "access_keys");
	for (int i = 0; i < s->keys.n; i++) {
		const struct session_key *k = &s->keys.list[i];
		jw_line(j);
		jw_object(j, NULL);
		jw_str(j, "id", k->id);
		jw_time_if(j, "since", k->start_ms, k->start_ms);
		jw_time(j, "used_from", principal_summary_key_from(k));
		jw_time(j, "used_to", principal_summary_key_to(s, k));
		jw_end(j);
	}
	jw_end(j);
	jw_bool(j, "access_keys_more", s->keys.more);
}

void principal_summary_json(const struct principal_summary *s, struct json_writer *j)
{
	jw_line(j);
	write_tags(j, s);
	jw_line(j);
	write_keys(j, s);
}

bool principal_summary_is_known(const struct principal_summary *s)
{
	// the tags of its role do not make a session
	return s->nseen || (s->has_own_tags && (s->is_role || !s->role.len));
}

bool principal_summary_has(const struct principal_summary *s, enum summary_span span)
{
	if (span == SUMMARY_SPAN)
		return s->of_span;
	return !s->of_span || (s->from <= s->month && s->to > s->now_ms / MS_PER_HOUR);
}

struct group principal_summary_total(const struct principal_summary *s, enum summary_span span)
{
	const struct groups *all = &s->sums[span][SUMMARY_ALL];
	return all->n ? all->list[0] : (struct group){0};
}

struct group principal_summary_spend(const struct principal_summary *s, enum summary_span span,
                                     struct str arn)
{
	struct group sum = {0};
	const struct groups *g = &s->sums[span][SUMMARY_BY_PRINCIPAL];
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

// ---- by name ------------------------------------------------------------------------------------

struct name_search {
	struct principal_summary *summary;
	struct str name, hash; // hash: what the name may be stored as; none
	struct str tag;        // of the row in hand: the key of a tag whose value is the name
};

static bool is_name(const struct name_search *n, struct str word)
{
	return word.len && ((word.len == n->name.len && strncasecmp(word.p, n->name.p, word.len) == 0) ||
	                    str_eq(word, n->hash));
}

static void check_tag(void *user, const struct tag_held *t)
{
	struct name_search *n = user;
	if (!n->tag.len && is_name(n, t->value))
		n->tag = t->key;
}

// What of the row has the name; none.
static struct str find_reason(struct name_search *n, struct view *v, const struct model_hour *model_hour,
                              const struct view_row *row)
{
	struct str path = row->principal;
	for (int i = 0; i < 5; i++)
		str_cut(&path, ':');
	struct str kind = str_cut(&path, '/');
	if (is_name(n, row->role))
		return STR("role");
	if (is_name(n, str_after_last(path, '/')) || is_name(n, path)) // erin, gateway/erin
		return str_is(kind, "assumed-role") ? STR("session")
		       : str_is(kind, "user")       ? STR("user")
		                                    : STR("name");
	n->tag = STR_NONE;
	tag_history_each(view_tags(v), row->principal, row->tagset, (model_hour->hour + 1) * MS_PER_HOUR,
	                 check_tag, n);
	if (n->tag.len)
		return arena_text(&n->summary->arena, "tag %.*s", STR_ARG(tagset_shown_key(n->tag)));
	for (int key = 0; key < mapping_nkeys(view_mapping(v)); key++)
		if (is_name(n, view_mapped(v, model_hour, row, key).value))
			return arena_text(&n->summary->arena, "map:%.*s", STR_ARG(mapping_key(view_mapping(v), key)));
	return STR_NONE;
}

static bool search_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct name_search *n = user;
	struct principal_summary *s = n->summary;
	bool added;
	for (int i = 0; i < model_hour->nrows; i++) {
		const struct view_row *row = &model_hour->rows[i];
		s->maybe_other |= is_overflow_name(row->principal);
		// Tags hold for a while: a caller is searched once a day.
		int32_t *known = map_add(
			&s->index,
			index_key(row->principal, row->tagset, KEY_SEARCHED + (uint64_t)when_day_start(model_hour->hour)),
			-1, &added);
		if (!added && *known < 0)
			continue;
		struct str why = added ? find_reason(n, v, model_hour, row) : STR_NONE;
		if (added && !why.len)
			continue;
		*known = 1;
		struct str arn = str_is(why, "role") || (!added && is_name(n, row->role))
		                     ? role_arn(&s->arena, row->principal)
		                     : row->principal;
		struct summary_seen *seen = record_seen(s, arn.len ? arn : row->principal, model_hour->hour);
		if (!seen->why.len)
			seen->why = why;
	}
	return add_sums(s, v, model_hour);
}

bool principal_summary_find(struct principal_summary *s, struct view *v, struct str name, struct str hash,
                            struct err *err)
{
	assert(name.len > 0 && s->nseen == 0);
	struct name_search n = {.summary = s, .name = name, .hash = hash};
	return view_each(v, s->from, s->to, search_model_hour, &n, err);
}
