// SPDX-License-Identifier: Apache-2.0
#include "store/source_status.h"

#include "base/buf.h"
#include "base/arena.h"
#include "base/usd.h"
#include "base/when.h"
#include "store/keys.h"

enum { LEASE_MS = 10000 };
#define FORGOTTEN_MS (100 * 86400000LL)

const char *const source_state_words[SOURCE_STATES] = {"reads", "idle", "too_much", "removed"};

static struct str field_of(struct buf *b, const struct source_status *s)
{
	buf_clear(b);
	buf_addf(b, "%.*s %.*s", STR_ARG(s->source), STR_ARG(s->acct_region));
	return buf_str(b);
}

void source_status_queue(struct redis *r, const char *prefix, const struct source_status *s)
{
	struct buf key = BUF_INIT, field = BUF_INIT, value = BUF_INIT;
	buf_addf(&value, "%lld %lld %lld %s %lld %.*s", (long long)s->position_ms, (long long)s->read_ms,
	         (long long)s->failing_ms, source_state_words[s->state], (long long)s->rate, STR_ARG(s->text));
	redis_cmd(r, 4,
	          (struct str[]){STR("HSET"), key_sources(&key, prefix), field_of(&field, s), buf_str(&value)});
	buf_clear(&value);
	buf_addf(&value, "%lld", (long long)when_now_ms());
	key_sources_written(&key, prefix);
	redis_cmd(r, 4, (struct str[]){STR("HSET"), buf_str(&key), buf_str(&field), buf_str(&value)});
	buf_release(&key);
	buf_release(&field);
	buf_release(&value);
}

void source_positions_queue(struct redis *r, const char *prefix, const struct source_status *v, size_t n)
{
	struct buf key = BUF_INIT, field = BUF_INIT;
	for (size_t span = 0; n && span < redis_spans(r); span++) {
		redis_begin(r, 2 + 2 * (int)n);
		redis_argz(r, "HSET");
		redis_arg(r, key_sources_copy(&key, prefix, redis_span_tag(r, span)));
		for (size_t i = 0; i < n; i++) {
			redis_arg(r, field_of(&field, &v[i]));
			redis_argi(r, v[i].position_ms);
		}
	}
	redis_barrier(r);
	buf_release(&key);
	buf_release(&field);
}

void source_status_queue_end(struct redis *r, const char *prefix, struct str source, struct str acct_region)
{
	struct buf key = BUF_INIT, field = BUF_INIT;
	const struct source_status s = {.source = source, .acct_region = acct_region};
	redis_cmd(r, 3, (struct str[]){STR("HDEL"), key_sources(&key, prefix), field_of(&field, &s)});
	buf_release(&key);
	buf_release(&field);
}

static bool cut_number(struct str *rest, int64_t *ret)
{
	return usd_parse_scaled(str_cut(rest, ' '), 0, ret);
}

static bool parse_status(struct str field, struct str value, struct source_status *ret)
{
	struct source_status s = {0};
	s.source = str_cut(&field, ' ');
	s.acct_region = field;
	if (!cut_number(&value, &s.position_ms) || !cut_number(&value, &s.read_ms) ||
	    !cut_number(&value, &s.failing_ms))
		return false;
	struct str state = str_cut(&value, ' ');
	while (s.state < SOURCE_STATES && !str_is(state, source_state_words[s.state]))
		s.state++;
	if (s.state == SOURCE_STATES || !cut_number(&value, &s.rate))
		return false;
	s.text = value;
	*ret = s;
	return true;
}

// Of the copies that have some of `fields`. A source that none has was never read by a cluster.
static bool read_copies(struct redis *r, const char *prefix, const struct str *fields, size_t n,
                        struct err *err)
{
	struct buf key = BUF_INIT;
	for (size_t span = 0; span < redis_spans(r); span++) {
		redis_begin(r, 2 + (int)n);
		redis_argz(r, "HMGET");
		redis_arg(r, key_sources_copy(&key, prefix, redis_span_tag(r, span)));
		for (size_t i = 0; i < n; i++)
			redis_arg(r, fields[i]);
	}
	buf_release(&key);
	return redis_exec(r, err);
}

// Field i of them. A master that has no copy where another has one has lost all.
static int64_t least_position(const struct redis *r, size_t i, int64_t position_ms)
{
	int64_t least = position_ms;
	size_t known = 0;
	for (size_t span = 0; span < redis_count(r); span++) {
		int64_t ms;
		struct str text = i < redis_len(r, span) ? redis_elem(r, span, i) : STR_NONE;
		if (!text.len || !usd_parse_scaled(text, 0, &ms))
			continue;
		known++;
		least = ms < least ? ms : least;
	}
	return known == 0 || known == redis_count(r) ? least : 0;
}

bool source_status_each(struct redis *r, const char *prefix, source_status_fn *fn, void *user,
                        struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct buf key = BUF_INIT;
	size_t n;
	redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key_sources(&key, prefix)});
	buf_release(&key);
	bool good = redis_exec(r, err);
	if (good)
		redis_sort_fields(r, 0);
	struct str *pairs = good ? redis_copy_list(r, 0, &arena, &n) : NULL;
	n = good ? n / 2 : 0;
	struct str *fields = arena_alloc(&arena, (n + 1) * sizeof *fields);
	for (size_t i = 0; i < n; i++)
		fields[i] = pairs[2 * i];
	good = good && (n == 0 || read_copies(r, prefix, fields, n, err));
	for (size_t i = 0; good && i < n; i++) {
		struct source_status s;
		if (!parse_status(fields[i], pairs[2 * i + 1], &s))
			continue;
		s.position_ms = least_position(r, i, s.position_ms);
		fn(user, &s);
	}
	arena_release(&arena);
	return good;
}

struct swept {
	struct str field;
	struct source_status status;
	bool forgotten;
};

static void queue_swept(struct redis *r, const char *prefix, struct swept *x)
{
	struct buf key = BUF_INIT;
	x->status.state = SOURCE_REMOVED;
	x->status.failing_ms = 0;
	x->status.text = STR_NONE;
	if (!x->forgotten) {
		source_status_queue(r, prefix, &x->status);
		return;
	}
	redis_cmd(r, 3, (struct str[]){STR("HDEL"), key_sources(&key, prefix), x->field});
	redis_cmd(r, 3, (struct str[]){STR("HDEL"), key_sources_written(&key, prefix), x->field});
	for (size_t span = 0; span < redis_spans(r); span++)
		redis_cmd(
			r, 3,
			(struct str[]){STR("HDEL"), key_sources_copy(&key, prefix, redis_span_tag(r, span)), x->field});
	buf_release(&key);
}

// Of the field in reply 1. A status of a version that did not write it: the last time that it has.
static int64_t written_ms(struct redis *r, struct str field, const struct source_status *s)
{
	int64_t ms = s->read_ms > s->failing_ms ? s->read_ms : s->failing_ms;
	for (size_t i = 0; i + 1 < redis_len(r, 1); i += 2)
		if (str_eq(redis_elem(r, 1, i), field))
			usd_parse_scaled(redis_elem(r, 1, i + 1), 0, &ms);
	return ms;
}

bool source_status_sweep(struct redis *r, const char *prefix, source_kept_fn *is_kept, void *user,
                         struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct buf key = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key_sources(&key, prefix)});
	redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key_sources_written(&key, prefix)});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	size_t n = 0, pairs = redis_len(r, 0) / 2;
	struct swept *v = arena_alloc(&arena, (pairs + 1) * sizeof *v);
	for (size_t i = 0; i < pairs; i++) {
		struct str field = arena_str(&arena, redis_elem(r, 0, 2 * i)),
				   value = arena_str(&arena, redis_elem(r, 0, 2 * i + 1));
		struct source_status s;
		if (!parse_status(field, value, &s))
			continue;
		int64_t written = written_ms(r, field, &s);
		bool removed = s.state == SOURCE_REMOVED, old = when_now_ms() - written > FORGOTTEN_MS;
		if (!is_kept(user, &s, written) && (!removed || old))
			v[n++] = (struct swept){field, s, removed && old};
	}
	for (size_t i = 0; i < n; i++)
		queue_swept(r, prefix, &v[i]);
	arena_release(&arena);
	return n == 0 || redis_exec(r, err);
}

bool source_lease_take(struct redis *r, const char *prefix, struct str account, struct str owner,
                       bool *ret_ours, struct err *err)
{
	struct buf lease = BUF_INIT, ms = BUF_INIT;
	buf_addf(&ms, "%d", LEASE_MS);
	key_source_lease(&lease, prefix, account);
	redis_cmd(r, 6, (struct str[]){STR("SET"), buf_str(&lease), owner, STR("NX"), STR("PX"), buf_str(&ms)});
	redis_cmd(r, 2, (struct str[]){STR("GET"), buf_str(&lease)});
	bool good = redis_exec(r, err);
	*ret_ours = good && str_eq(redis_str(r, 1), owner);
	if (*ret_ours) {
		redis_cmd(r, 3, (struct str[]){STR("PEXPIRE"), buf_str(&lease), buf_str(&ms)});
		good = redis_exec(r, err);
	}
	buf_release(&lease);
	buf_release(&ms);
	return good;
}

void source_lease_queue_end(struct redis *r, const char *prefix, struct str account)
{
	struct buf lease = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("DEL"), key_source_lease(&lease, prefix, account)});
	buf_release(&lease);
}
