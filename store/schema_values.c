// SPDX-License-Identifier: Apache-2.0
#include "store/schema_values.h"

#include <assert.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "store/keys.h"
#include "store/usage_rows.h"

#define SCHEMA1_MARK "# "

// KEYS: the usage hash, the meta hash. ARGV: the number of fields that leave the usage hash, these fields;
// the number of words that enter it, these fields and values; then fields and values of the meta hash.
static const struct str split_hash = STR(
	"local function set(key, first, last) "
	"for i = first, last, 2 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end end "
	"local ttl, gone = redis.call('PTTL', KEYS[1]), tonumber(ARGV[1]) "
	"local from = gone + 3 local to = from + tonumber(ARGV[gone + 2]) - 1 "
	"redis.call('DEL', KEYS[2]) "
	"set(KEYS[1], from, to) set(KEYS[2], to + 1, #ARGV) "
	"for i = 2, gone + 1 do redis.call('HDEL', KEYS[1], ARGV[i]) end "
	"if ttl > 0 then redis.call('PEXPIRE', KEYS[2], ttl) end return 1");

// The fields and values of a hash, sorted into where they belong.
struct value_split {
	struct arena arena;
	struct str *gone;  // fields that leave the usage hash
	struct str *usage; // field, value, ...: that enter it
	struct str *meta;  // field, value, ...
	int ngone, nusage, nmeta;
	uint64_t digest;   // of all fields as they will be
	bool has_digest;
};

static void add_meta(struct value_split *s, struct str old, struct str field, struct str value)
{
	s->gone[s->ngone++] = old;
	s->meta[s->nmeta++] = field;
	s->meta[s->nmeta++] = value;
	s->digest += row_digest(field, value);
}

static void split_mark(struct value_split *s, struct str field, struct str value)
{
	struct str name = {field.p + strlen(SCHEMA1_MARK), field.len - strlen(SCHEMA1_MARK)};
	if (str_is(name, META_DIGEST)) {
		s->gone[s->ngone++] = field;
		s->has_digest = true;
	} else if (str_is(name, META_MODEL) || str_is(name, META_FOUNDATION)) {
		add_meta(s, field, name, value);
	} else {
		add_meta(s, field, arena_text(&s->arena, META_METRIC " %.*s", STR_ARG(name)), value);
	}
}

static void split_row(struct value_split *s, struct str field, struct str value)
{
	struct str rest = field, principal = str_cut(&rest, ' '), tagset = str_cut(&rest, ' ');
	const char *name = str_is(rest, "output@units")    ? "units"
	                   : str_is(rest, "output@units+") ? "uncounted"
	                                                   : NULL;
	if (str_is(rest, META_WEIGHTS) || str_is(rest, "calls") || str_starts(rest, STR("calls@"))) {
		add_meta(s, field, field, value);
	} else if (name) {
		struct str new = arena_text(&s->arena, "%.*s %.*s %s", STR_ARG(principal), STR_ARG(tagset), name);
		s->gone[s->ngone++] = field;
		s->usage[s->nusage++] = new;
		s->usage[s->nusage++] = value;
		s->digest += row_digest(new, value);
	} else {
		s->digest += row_digest(field, value);
	}
}

static void split(struct value_split *s, struct redis *r, size_t reply)
{
	size_t n = redis_len(r, reply);
	char digest[ROW_DIGEST_SIZE];
	s->gone = arena_alloc(&s->arena, (n + 1) * sizeof *s->gone);
	s->usage = arena_alloc(&s->arena, (n + 1) * sizeof *s->usage);
	s->meta = arena_alloc(&s->arena, (n + 3) * sizeof *s->meta);
	for (size_t i = 0; i + 1 < n; i += 2) {
		struct str field = arena_str(&s->arena, redis_elem(r, reply, i)),
				   value = arena_str(&s->arena, redis_elem(r, reply, i + 1));
		if (str_starts(field, STR(SCHEMA1_MARK)))
			split_mark(s, field, value);
		else
			split_row(s, field, value);
	}
	if (s->has_digest) {
		s->meta[s->nmeta++] = STR(META_DIGEST);
		s->meta[s->nmeta++] = arena_str(&s->arena, str_of(row_digest_format(s->digest, digest)));
	}
}

static bool write_split(struct redis *r, const struct value_split *s, struct str key, struct str meta_key,
                        struct err *err)
{
	redis_begin(r, 3 + 2 + 2 + s->ngone + s->nusage + s->nmeta);
	redis_argz(r, "EVAL");
	redis_arg(r, split_hash);
	redis_argi(r, 2);
	redis_arg(r, key);
	redis_arg(r, meta_key);
	redis_argi(r, s->ngone);
	for (int i = 0; i < s->ngone; i++)
		redis_arg(r, s->gone[i]);
	redis_argi(r, s->nusage);
	for (int i = 0; i < s->nusage; i++)
		redis_arg(r, s->usage[i]);
	for (int i = 0; i < s->nmeta; i++)
		redis_arg(r, s->meta[i]);
	return redis_exec(r, err);
}

static bool convert_hash(struct redis *r, struct str key, struct str meta_key, struct err *err)
{
	struct value_split s = {.arena = ARENA_INIT};
	redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key});
	bool good = redis_exec(r, err);
	if (good)
		split(&s, r, 0);
	if (good && s.ngone)
		good = write_split(r, &s, key, meta_key, err);
	arena_release(&s.arena);
	return good;
}

static bool convert_actual(struct redis *r, const struct migrate_model_hour *x, struct err *err)
{
	const struct str field = STR(SCHEMA1_MARK META_MODEL);
	struct buf called = BUF_INIT;
	redis_cmd(r, 3, (struct str[]){STR("HGET"), x->key, field});
	bool good = redis_exec(r, err);
	if (good && !redis_nil(r, 0)) {
		struct arena arena = ARENA_INIT;
		struct str arn = arena_str(&arena, redis_str(r, 0));
		key_actual_called(&called, x->prefix, x->acct_region);
		redis_cmd(r, 4, (struct str[]){STR("HSET"), buf_str(&called), x->model, arn});
		redis_cmd(r, 3, (struct str[]){STR("HDEL"), x->key, field});
		good = redis_exec(r, err);
		arena_release(&arena);
	}
	buf_release(&called);
	return good;
}

bool schema_values_convert(struct redis *r, const struct migrate_model_hour *x, void *user, struct err *err)
{
	struct buf member = BUF_INIT, meta_key = BUF_INIT;
	bool good = true;
	(void)user;
	buf_addf(&member, "%.*s:%.*s", STR_ARG(x->hour), STR_ARG(x->model));
	switch (x->kind) {
	case MIGRATE_USAGE:
		key_usage_meta(&meta_key, x->prefix, x->acct_region, buf_str(&member));
		good = convert_hash(r, x->key, buf_str(&meta_key), err);
		break;
	case MIGRATE_PART:
		key_part_meta(&meta_key, x->prefix, x->acct_region, buf_str(&member));
		good = convert_hash(r, x->key, buf_str(&meta_key), err);
		break;
	case MIGRATE_ACTUAL:
		good = convert_actual(r, x, err);
		break;
	case MIGRATE_CELLS:
	case MIGRATE_HOUR_STATS:
		break; // their form is the same
	case MIGRATE_KINDS:
		assert(!"a kind of key");
	}
	buf_release(&member);
	buf_release(&meta_key);
	return good;
}
