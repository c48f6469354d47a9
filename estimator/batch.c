// SPDX-License-Identifier: Apache-2.0
#include "estimator/batch.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/when.h"
#include "estimator/roster.h"

// Room for one more element behind `n`. Lists begin small: a batch may have one or two a record.
static void *grown(struct batch *b, void *p, int32_t n, int32_t *cap, size_t size)
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

static void release_slots(struct batch *b)
{
	for (int32_t i = 0; i < b->nslots; i++) {
		for (int32_t k = 0; k < b->slots[i].nsections; k++) {
			struct section *s = &b->slots[i].sections[k];
			free(s->calls);
			free(s->metrics);
			free(s->names);
			free(s->sessions);
			free(s->seats);
		}
		free(b->slots[i].sections);
		free(b->slots[i].guests);
	}
	b->nslots = 0;
}

void batch_clear(struct batch *b)
{
	release_slots(b);
	map_clear(&b->slot_index);
	map_clear(&b->section_index);
	map_clear(&b->name_index);
	map_clear(&b->call_index);
	b->nsession_tags = b->ntag_changes = 0;
	b->records = 0;
	b->list_bytes = 0;
	memset(b->newest_ms, 0, sizeof b->newest_ms);
	arena_reset(&b->arena);
}

void batch_release(struct batch *b)
{
	release_slots(b);
	free(b->slots);
	free(b->session_tags);
	free(b->tag_changes);
	map_release(&b->slot_index);
	map_release(&b->section_index);
	map_release(&b->name_index);
	map_release(&b->call_index);
	arena_release(&b->arena);
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
	for (int32_t i = 0; i < b->nslots; i++)
		for (int32_t k = 0; k < b->slots[i].nsections; k++)
			if (b->slots[i].sections[k].ncalls > 1)
				qsort(b->slots[i].sections[k].calls, (size_t)b->slots[i].sections[k].ncalls, sizeof(struct evidence), by_evidence);
}

size_t batch_bytes(const struct batch *b)
{
	return b->arena.used + b->list_bytes;
}

// ---- values that make sense ----------------------------------------------------------------------------------------

enum { TEXT_MAX = 2048 };

// Eight bytes at once, as nearly all are: none is a blank or below, DEL, or beyond ASCII. Borrows between bytes can only make it
// say no, and then each is looked at.
static bool are_plain(const char *p)
{
	const uint64_t ones = 0x0101010101010101, high = ones << 7;
	uint64_t w;
	memcpy(&w, p, sizeof w);
	uint64_t del = w ^ ones * 0x7f;
	return ((w | (w - ones * 0x21) | (del - ones)) & high) == 0;
}

// Printable, without spaces: such a string can stand in a key or between blanks as it is.
static bool is_clean(struct str s)
{
	if (s.len == 0 || s.len > TEXT_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		while (s.len - i >= 8 && are_plain(s.p + i))
			i += 8;
		if (i < s.len && (s.p[i] == ' ' || text_control(s, i)))
			return false;
	}
	return true;
}

static bool is_made_of(struct str s, size_t max, const char *set)
{
	if (s.len == 0 || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!s.p[i] || !strchr(set, s.p[i]))
			return false;
	return true;
}

static bool check_place(struct str account, struct str region, struct err *err)
{
	if (!is_made_of(account, 12, "0123456789"))
		return err_set(err, ERR_SKIP, "account: expected up to 12 digits, got \"%.*s\"", account.len > 20 ? 20 : (int)account.len, account.len ? account.p : "");
	if (!is_made_of(region, 32, "abcdefghijklmnopqrstuvwxyz0123456789-"))
		return err_set(err, ERR_SKIP, "region: expected a name like us-east-1, got \"%.*s\"", region.len > 40 ? 40 : (int)region.len, region.len ? region.p : "");
	return true;
}

static bool check_time(struct batch *b, int64_t ms, int64_t latest_ms, struct err *err)
{
	char text[WHEN_SIZE];
	if (ms <= 0)
		return err_set(err, ERR_SKIP, "time: not after 1970");
	b->future += ms > latest_ms;
	if (ms > latest_ms)
		return err_set(err, ERR_SKIP, "time: %s lies too far in the future (is the clock of this machine right? see: future)", when_format(ms, text));
	return true;
}

// ---- sections ------------------------------------------------------------------------------------------------------

static struct batch_slot *find_slot(struct batch *b, struct str account, struct str region)
{
	bool added;
	uint64_t key = XXH3_64bits_withSeed(region.p, region.len, XXH3_64bits(account.p, account.len));
	int32_t *at = map_add(&b->slot_index, key, b->nslots, &added);
	if (added) {
		char name[64];
		int n = snprintf(name, sizeof name, "%.*s/%.*s", STR_ARG(account), STR_ARG(region));
		b->slots = grown(b, b->slots, b->nslots, &b->capslots, sizeof *b->slots);
		b->slots[b->nslots++] = (struct batch_slot){.name = arena_str(&b->arena, (struct str){name, (size_t)n})};
	}
	return &b->slots[*at];
}

static bool is_section(const struct section *s, int64_t bucket, int other, int turn)
{
	return s->bucket == bucket && s->other == other && s->turn == turn;
}

// Mostly the one used last. A batch may hold very many: each repetition of a call, each bucket of a backfill has its own.
static struct section *find_section(struct batch *b, struct batch_slot *s, int64_t bucket, int other, int turn)
{
	if (s->nsections && is_section(&s->sections[s->recent], bucket, other, turn))
		return &s->sections[s->recent];
	bool added;
	int64_t place[] = {s - b->slots, bucket, other, turn};
	s->recent = *map_add(&b->section_index, XXH3_64bits(place, sizeof place), s->nsections, &added);
	if (added) {
		s->sections = grown(b, s->sections, s->nsections, &s->capsections, sizeof *s->sections);
		s->sections[s->nsections++] = (struct section){.bucket = bucket, .other = other, .turn = turn};
	}
	return &s->sections[s->recent];
}

// How many records of the call the batch holds already; counts this one.
static int turn_of(struct batch *b, const struct batch_slot *slot, const struct evidence *e)
{
	bool added;
	int32_t *times = map_add(&b->call_index, evidence_get64((const char *)e->id) ^ (uint64_t)(slot - b->slots) << 56, 0, &added);
	return added ? 0 : ++*times;
}

// A number kept with a name of the section, -1 at first. *ret_new: the section did not have the name yet, and now has its id.
static int32_t *name_note(struct batch *b, const struct batch_slot *slot, const struct section *s, uint64_t id, bool *ret_new)
{
	uint64_t place = (uint64_t)(slot - b->slots) << 40 ^ (uint64_t)(s - slot->sections);
	return map_add(&b->name_index, id ^ place * 0x9e3779b97f4a7c15u, -1, ret_new);
}

static bool name_is_new(struct batch *b, const struct batch_slot *slot, const struct section *s, uint64_t id)
{
	bool new;
	name_note(b, slot, s, id, &new);
	return new;
}

static void add_name(struct batch *b, struct section *s, uint64_t id, struct str text)
{
	s->names = grown(b, s->names, s->nnames, &s->capnames, sizeof *s->names);
	s->names[s->nnames++] = (struct batch_name){id, text};
}

static struct str prefixed(struct batch *b, char kind, struct str text)
{
	char *p = arena_alloc(&b->arena, text.len + 1);
	p[0] = kind;
	memcpy(p + 1, text.p, text.len);
	return (struct str){p, text.len + 1};
}

static struct str arn_at_start(struct batch *b, struct str arn, int64_t start_ms)
{
	size_t room = arn.len + 24;
	char *p = arena_alloc(&b->arena, room);
	int n = snprintf(p, room, "%.*s@%lld", STR_ARG(arn), (long long)(start_ms / 1000));
	return (struct str){p, (size_t)n};
}

// The fifth part of an ARN.
static struct str arn_account(struct str arn)
{
	for (int i = 0; i < 4; i++)
		str_cut(&arn, ':');
	return str_cut(&arn, ':');
}

// A session of another account, in a record that only the account of the resource has: its tags are to be looked for here too.
static void note_guest(struct batch *b, struct batch_slot *slot, struct str arn)
{
	struct str account = arn_account(arn);
	if (!is_made_of(account, 12, "0123456789") || str_starts(slot->name, account))
		return;
	for (int32_t i = 0; i < slot->nguests; i++)
		if (str_eq(slot->guests[i], account))
			return;
	slot->guests = grown(b, slot->guests, slot->nguests, &slot->capguests, sizeof *slot->guests);
	slot->guests[slot->nguests++] = arena_str(&b->arena, account);
}

// The number of its seat; -1: no session of a role.
static int32_t add_seat(struct batch *b, struct section *s, struct str arn, int64_t minute)
{
	struct str role = roster_role(arn);
	if (!role.len)
		return -1;
	s->seats = grown(b, s->seats, s->nseats, &s->capseats, sizeof *s->seats);
	s->seats[s->nseats] = (struct batch_seat){arena_str(&b->arena, role), arena_str(&b->arena, (struct str){arn.p + role.len, arn.len - role.len}), minute};
	return s->nseats++;
}

static void add_caller_name(struct batch *b, struct section *s, uint64_t id, const struct caller *c)
{
	size_t room = c->arn.len + c->access_key.len + c->role_arn.len + c->project.len + 32;
	char *p = arena_alloc(&b->arena, room);
	int n = snprintf(p, room, "c%.*s\t%.*s\t%lld\t%.*s\t%.*s", STR_ARG(c->arn), STR_ARG(c->access_key), (long long)c->session_start_ms,
	                 STR_ARG(c->role_arn), STR_ARG(c->project));
	add_name(b, s, id, (struct str){p, (size_t)n});
	struct str session = c->access_key.len ? arena_str(&b->arena, c->access_key)
	                     : c->session_start_ms ? arn_at_start(b, c->arn, c->session_start_ms) : STR_NONE;
	if (!session.len)
		return;
	s->sessions = grown(b, s->sessions, s->nsessions, &s->capsessions, sizeof *s->sessions);
	s->sessions[s->nsessions++] = session;
}

// ---- records -------------------------------------------------------------------------------------------------------

static bool check_call(struct batch *b, const struct call *c, int64_t latest_ms, struct err *err)
{
	if (!check_place(c->account, c->region, err) || !check_time(b, c->time_ms, latest_ms, err))
		return false;
	if (!c->request_id.len || c->request_id.len > TEXT_MAX)
		return err_set(err, ERR_SKIP, "requestID: missing or too long");
	if (!is_clean(c->model))
		return err_set(err, ERR_SKIP, "modelId: missing, too long, or with blanks or control characters in it");
	// A name that is no ARN might be one of ours: "(unattributed)", or "#", by which fields begin that are no caller's. So might
	// one that ends in "/*", which is that of all other sessions of a role.
	if (!is_clean(c->caller.arn) || !str_starts(c->caller.arn, STR("arn:")) || str_ends(c->caller.arn, STR("/*")))
		return err_set(err, ERR_SKIP, "userIdentity: the caller's ARN is missing, too long, no ARN, or has blanks or control characters in it");
	if ((c->caller.access_key.len && !is_clean(c->caller.access_key)) || (c->caller.role_arn.len && !is_clean(c->caller.role_arn)))
		return err_set(err, ERR_SKIP, "userIdentity: accessKeyId or sessionIssuer.arn with blanks or control characters in it");
	if (c->caller.project.len && !is_clean(c->caller.project))
		return err_set(err, ERR_SKIP, "resources[].ARN: a project with blanks or control characters in it");
	return true;
}

static int edge(int64_t hour)
{
	int64_t in_bucket = hour % BUCKET_HOURS;
	return in_bucket < CALL_HOURS_MAX ? -1 : in_bucket >= BUCKET_HOURS - CALL_HOURS_MAX ? 1 : 0;
}

// An application inference profile has an id that tells nothing: its ARN says which it is, the foundation model what it costs.
static bool is_opaque(struct str called)
{
	return called.len && (memmem(called.p, called.len, ":application-inference-profile/", 31) || !memchr(called.p, '.', called.len));
}

static void add_profile_names(struct batch *b, const struct batch_slot *slot, struct section *s, const struct call *c, uint64_t model)
{
	uint64_t called = batch_called_id(model), foundation = batch_foundation_id(model);
	if (!str_eq(c->model_called, c->model) && is_clean(c->model_called) && name_is_new(b, slot, s, called))
		add_name(b, s, called, prefixed(b, 'a', c->model_called));
	if (c->foundation.len && is_clean(c->foundation) && name_is_new(b, slot, s, foundation))
		add_name(b, s, foundation, prefixed(b, 'f', c->foundation));
}

static bool add_call(struct batch *b, const struct call *c, int64_t latest_ms, struct err *err)
{
	if (!check_call(b, c, latest_ms, err))
		return false;
	int64_t hour = c->time_ms / MS_PER_HOUR;
	struct batch_slot *slot = find_slot(b, c->account, c->region);
	uint64_t model = evidence_model_id(c->model), caller = evidence_caller_id(&c->caller);
	struct evidence e;
	evidence_pack(&e, c, model, caller);
	struct section *s = find_section(b, slot, hour / BUCKET_HOURS, edge(hour), turn_of(b, slot, &e));
	if (name_is_new(b, slot, s, model))
		add_name(b, s, model, prefixed(b, 'm', c->model));
	if (is_opaque(c->model_called))
		add_profile_names(b, slot, s, c, model);
	bool new;
	int32_t *seat = name_note(b, slot, s, caller, &new);
	if (new) {
		add_caller_name(b, s, caller, &c->caller);
		note_guest(b, slot, c->caller.arn);
		*seat = add_seat(b, s, c->caller.arn, c->time_ms / MS_PER_MINUTE);
	} else if (*seat >= 0 && c->time_ms / MS_PER_MINUTE < s->seats[*seat].minute) {
		s->seats[*seat].minute = c->time_ms / MS_PER_MINUTE;
	}
	s->calls = grown(b, s->calls, s->ncalls, &s->capcalls, sizeof *s->calls);
	s->calls[s->ncalls++] = e;
	return true;
}

static bool add_metric(struct batch *b, const struct metric *m, int64_t latest_ms, struct err *err)
{
	if (m->minute < 0 || m->minute > INT64_MAX / MS_PER_MINUTE)
		return err_set(err, ERR_SKIP, "time: out of range");
	if (!check_place(m->account, m->region, err) || !check_time(b, m->minute * MS_PER_MINUTE, latest_ms, err))
		return false;
	if (!is_clean(m->model))
		return err_set(err, ERR_SKIP, "ModelId: missing, too long, or with blanks or control characters in it");
	if (m->sum < 0 || m->sum > (int64_t)1 << 53 || (m->slot > TOKENS_CACHE_WRITE && m->slot != TOKENS_UNITS) || m->asked > PRICE_TIERS || m->served >= PRICE_TIERS)
		return err_set(err, ERR_SKIP, "metric: a sum of %lld tokens makes no sense", (long long)m->sum);
	struct batch_slot *slot = find_slot(b, m->account, m->region);
	struct section *s = find_section(b, slot, m->minute / 60 / BUCKET_HOURS, 0, 0);
	uint64_t model = evidence_model_id(m->model);
	if (name_is_new(b, slot, s, model))
		add_name(b, s, model, prefixed(b, 'm', m->model));
	s->metrics = grown(b, s->metrics, s->nmetrics, &s->capmetrics, sizeof *s->metrics);
	s->metrics[s->nmetrics++] = (struct batch_metric){.model_id = model, .minute = m->minute, .sum = m->sum, .samples = m->samples, .slot = m->slot, .rank = m->final ? 2 : 1};
	if (m->of_tier) {
		struct batch_metric *last = &s->metrics[s->nmetrics - 1];
		last->tiers[0] = (char)('a' + m->asked);
		last->tiers[1] = (char)('a' + m->served);
	}
	return true;
}

// Readers of JSON refuse a NUL in a key, and with it all the tags: U+2400, the symbol for it, stands there instead.
static char *key_without_nul(struct str key)
{
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < key.len; i++)
		if (key.p[i])
			buf_addc(&b, key.p[i]);
		else
			buf_adds(&b, "\xe2\x90\x80");
	return b.data ? b.data : xstrdup(STR(""));
}

static struct str text_of(const json_t *s)
{
	return (struct str){json_string_value(s), json_string_length(s)};
}

// Tags as a JSON object with sorted keys; of a key given twice the larger value stands, whatever the order. What is not
// UTF-8 cannot stand in JSON: ERR_SKIP.
static bool tags_object(const struct tag *tags, int n, json_t **ret, struct err *err)
{
	json_t *o = json_object();
	for (int i = 0; i < n; i++) {
		json_t *value = json_stringn(tags[i].value.len ? tags[i].value.p : "", tags[i].value.len);
		char *key = key_without_nul(tags[i].key);
		json_t *was = json_object_get(o, key);
		bool smaller = was && value && str_cmp(text_of(was), text_of(value)) >= 0;
		if (!value || (!smaller && json_object_set(o, key, value) != 0)) {
			json_decref(value);
			json_decref(o);
			free(key);
			return err_set(err, ERR_SKIP, "tags: not UTF-8");
		}
		json_decref(value);
		free(key);
	}
	*ret = o;
	return true;
}

static struct str dumped(struct batch *b, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	struct str s = arena_str(&b->arena, str_of(text));
	free(text);
	return s;
}

// Takes the tags over. Who it is stands by, for those who ask whose an access key is; what is not UTF-8 is left out.
static json_t *session_object(const struct session_tags *t, json_t *tags)
{
	json_t *o = json_object();
	if (t->arn.len)
		json_object_set_new(o, "arn", json_stringn(t->arn.p, t->arn.len));
	if (t->role_arn.len)
		json_object_set_new(o, "role", json_stringn(t->role_arn.p, t->role_arn.len));
	json_object_set_new(o, "tags", tags);
	return o;
}

static bool add_session_tags(struct batch *b, const struct session_tags *t, int64_t latest_ms, struct err *err)
{
	json_t *tags;
	if (!check_time(b, t->time_ms, latest_ms, err))
		return false;
	if (!is_clean(t->access_key) || (t->arn.len && !is_clean(t->arn)) || (t->role_arn.len && !is_clean(t->role_arn)))
		return err_set(err, ERR_SKIP, "credentials.accessKeyId, assumedRoleUser.arn or roleArn: missing, or with blanks or control characters in it");
	if (!tags_object(t->tags, t->ntags, &tags, err))
		return false;
	b->session_tags = grown(b, b->session_tags, b->nsession_tags, &b->capsession_tags, sizeof *b->session_tags);
	b->session_tags[b->nsession_tags++] = (struct batch_session){
		.account = arena_str(&b->arena, arn_account(t->arn)),
		.access_key = arena_str(&b->arena, t->access_key),
		.arn_at_start = t->arn.len ? arn_at_start(b, t->arn, t->time_ms) : STR_NONE,
		.json = dumped(b, session_object(t, tags)),
	};
	return true;
}

static bool add_principal_tags(struct batch *b, const struct principal_tags *t, int64_t latest_ms, struct err *err)
{
	static const char *const ops[] = {[TAGS_SET] = "set", [TAGS_UNSET] = "unset", [TAGS_CREATED] = "create", [TAGS_DELETED] = "delete"};
	json_t *tags;
	if (!check_time(b, t->time_ms, latest_ms, err))
		return false;
	if (!is_made_of(t->account, 12, "0123456789") || !is_clean(t->name))
		return err_set(err, ERR_SKIP, "IAM record: account or name missing, or with blanks or control characters in it");
	if (!tags_object(t->tags, t->ntags, &tags, err))
		return false;
	char field[64];
	struct buf key = BUF_INIT;
	buf_addf(&key, "%.*s:%s/%.*s", STR_ARG(t->account), t->is_role ? "role" : "user", STR_ARG(t->name));
	int n = snprintf(field, sizeof field, "%013lld %.40s", (long long)t->time_ms, t->event_id.len ? arena_str(&b->arena, t->event_id).p : "");
	b->tag_changes = grown(b, b->tag_changes, b->ntag_changes, &b->captag_changes, sizeof *b->tag_changes);
	b->tag_changes[b->ntag_changes++] = (struct batch_tag_change){
		.key = arena_str(&b->arena, buf_str(&key)),
		.field = arena_str(&b->arena, (struct str){field, (size_t)n}),
		.json = dumped(b, json_pack("{s:s,s:o}", "op", ops[t->change], "tags", tags)),
	};
	buf_release(&key);
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
		good = add_session_tags(b, &r->session_tags, latest_ms, err);
		break;
	case RECORD_PRINCIPAL_TAGS:
		good = add_principal_tags(b, &r->principal_tags, latest_ms, err);
		break;
	case RECORD_KINDS:
		return err_set(err, ERR_SKIP, "no such kind of record");
	}
	if (!good)
		return false;
	b->records++;
	if (record_time(r) > b->newest_ms[r->kind])
		b->newest_ms[r->kind] = record_time(r);
	return true;
}
