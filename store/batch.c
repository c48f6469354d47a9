// SPDX-License-Identifier: Apache-2.0
// Puts calls and metrics into the sections they belong to. The names of a record's model and caller, its
// session and its candidates for a kept name are added once a section.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arn.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/pattern.h"
#include "base/text.h"
#include "base/when.h"
#include "pricing/model_id.h"
#include "store/batch_priv.h"
#include "store/cardinality.h"

#define EARLIEST_MS INT64_C(1672531200000) // 2023-01-01
_Static_assert(EARLIEST_MS > INT64_C(10000) * EVIDENCE_SIXTHS_FROM, "no time of a call looks like a minute");

void *batch_grown(struct batch *b, void *p, int32_t n, int32_t *cap, size_t size)
{
	if (n < *cap)
		return p;
	int32_t more = *cap ? *cap : 4;
	*cap += more;
	b->list_bytes += (size_t)more * size;
	return xrealloc(p, (size_t)*cap, size);
}

void batch_init(struct batch *b)
{
	*b = (struct batch){0};
}

static void release_acct_regions(struct batch *b)
{
	for (int32_t i = 0; i < b->nacct_regions; i++) {
		for (int32_t k = 0; k < b->acct_regions[i].nsections; k++) {
			struct section *s = &b->acct_regions[i].sections[k];
			free(s->calls);
			free(s->metrics);
			free(s->names);
			free(s->sessions);
			free(s->candidates);
			free(s->tellings);
		}
		free(b->acct_regions[i].sections);
		free(b->acct_regions[i].cross_account);
	}
	b->nacct_regions = 0;
}

void batch_clear(struct batch *b)
{
	release_acct_regions(b);
	map_clear(&b->acct_region_index);
	map_clear(&b->section_index);
	map_clear(&b->name_index);
	map_clear(&b->call_index);
	b->nsession_tags = b->ntag_changes = 0;
	b->records = 0;
	b->reopens = false;
	b->list_bytes = 0;
	memset(b->newest_ms, 0, sizeof b->newest_ms);
	arena_reset(&b->arena);
}

void batch_release(struct batch *b)
{
	release_acct_regions(b);
	free(b->acct_regions);
	free(b->session_tags);
	free(b->tag_changes);
	map_release(&b->known_places);
	map_release(&b->acct_region_index);
	map_release(&b->section_index);
	map_release(&b->name_index);
	map_release(&b->call_index);
	arena_release(&b->arena);
	buf_release(&b->identity);
	buf_release(&b->caller);
	buf_release(&b->meta);
	*b = (struct batch){0};
}

static int by_evidence(const void *a, const void *b)
{
	const struct evidence *x = a, *y = b;
	int c = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);
	return c ? c : x->len - y->len;
}

void batch_sort(struct batch *b)
{
	for (int32_t i = 0; i < b->nacct_regions; i++)
		for (int32_t k = 0; k < b->acct_regions[i].nsections; k++)
			if (b->acct_regions[i].sections[k].ncalls > 1)
				qsort(b->acct_regions[i].sections[k].calls, (size_t)b->acct_regions[i].sections[k].ncalls,
				      sizeof(struct evidence), by_evidence);
}

// Telemetry knows neither model nor caller: their ids are 0.
static void rekey_bytes(const struct map *index, const struct batch_name *names, uint8_t *p)
{
	uint64_t id = bytes_get64(p);
	const int32_t *at = id ? map_find(index, id) : NULL;
	assert(at || !id); // a section names whatever else occurs in it
	if (at)
		bytes_put64(p, names[*at].id);
}

static void rekey_call(const struct map *index, const struct batch_name *names, struct evidence *e)
{
	rekey_bytes(index, names, e->bytes + EVIDENCE_AT_MODEL);
	rekey_bytes(index, names, e->bytes + EVIDENCE_AT_CALLER);
	if ((e->len - EVIDENCE_HEAD) % EVIDENCE_TOKENS != 0)
		rekey_bytes(index, names, e->bytes + e->len - sizeof(uint64_t));
}

static void rekey_section(struct section *s, const struct siphash_key *key)
{
	struct map index = MAP_INIT; // old id -> its place among the names
	bool added;
	for (int32_t i = 0; i < s->nnames; i++) {
		struct batch_name *name = &s->names[i];
		map_add(&index, name->id, i, &added);
		if (!name->model) // further names follow their model's
			name->id = name_id(key, name->text);
	}
	for (int32_t i = 0; i < s->nnames; i++) {
		struct batch_name *name = &s->names[i];
		if (!name->model)
			continue;
		bool called = name->text.p[0] == 'a';
		name->model = s->names[*map_find(&index, name->model)].id;
		name->id = called ? batch_called_id(name->model) : batch_foundation_id(name->model);
	}
	for (int32_t i = 0; i < s->ncalls; i++)
		rekey_call(&index, s->names, &s->calls[i]);
	for (int32_t i = 0; i < s->nmetrics; i++)
		s->metrics[i].model_id = s->names[*map_find(&index, s->metrics[i].model_id)].id;
	for (int32_t i = 0; i < s->ntellings; i++)
		s->tellings[i].model_id = s->names[*map_find(&index, s->tellings[i].model_id)].id;
	map_release(&index);
}

void batch_rekey(struct batch *b, const struct siphash_key *key)
{
	if (b->name_key.k0 == key->k0 && b->name_key.k1 == key->k1)
		return;
	for (int32_t i = 0; i < b->nacct_regions; i++)
		for (int32_t k = 0; k < b->acct_regions[i].nsections; k++)
			rekey_section(&b->acct_regions[i].sections[k], key);
	map_clear(&b->name_index); // of the old ids: names that come again are listed again
	b->name_key = *key;
}

size_t batch_bytes(const struct batch *b)
{
	return b->arena.used + b->list_bytes;
}

// ---- sections -----------------------------------------------------------------------------------

int32_t batch_find_first_place(const struct batch *b, struct str account, struct str region)
{
	enum { FIRST = 4 }; // few of them have most records
	for (int32_t i = 0; i < b->nacct_regions && i < FIRST; i++) {
		struct str name = b->acct_regions[i].name;
		if (name.len == account.len + 1 + region.len && str_starts(name, account) && str_ends(name, region) &&
		    name.p[account.len] == '/')
			return i;
	}
	return -1;
}

static struct batch_acct_region *find_acct_region(struct batch *b, struct str account, struct str region)
{
	bool added;
	int32_t first = batch_find_first_place(b, account, region);
	if (first >= 0)
		return &b->acct_regions[first];
	uint64_t key = hash64_seeded(region.p, region.len, hash64(account.p, account.len));
	int32_t *at = map_add(&b->acct_region_index, key, b->nacct_regions, &added);
	if (added) {
		char name[64];
		int n = snprintf(name, sizeof name, "%.*s/%.*s", STR_ARG(account), STR_ARG(region));
		b->acct_regions =
			batch_grown(b, b->acct_regions, b->nacct_regions, &b->capacct_regions, sizeof *b->acct_regions);
		b->acct_regions[b->nacct_regions++] =
			(struct batch_acct_region){.name = arena_str(&b->arena, (struct str){name, (size_t)n})};
	}
	return &b->acct_regions[*at];
}

static bool is_section(const struct section *s, int64_t bucket, int other, int turn, bool reopens)
{
	return s->bucket == bucket && s->other == other && s->turn == turn && s->reopens == reopens;
}

// In most cases it is the section used last. A batch may have very many: each repetition of a call and each
// bucket of a backfill has its own.
static struct section *find_section(struct batch *b, struct batch_acct_region *s, int64_t bucket, int other,
                                    int turn)
{
	if (s->nsections && is_section(&s->sections[s->recent], bucket, other, turn, b->reopening))
		return &s->sections[s->recent];
	bool added;
	int64_t place[] = {s - b->acct_regions, bucket, other, turn, b->reopening};
	s->recent = *map_add(&b->section_index, hash64(place, sizeof place), s->nsections, &added);
	if (added) {
		s->sections = batch_grown(b, s->sections, s->nsections, &s->capsections, sizeof *s->sections);
		s->sections[s->nsections++] = (struct section){
			.bucket = bucket, .other = other, .turn = turn, .reopens = b->reopening};
	}
	return &s->sections[s->recent];
}

// How many records of the call the batch holds already; counts this one.
static int count_repetition(struct batch *b, const struct batch_acct_region *acct_region,
                            const struct evidence *e)
{
	bool added;
	int32_t *times = map_add(&b->call_index,
	                         bytes_get64(e->id) ^ (uint64_t)(acct_region - b->acct_regions) << 56, 0, &added);
	return added ? 0 : ++*times;
}

// What is noted of a name of the section, -1 at first: the number of its candidate; of a further name of a
// model its place among the names. *ret_new: the section did not have the name yet, and has its id now.
static int32_t *note_of_name(struct batch *b, const struct batch_acct_region *acct_region,
                             const struct section *s, uint64_t id, bool *ret_new)
{
	uint64_t place = (uint64_t)(acct_region - b->acct_regions) << 40 ^ (uint64_t)(s - acct_region->sections);
	return map_add(&b->name_index, id ^ place * 0x9e3779b97f4a7c15u, -1, ret_new);
}

static void add_name(struct batch *b, struct section *s, uint64_t id, struct str text)
{
	s->names = batch_grown(b, s->names, s->nnames, &s->capnames, sizeof *s->names);
	s->names[s->nnames++] = (struct batch_name){.id = id, .text = text};
}

static struct str with_kind(struct batch *b, char kind, struct str text)
{
	char *p = arena_alloc(&b->arena, text.len + 1);
	p[0] = kind;
	memcpy(p + 1, text.p, text.len);
	return (struct str){p, text.len + 1};
}

// A session of another account: when its tags arrive, its hours in this account and Region are computed
// again.
static void add_cross_account(struct batch *b, struct batch_acct_region *acct_region, struct str arn)
{
	struct str account = arn_cut_account(&arn);
	if (!batch_is_made_of(account, 12, "0123456789") || str_starts(acct_region->name, account))
		return;
	for (int32_t i = 0; i < acct_region->ncross_account; i++)
		if (str_eq(acct_region->cross_account[i], account))
			return;
	acct_region->cross_account =
		batch_grown(b, acct_region->cross_account, acct_region->ncross_account,
	                &acct_region->capcross_account, sizeof *acct_region->cross_account);
	acct_region->cross_account[acct_region->ncross_account++] = arena_str(&b->arena, account);
}

// Returns the number of the candidate; -1: it has no group.
static int32_t add_candidate(struct batch *b, struct section *s, struct str group, struct str name,
                             int64_t minute)
{
	if (!group.len)
		return -1;
	s->candidates = batch_grown(b, s->candidates, s->ncandidates, &s->capcandidates, sizeof *s->candidates);
	s->candidates[s->ncandidates] =
		(struct batch_candidate){arena_str(&b->arena, group), arena_str(&b->arena, name), minute};
	return s->ncandidates++;
}

static int32_t add_caller_candidate(struct batch *b, struct section *s, struct str arn, int64_t minute)
{
	struct str group = cardinality_group(arn);
	return add_candidate(b, s, group, (struct str){arn.p + group.len, arn.len - group.len}, minute);
}

static void move_candidate_earlier(struct section *s, int32_t candidate, int64_t minute)
{
	if (candidate >= 0 && minute < s->candidates[candidate].minute)
		s->candidates[candidate].minute = minute;
}

// A JSON object behind `before`, in `text`; of no labels nothing.
static struct str write_labels(struct buf *text, char before, struct labels labels)
{
	buf_clear(text);
	if (!labels.n)
		return STR("");
	buf_addc(text, before);
	for (int i = 0; i < labels.n; i++) {
		buf_addc(text, i ? ',' : '{');
		buf_add_json(text, labels.v[i].key);
		buf_addc(text, ':');
		buf_add_json(text, labels.v[i].value);
	}
	buf_addc(text, '}');
	return buf_str(text);
}

// Labels are candidates for a name of their own, and so are their keys: two a label. `kind`: "meta",
// "identity".
static void note_labels(struct batch *b, const struct batch_acct_region *acct_region, struct section *s,
                        struct str owner, const char *kind, struct labels labels, int64_t minute)
{
	bool new;
	struct str text = buf_str(*kind == 'm' ? &b->meta : &b->identity);
	uint64_t id = hash64_seeded(owner.p, owner.len, hash64_seeded(text.p, text.len, (uint64_t)*kind));
	int32_t *first = note_of_name(b, acct_region, s, id, &new);
	if (!new) {
		for (int i = 0; i < 2 * labels.n; i++)
			move_candidate_earlier(s, *first + i, minute);
		return;
	}
	*first = s->ncandidates;
	for (int i = 0; i < labels.n; i++) {
		struct str key = arena_text(&b->arena, "%s:%.*s", kind, STR_ARG(labels.v[i].key));
		add_candidate(b, s, cardinality_label_keys(&b->arena, owner), key, minute);
		add_candidate(b, s, cardinality_label_values(&b->arena, owner, key), labels.v[i].value, minute);
	}
}

static void add_caller_name(struct batch *b, struct section *s, uint64_t id, const struct caller *c)
{
	add_name(b, s, id, arena_str(&b->arena, buf_str(&b->caller)));
	struct str session = c->access_key.len     ? arena_str(&b->arena, c->access_key)
	                     : c->session_start_ms ? batch_arn_at_start(b, c->arn, c->session_start_ms)
	                                           : STR_NONE;
	if (!session.len)
		return;
	s->sessions = batch_grown(b, s->sessions, s->nsessions, &s->capsessions, sizeof *s->sessions);
	s->sessions[s->nsessions++] = session;
}

static void note_model(struct batch *b, const struct batch_acct_region *acct_region, struct section *s,
                       uint64_t id, struct str model, int64_t minute)
{
	bool new;
	int32_t *candidate = note_of_name(b, acct_region, s, id, &new);
	if (new) {
		add_name(b, s, id, with_kind(b, 'm', model));
		*candidate = add_candidate(b, s, STR(CARDINALITY_MODELS), model, minute);
	} else {
		move_candidate_earlier(s, *candidate, minute);
	}
}

// ---- records ------------------------------------------------------------------------------------

// Amazon Bedrock began in 2023.
static bool check_time(struct batch *b, int64_t ms, int64_t latest_ms, struct err *err)
{
	char text[WHEN_SIZE];
	if (ms > 0 && ms < EARLIEST_MS)
		return err_set(err, ERR_SKIP, "time: %s lies before Amazon Bedrock began, in 2023",
		               when_format(ms, text));
	return batch_check_time(b, ms, latest_ms, err);
}

static bool check_call(struct batch *b, const struct call *c, int64_t latest_ms, struct err *err)
{
	if (!check_time(b, c->time_ms, latest_ms, err))
		return false;
	if (!c->request_id.len || c->request_id.len > BATCH_TEXT_MAX)
		return err_set(err, ERR_SKIP, "requestID: missing or too long");
	if (!batch_is_model(c->model))
		return err_set(err, ERR_SKIP,
		               "modelId: missing, too long, or with blanks or control characters in it");
	// A name that is no ARN might be one of ours: "(unattributed)", or "#", by which fields begin that are no
	// caller's. So might one that ends in "/*", which is that of all others of a group.
	if (!batch_is_clean(c->caller.arn) || !str_starts(c->caller.arn, STR("arn:")) ||
	    str_ends(c->caller.arn, STR("/*")))
		return err_set(
			err, ERR_SKIP,
			"userIdentity: the caller's ARN is missing, too long, no ARN, or has blanks or control characters in it");
	if ((c->caller.access_key.len && !batch_is_clean(c->caller.access_key)) ||
	    (c->caller.role_arn.len && !batch_is_clean(c->caller.role_arn)))
		return err_set(
			err, ERR_SKIP,
			"userIdentity: accessKeyId or sessionIssuer.arn with blanks or control characters in it");
	if (c->caller.project.len && !batch_is_clean(c->caller.project))
		return err_set(err, ERR_SKIP, "resources[].ARN: a project with blanks or control characters in it");
	return batch_admit(b, c->account, c->region, err); // last: a record that is refused takes no place
}

static int other_bucket(int64_t hour)
{
	int64_t in_bucket = hour % BUCKET_HOURS;
	return in_bucket < CALL_HOURS_MAX ? -1 : in_bucket >= BUCKET_HOURS - CALL_HOURS_MAX ? 1 : 0;
}

// The id of an application inference profile names no model: its ARN identifies it, its foundation model has
// the price. The ARN also says of what type a thing is whose id does not (a custom model, a prompt router).
static bool is_no_model(struct str called)
{
	struct model_id id;
	if (!str_starts(called, STR("arn:")))
		return called.len && !memchr(called.p, '.', called.len);
	model_id_read(&id, called);
	return id.kind != MODEL_NAMED;
}

// Records of one model may name it differently, or not all of them: the bytewise larger name counts, as in
// apply.lua.
static void add_further_name(struct batch *b, const struct batch_acct_region *acct_region, struct section *s,
                             const struct batch_name *name)
{
	bool new;
	int32_t *at = note_of_name(b, acct_region, s, name->id, &new);
	if (new) {
		*at = s->nnames;
		add_name(b, s, name->id, name->text);
		s->names[*at].model = name->model;
	} else if (str_cmp(s->names[*at].text, name->text) < 0) {
		s->names[*at].text = name->text;
	}
}

static void add_profile_names(struct batch *b, const struct batch_acct_region *acct_region, struct section *s,
                              const struct call *c, uint64_t model)
{
	if (!str_eq(c->model_called, c->model) && batch_is_clean(c->model_called))
		add_further_name(
			b, acct_region, s,
			&(struct batch_name){batch_called_id(model), model, with_kind(b, 'a', c->model_called)});
	if (c->foundation.len && batch_is_clean(c->foundation))
		add_further_name(
			b, acct_region, s,
			&(struct batch_name){batch_foundation_id(model), model, with_kind(b, 'f', c->foundation)});
}

// A failed call that has tokens is charged (store/calls.lua).
static int64_t minute_of_place(const struct call *c)
{
	bool charged = !c->failed;
	for (int kind = 0; kind < TOKENS_OUTPUT_MAX; kind++)
		charged |= c->known[kind];
	return c->time_ms / MS_PER_MINUTE + (charged ? 0 : CARDINALITY_FREE);
}

static void add_labels(struct batch *b, const struct batch_acct_region *acct_region, struct section *s,
                       const struct call *c, uint64_t meta)
{
	int64_t minute = minute_of_place(c);
	struct str owner = cardinality_label_owner(c->caller.arn);
	if (c->caller.identity.n)
		note_labels(b, acct_region, s, owner, "identity", c->caller.identity, minute);
	if (!meta)
		return;
	note_labels(b, acct_region, s, owner, "meta", c->meta, minute);
	bool new;
	note_of_name(b, acct_region, s, meta, &new);
	if (new)
		add_name(b, s, meta, arena_str(&b->arena, buf_str(&b->meta)));
}

// Whether telemetry may be joined with the call by the second: its own record, of a session of such a role.
static bool may_be_told(const struct batch *b, const struct call *c)
{
	const struct conf_list *roles = b->told_roles;
	struct str session = str_after_last(c->caller.arn, '/'), role = c->caller.arn;
	bool own = c->source == SOURCE_API || c->source == SOURCE_DATA_EVENT;
	if (!roles || !roles->n || !own || c->failed || session.len == role.len)
		return false;
	role.len -= session.len + 1;
	bool is_session = role.len && memmem(role.p, role.len, ":assumed-role/", 14);
	role = str_after_last(role, '/');
	for (size_t i = 0; is_session && i < roles->n; i++)
		if (pattern_matches(str_of(roles->items[i]), role))
			return true;
	return false;
}

static void note_observed(struct section *s, enum observed_signal signal, int64_t minute)
{
	s->observed[signal][minute / 60 % BUCKET_HOURS] |= UINT64_C(1) << minute % 60;
}

static bool add_call(struct batch *b, const struct call *c, int64_t latest_ms, struct err *err)
{
	if (!check_call(b, c, latest_ms, err))
		return false;
	int64_t minute = minute_of_place(c), hour = c->time_ms / MS_PER_HOUR;
	struct batch_acct_region *acct_region = find_acct_region(b, c->account, c->region);
	struct str labels = write_labels(&b->meta, 't', c->meta);
	uint64_t model = name_id_of_model(&b->name_key, c->model),
			 meta = labels.len ? name_id(&b->name_key, labels) : 0;
	struct str identity = write_labels(&b->identity, '\t', c->caller.identity);
	uint64_t caller = name_id(&b->name_key, name_of_caller(&b->caller, &c->caller, identity));
	struct evidence e;
	evidence_pack(&e, c, model, caller, meta, may_be_told(b, c));
	struct section *s = find_section(b, acct_region, hour / BUCKET_HOURS, other_bucket(hour),
	                                 count_repetition(b, acct_region, &e));
	note_observed(s, c->source == SOURCE_LOG ? OBSERVED_LOGS : OBSERVED_CALLS, c->time_ms / MS_PER_MINUTE);
	note_model(b, acct_region, s, model, c->model, minute);
	if (is_no_model(c->model_called))
		add_profile_names(b, acct_region, s, c, model);
	bool new;
	int32_t *candidate = note_of_name(b, acct_region, s, caller, &new);
	if (new) {
		add_caller_name(b, s, caller, &c->caller);
		add_cross_account(b, acct_region, c->caller.arn);
		*candidate = add_caller_candidate(b, s, c->caller.arn, minute);
	} else {
		move_candidate_earlier(s, *candidate, minute);
	}
	if (c->caller.identity.n || meta)
		add_labels(b, acct_region, s, c, meta);
	s->calls = batch_grown(b, s->calls, s->ncalls, &s->capcalls, sizeof *s->calls);
	s->calls[s->ncalls++] = e;
	return true;
}

// Telemetry without a request id waits among the facts of its model and hour: which call it is of is found
// out when these are computed (estimator/telemetry_join.h).
static bool add_telling(struct batch *b, const struct telemetry *t, struct err *err)
{
	const struct call *c = &t->call;
	struct telling told = {.start = t->start_ms / 1000, .end = c->time_ms / 1000, .user = t->user};
	struct buf value = BUF_INIT;
	if (!batch_is_clean(t->user) || !batch_is_model(c->model))
		return err_set(err, ERR_SKIP, "telemetry: its user or model is too long, or has blanks in it");
	if (!batch_admit(b, c->account, c->region, err))
		return false;
	int64_t minute = c->time_ms / MS_PER_MINUTE;
	struct batch_acct_region *acct_region = find_acct_region(b, c->account, c->region);
	struct section *s = find_section(b, acct_region, minute / 60 / BUCKET_HOURS, 0, 0);
	uint64_t model = name_id_of_model(&b->name_key, c->model);
	note_model(b, acct_region, s, model, c->model, minute + CARDINALITY_FREE);
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		told.known[kind] = c->known[kind];
		told.tokens[kind] = c->known[kind] ? c->tokens[kind] : 0;
	}
	cell_telling_write(&told, &value);
	struct str name = t->item.len ? t->item : buf_str(&value);
	struct digest128 d = digest128(name.p, name.len);
	uint8_t digest[16];
	bytes_put64(digest, d.high);
	bytes_put64(digest + 8, d.low);
	s->tellings = batch_grown(b, s->tellings, s->ntellings, &s->captellings, sizeof *s->tellings);
	struct batch_telling *to = &s->tellings[s->ntellings++];
	*to = (struct batch_telling){
		.model_id = model, .minute = minute, .value = arena_str(&b->arena, buf_str(&value))};
	memcpy(to->digest, digest, sizeof to->digest);
	buf_release(&value);
	return true;
}

static bool add_telemetry(struct batch *b, const struct telemetry *t, int64_t latest_ms, struct err *err)
{
	const struct call *c = &t->call;
	if (!check_time(b, c->time_ms, latest_ms, err))
		return false;
	if (!c->request_id.len)
		return add_telling(b, t, err);
	if (c->request_id.len > BATCH_TEXT_MAX)
		return err_set(err, ERR_SKIP, "telemetry: the request id is too long");
	if (!batch_admit(b, c->account, c->region, err))
		return false;
	int64_t hour = c->time_ms / MS_PER_HOUR;
	struct batch_acct_region *acct_region = find_acct_region(b, c->account, c->region);
	struct evidence e;
	evidence_pack(&e, c, 0, 0, 0, false);
	struct section *s = find_section(b, acct_region, hour / BUCKET_HOURS, other_bucket(hour),
	                                 count_repetition(b, acct_region, &e));
	s->calls = batch_grown(b, s->calls, s->ncalls, &s->capcalls, sizeof *s->calls);
	s->calls[s->ncalls++] = e;
	return true;
}

static bool add_metric(struct batch *b, const struct metric *m, int64_t latest_ms, struct err *err)
{
	if (m->minute < 0 || m->minute > INT64_MAX / MS_PER_MINUTE)
		return err_set(err, ERR_SKIP, "time: out of range");
	if (!check_time(b, m->minute * MS_PER_MINUTE, latest_ms, err))
		return false;
	if (m->project.len && !batch_is_clean(m->project))
		return err_set(err, ERR_SKIP, "Project: too long, or with blanks or control characters in it");
	if (!batch_is_model(m->model))
		return err_set(err, ERR_SKIP,
		               "ModelId: missing, too long, or with blanks or control characters in it");
	if (m->sum < 0 || m->sum > (int64_t)1 << 53 || m->larger < 0 || m->larger > m->sum ||
	    (m->token_kind > TOKENS_CACHE_WRITE && m->token_kind != TOKENS_UNITS) || m->asked > PRICE_TIERS ||
	    m->served >= PRICE_TIERS || (m->project.len && m->token_kind > TOKENS_CACHE_WRITE))
		return err_set(err, ERR_SKIP, "metric: a sum of %lld tokens makes no sense", (long long)m->sum);
	if (!batch_admit(b, m->account, m->region, err))
		return false;
	struct batch_acct_region *acct_region = find_acct_region(b, m->account, m->region);
	struct section *s = find_section(b, acct_region, m->minute / 60 / BUCKET_HOURS, 0, 0);
	uint64_t model = name_id_of_model(&b->name_key, m->model);
	note_observed(s, OBSERVED_METRICS, m->minute);
	note_model(b, acct_region, s, model, m->model, m->minute);
	s->metrics = batch_grown(b, s->metrics, s->nmetrics, &s->capmetrics, sizeof *s->metrics);
	struct batch_metric *to = &s->metrics[s->nmetrics++];
	bool is_split = !m->of_tier && m->token_kind != TOKENS_UNITS;
	*to = (struct batch_metric){.model_id = model,
	                            .minute = m->minute,
	                            .sum = m->sum,
	                            .samples = m->samples,
	                            .larger = is_split ? m->larger : 0,
	                            .rank = m->final ? 2 : 1};
	if (m->project.len)
		cell_project_metric_name(m->token_kind, name_id_of_project(m->project), to->name);
	else
		cell_metric_name(m->token_kind, m->of_tier, (int)m->asked, m->served, to->name);
	return true;
}

static int64_t record_time(const struct record *r)
{
	switch (r->kind) {
	case RECORD_METRIC:
		return r->metric.minute * MS_PER_MINUTE; // in range: it was added
	case RECORD_SESSION_TAGS:
		return r->session_tags.time_ms;
	case RECORD_PRINCIPAL_TAGS:
		return r->principal_tags.time_ms;
	case RECORD_TELEMETRY:
		return r->telemetry.call.time_ms;
	default:
		return r->call.time_ms;
	}
}

bool batch_add(struct batch *b, const struct record *r, int64_t latest_ms, struct err *err)
{
	bool good = false;
	switch (r->kind) {
	case RECORD_CALL:
	case RECORD_CALL_TOKENS:
	case RECORD_AMENDMENT:
		good = add_call(b, &r->call, latest_ms, err);
		break;
	case RECORD_METRIC:
		good = add_metric(b, &r->metric, latest_ms, err);
		break;
	case RECORD_SESSION_TAGS:
		good = batch_add_session_tags(b, &r->session_tags, latest_ms, err);
		break;
	case RECORD_PRINCIPAL_TAGS:
		good = batch_add_principal_tags(b, &r->principal_tags, latest_ms, err);
		break;
	case RECORD_TELEMETRY:
		good = add_telemetry(b, &r->telemetry, latest_ms, err);
		break;
	case RECORD_KINDS:
		return err_set(err, ERR_SKIP, "no such kind of record");
	}
	if (!good)
		return false;
	b->records++;
	b->reopens |= b->reopening;
	if (record_time(r) > b->newest_ms[r->kind])
		b->newest_ms[r->kind] = record_time(r);
	return true;
}
