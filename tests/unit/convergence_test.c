// SPDX-License-Identifier: Apache-2.0
// What must always hold, tried with random input against a real Redis: the figures depend on which records
// arrived and on nothing else, no token is lost or made, and what was applied twice counts once. Prints its
// seed; NOWCAST_SEED repeats one.
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/when.h"
#include "store/engine.h"
#include "store/name_id.h"
#include "store/redis.h"
#include "store/script.h"
#include "store/usage_rows.h"
#include "tests/redis_server.h"
#include "tests/support/random.h"
#include "tests/tap.h"

// ---- a small world ------------------------------------------------------------------------------

enum { RECORDS_MAX = 4000 };

static struct arena world_arena;
static struct record world[RECORDS_MAX];
static int nworld;

static struct str say(const char *fmt, ...) NC_PRINTF(1, 2);
static struct str say(const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	struct str s = arena_str(&world_arena, buf_str(&b));
	buf_release(&b);
	return s;
}

static void set_samples(struct metric *m)
{
	m->samples = below(4);
	m->larger = m->samples == 2 && below(3) ? m->sum - below(m->sum / 2 + 1) : 0;
}

static struct record *more(enum record_kind kind)
{
	struct record *r = &world[nworld++];
	memset(r, 0, sizeof *r);
	r->kind = kind;
	return r;
}

// Flat rates; tiers; bands by the length of the prompt; metrics of whole prompts; no price at all.
static const char *const models[] = {"us.anthropic.claude-sonnet-4-6",
                                     "amazon.nova-pro-v1:0",
                                     "us.anthropic.claude-haiku-5-5",
                                     "bedrock-mantle/openai.gpt-5.6-terra",
                                     "acme.unheard-of-v1:0",
                                     "acme.never-heard-of",
                                     "acme.not-heard-of-either"};
enum { MODELS = sizeof models / sizeof *models };
static const char *const regions[] = {"us-east-1", "eu-west-1"};

static const char *const projects[] = {"proj_a", "proj_b"};

// An application inference profile: its key names no model, and not every record says what is behind it.
#define PROFILE "a1b2c3d4e5f6"
#define PROFILE_ARN "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/" PROFILE
static const char *const behind[] = {"", "amazon.nova-pro-v1:0", "amazon.nova-lite-v1:0"};

static struct labels label(const char *const *keys, const struct str *values, int n)
{
	struct tag *v = arena_alloc(&world_arena, (size_t)n * sizeof *v);
	for (int i = 0; i < n; i++)
		v[i] = (struct tag){str_of(keys[i]), values[i]};
	return (struct labels){v, n};
}

// What a gateway says of a request: few teams, some users, now and then a key or an id that no other has.
static struct labels some_metadata(void)
{
	static const char *const keys[] = {"app", "request", "team", "user"};
	const struct str values[] = {below(3) ? say("app-%d", (int)below(2)) : STR("\"\xc3\xa4\" \xff"),
	                             say("%llx", (unsigned long long)rng()), say("team-%d", (int)below(3)),
	                             say("user-%d", (int)below(9))};
	int first = (int)below(4);
	if (below(5) == 0) {
		const char *const odd[] = {say("key-%d", (int)below(9)).p};
		return label(odd, values, 1);
	}
	return label(keys + first, values + first, 1 + (int)below(4 - first));
}

static struct labels some_identity(int who)
{
	static const char *const keys[] = {"source", "workload"};
	const struct str values[] = {say("person-%d", who), say("arn:aws:ecs:task/%d", (int)below(4))};
	return label(keys, values, 1 + who % 2);
}

static void fill_call(struct call *c, int64_t start, int who, int model, int region, bool streaming)
{
	c->source = SOURCE_API;
	c->streaming = streaming;
	c->account = STR("111122223333");
	c->region = str_of(regions[region]);
	c->model = c->model_called = str_of(models[model]);
	c->caller.arn = say("arn:aws:sts::111122223333:assumed-role/role-%d/session-%d", who % 3, who);
	c->caller.role_arn = say("arn:aws:iam::111122223333:role/role-%d", who % 3);
	if (who > 8) {
		c->caller.arn = say("arn:aws:iam::111122223333:user/user-%d", who);
		c->caller.role_arn = STR_NONE;
	}
	c->caller.access_key = say("ASIA%04d", who);
	if (who % 4 < 2)
		c->caller.project = str_of(projects[who % 4]);
	c->caller.session_start_ms = start / MS_PER_HOUR * MS_PER_HOUR;
	if (who % 3 == 0)
		c->caller.identity = some_identity(who);
	if (below(8) == 0) // bedrock-mantle records it, and the log of bedrock-runtime
		c->meta = some_metadata();
}

// The log of a call. That of a routed one may name what served.
static void make_log(const struct call *c, int64_t end, const uint32_t tokens[TOKEN_KINDS], struct str served)
{
	struct record *log = more(RECORD_CALL_TOKENS);
	log->call = *c;
	log->call.source = SOURCE_LOG;
	log->call.time_ms = end;
	log->call.time_is_end = true;
	log->call.caller.access_key = STR_NONE;
	log->call.caller.identity = LABELS_NONE;
	log->call.meta = below(3) ? some_metadata() : LABELS_NONE;
	if (c->served == SERVED_UNKNOWN && below(2)) {
		log->call.model = log->call.model_called = served;
		log->call.served = SERVED_CALLED;
	}
	if ((log->call.tier_known = below(2))) // what served need not be what was asked for
		log->call.tier = (enum price_tier)below(PRICE_TIERS);
	for (int s = 0; s < TOKEN_KINDS; s++)
		log->call.known[s] = s < TOKENS_CACHE_WRITE_1H || below(2), log->call.tokens[s] = tokens[s];
}

// What the caller says of it: not always all, not always true, and by a clock of its own.
static void make_telemetry(const struct call *c, int64_t end, const uint32_t tokens[TOKEN_KINDS])
{
	struct telemetry *t = &more(RECORD_TELEMETRY)->telemetry;
	t->call =
		(struct call){.source = SOURCE_TELEMETRY,
	                  .time_ms = end + below(3) * MS_PER_MINUTE,
	                  .time_is_end = true,
	                  .request_id = below(9) ? c->request_id : say("unknown-%llu", (unsigned long long)rng()),
	                  .account = c->account,
	                  .region = c->region};
	for (int kind = 0; kind <= TOKENS_CACHE_WRITE; kind++) {
		t->call.known[kind] = below(4);
		t->call.tokens[kind] =
			t->call.known[kind] ? tokens[kind] + (uint32_t)(below(8) ? 0 : below(90000)) : 0;
	}
	if (below(2)) { // without its id: by user, model and second, and now and then by several of them
		t->call.request_id = STR_NONE;
		t->call.model = t->call.model_called = c->model;
		t->user = str_after_last(c->caller.arn, '/');
		t->start_ms = c->time_ms - 2000 + below(4000);
		t->call.time_ms = end + below(2000) - 1000;
		t->item = below(9) ? say("item-%llu", (unsigned long long)rng()) : STR("item");
	}
	if (below(8) == 0) { // told twice, and not alike
		struct record *again = more(RECORD_TELEMETRY);
		again->telemetry = *t;
		again->telemetry.call.time_ms = end;
		again->telemetry.call.tokens[TOKENS_OUTPUT] += t->call.known[TOKENS_OUTPUT];
	}
}

// One call: its record, sometimes with tokens, sometimes followed by a completion, a data-event copy, a log,
// an amendment that moves it to another caller, minute or model. Some last so long that they end in the next
// bucket.
static void make_call(int64_t base, int hours, int i)
{
	int64_t start = base + below((int64_t)hours * MS_PER_HOUR + 1),
			end = start + below((below(10) ? 3 : 55) * MS_PER_MINUTE);
	int who = (int)below(12), model = (int)below(MODELS), region = (int)below(2);
	bool streaming = below(2), failed = below(20) == 0;
	struct str id = say("request-%d-%llu", i, (unsigned long long)rng_state);
	int64_t longest = below(4) ? 1 : 15; // some prompts reach into the next bands
	uint32_t tokens[TOKEN_KINDS] = {(uint32_t)below(5000 * longest), (uint32_t)below(900),
	                                (uint32_t)below(20000 * longest), (uint32_t)below(3000), 0};
	struct call c = {.request_id = id, .failed = failed, .tier_known = below(4) == 0};
	if (c.tier_known)
		c.tier = (enum price_tier)below(PRICE_TIERS);
	tokens[TOKENS_UNITS] = (uint32_t)below(5);
	c.tokens[TOKENS_OUTPUT_MAX] = tokens[TOKENS_OUTPUT_MAX] = (uint32_t)below(900);
	c.known[TOKENS_OUTPUT_MAX] = below(2);
	tokens[TOKENS_CACHE_WRITE_1H] = (uint32_t)below(1 + tokens[TOKENS_CACHE_WRITE]);
	fill_call(&c, start, who, model, region, streaming);
	c.time_ms = streaming ? start : end;
	c.time_is_end = !streaming;
	struct str served = c.model;
	bool routed = below(8) == 0;
	if (routed) {
		c.model = STR("default-prompt-router/anthropic.claude:1");
		c.model_called =
			STR("arn:aws:bedrock:us-east-1:111122223333:default-prompt-router/anthropic.claude:1");
		c.served = SERVED_UNKNOWN;
	}
	if (!streaming && (!failed || below(2)) && below(3) == 0)
		for (int s = TOKENS_INPUT; s <= TOKENS_OUTPUT; s++)
			c.known[s] = true, c.tokens[s] = tokens[s];
	more(RECORD_CALL)->call = c;
	if (below(6) == 0) {
		struct record *copy = more(RECORD_CALL);
		copy->call = c;
		copy->call.source = SOURCE_DATA_EVENT;
		if (routed && below(2)) {
			copy->call.model = copy->call.model_called = str_of(models[below(MODELS)]);
			copy->call.served = SERVED_RESOURCES;
		}
	}
	if (streaming && !failed && below(2)) {
		struct record *done = more(RECORD_CALL_TOKENS);
		done->call = c;
		done->call.source = SOURCE_COMPLETION;
		done->call.time_ms = end;
		done->call.time_is_end = true;
		done->call.model = STR("anthropic.claude-sonnet-4-6");
		done->call.model_called = STR_NONE;
		done->call.served = SERVED_CALLED;
		for (int s = TOKENS_INPUT; s <= TOKENS_OUTPUT; s++)
			done->call.known[s] = true, done->call.tokens[s] = tokens[s];
	}
	if (!failed && below(5) == 0)
		make_log(&c, end, tokens, served);
	if (below(3) == 0)
		make_telemetry(&c, end, tokens);
	if (below(30) == 0) {
		struct record *amended = more(RECORD_AMENDMENT);
		amended->call = c;
		amended->call.source = SOURCE_AMENDED;
		amended->call.caller.arn = STR("arn:aws:iam::111122223333:user/corrected");
		amended->call.meta = below(2) ? some_metadata() : LABELS_NONE;
		if (below(2)) {
			amended->call.time_is_end = true;
			amended->call.time_ms = start + below(end - start + 1);
			amended->call.model = amended->call.model_called = str_of(models[below(MODELS)]);
			amended->call.served = SERVED_CALLED;
			for (int s = 0; s < TOKEN_KINDS; s++)
				if ((amended->call.known[s] = below(2)))
					amended->call.tokens[s] = (uint32_t)below(7000);
		}
	}
}

static void make_world(int64_t base, int hours)
{
	nworld = 0;
	arena_reset(&world_arena);
	int ncalls = 100 + (int)below(400);
	for (int i = 0; i < ncalls; i++)
		make_call(base, hours, i);
	for (int m = 0; m < hours * 60; m++) {
		for (int model = 0; model < MODELS; model++) {
			if (below(2))
				continue; // no metric in this minute
			for (int token_kind = 0; token_kind <= METRIC_KINDS; token_kind++) {
				if (below(4) == 0 || nworld > RECORDS_MAX - 200)
					continue;
				struct record *r = more(RECORD_METRIC);
				r->metric =
					(struct metric){.account = STR("111122223333"),
				                    .region = str_of(regions[below(2)]),
				                    .model = str_of(models[model]),
				                    .minute = base / MS_PER_MINUTE + m,
				                    .token_kind = token_kind < METRIC_KINDS ? token_kind : TOKENS_UNITS,
				                    .sum = below(token_kind < METRIC_KINDS ? 60000 : 9)};
				set_samples(&r->metric);
				if (below(6) == 0) { // some of it in another tier
					struct record *tier = more(RECORD_METRIC);
					tier->metric = r->metric;
					tier->metric.of_tier = true;
					tier->metric.asked = (enum price_tier)below(PRICE_TIERS + 1);
					tier->metric.served = (enum price_tier)(1 + below(PRICE_TIERS - 1));
					tier->metric.sum = below(r->metric.sum + 1);
					set_samples(&tier->metric);
				}
				if (below(6) == 0 && token_kind < METRIC_KINDS) { // what of it is of a project
					struct record *part = more(RECORD_METRIC);
					part->metric = r->metric;
					part->metric.project = str_of(projects[below(2)]);
					part->metric.sum = below(r->metric.sum + 1);
					set_samples(&part->metric);
				}
				if (below(10) == 0) { // a better value of the same point, the final one perhaps lower
					struct record *again = more(RECORD_METRIC);
					again->metric = r->metric;
					again->metric.final = below(2);
					again->metric.sum =
						again->metric.final ? below(r->metric.sum + 1) : r->metric.sum + below(100);
					set_samples(&again->metric);
				}
				if (r->metric.samples == 2) { // the same sum, of two other calls
					struct record *again = more(RECORD_METRIC);
					again->metric = r->metric;
					again->metric.larger = below(3) ? r->metric.sum - below(r->metric.sum / 2 + 1) : 0;
				}
			}
		}
	}
	for (int who = 0; who < 12; who++) {
		struct record *r = more(RECORD_SESSION_TAGS);
		r->session_tags = (struct session_tags){
			.time_ms = base,
			.access_key = say("ASIA%04d", who),
			.ntags = 2,
			.arn = say("arn:aws:sts::111122223333:assumed-role/role-%d/session-%d", who % 3, who)};
		r->session_tags.tags[0] = (struct tag){STR("team"), say("team-%d", who % 2)};
		r->session_tags.tags[1] = (struct tag){STR("user"), say("<b>\"user\", %d</b>", who)};
	}
}

// ---- running it ---------------------------------------------------------------------------------

static struct redis_server server;
static int sessions_max; // of a role and day, and users and models as well; small: some fold
static bool late; // each bucket closes at once, and is reopened for every record

static char some_roles[] = "role-[0-9]", other_roles[] = "role*";
static char *role_patterns[] = {some_roles, other_roles};
static struct conf_list told_roles = {role_patterns, 2};

// Over how many shards the engines opened from now on spread calls, where nothing has been written.
static char shard_count[8] = "1", *shard_counts[] = {shard_count};
static struct conf_list shards = {shard_counts, 1};

static void set_shards(int n)
{
	snprintf(shard_count, sizeof shard_count, "%d", n);
}

static int shards_of_round(int round)
{
	return (int[]){8, 1, 2}[round % 3];
}

static struct engine *open_engine(const char *prefix)
{
	struct engine *e;
	struct err err = ERR_INIT;
	struct engine_options o = {.redis = {.url = server.url, .prefix = prefix},
	                           .window_ms = 24LL * MS_PER_HOUR,
	                           .reopen_ms = late ? 24LL * MS_PER_HOUR : 0,
	                           .retention_ms = 400LL * 24 * MS_PER_HOUR,
	                           .settle_ms = 0,
	                           .future_ms = 24LL * MS_PER_HOUR,
	                           .lookback_minutes = 5,
	                           .learn_hours = 24,
	                           .sessions_max = sessions_max,
	                           .users_max = sessions_max,
	                           .models_max = sessions_max,
	                           .shards = &shards,
	                           .label_keys_max = sessions_max + 2,
	                           .label_values_max = sessions_max,
	                           .telemetry_roles = &told_roles};
	if (late)
		o.window_ms = 1;
	// Where records of one call contradict each other with equal weight, ids decide, and those are made
	// with the key.
	struct siphash_key name_key = {1, 2};
	struct redis *r;
	bool good = redis_open(&r, o.redis, &err) && name_key_take(r, prefix, &name_key, &err);
	redis_close(r);
	if (!good || !engine_open(&e, &o, &err)) {
		diag("%s", err.msg);
		exit(1);
	}
	engine_set_reopening(e, late);
	return e;
}

static void must(bool good, const struct err *err)
{
	if (!good) {
		printf("Bail out! %s\n", err->msg);
		redis_server_stop(&server);
		exit(1);
	}
}

static int retries;

// A master of a Redis Cluster that changes is waited for, as a worker does. False: `err` says why.
static bool try_again(int n, struct err *err)
{
	if (err->kind != ERR_RETRY || n >= 300)
		return false;
	err_clear(err);
	retries++;
	usleep(100000);
	return true;
}

static void apply(struct engine *e)
{
	struct err err = ERR_INIT;
	for (int n = 0; !engine_apply(e, &err); n++)
		must(try_again(n, &err), &err);
}

static void settle(struct engine *e, bool all)
{
	struct err err = ERR_INIT;
	size_t left;
	for (int n = 0; !engine_settle(e, all, &left, &err); n++)
		must(try_again(n, &err), &err);
}

// Any order of the records, some of them twice. Returns how many there are.
static int scramble(int *order)
{
	int n = 0;
	for (int i = 0; i < nworld; i++) {
		order[n++] = i;
		if (below(8) == 0)
			order[n++] = i;
	}
	for (int i = n - 1; i > 0; i--) {
		int k = (int)below(i + 1), t = order[i];
		order[i] = order[k];
		order[k] = t;
	}
	return n;
}

// Any order, some records twice, batches of any size, over three engines that settle when they like, and that
// now and then die after they applied: their batch is applied again by another.
static void run_scrambled(const char *prefix)
{
	struct engine *e[3];
	struct err err = ERR_INIT;
	int order[2 * RECORDS_MAX], n = scramble(order);
	for (int i = 0; i < 3; i++)
		e[i] = open_engine(prefix);
	for (int i = 0; i < n;) {
		int size = 1 + (int)below(200), who = (int)below(3), again = below(5) == 0 ? (int)below(3) : -1;
		for (int k = i; k < n && k < i + size; k++) {
			must(engine_add(e[who], &world[order[k]], &err), &err);
			if (again >= 0 && again != who)
				must(engine_add(e[again], &world[order[k]], &err), &err);
		}
		apply(e[who]);
		if (again >= 0)
			apply(e[again]);
		if (below(3) == 0)
			settle(e[below(3)], below(2));
		i += size;
	}
	settle(e[0], true);
	for (int i = 0; i < 3; i++)
		engine_close(e[i]);
}

static void run_plain(const char *prefix)
{
	struct engine *e = open_engine(prefix);
	struct err err = ERR_INIT;
	for (int i = 0; i < nworld; i++)
		must(engine_add(e, &world[i], &err), &err);
	apply(e);
	settle(e, true);
	engine_close(e);
}

// Any order, some records twice, each or a few of them applied and settled before the next: nothing that is
// computed in the end hides an hour that was left as it was.
static void run_step_by_step(const char *prefix)
{
	struct engine *e = open_engine(prefix);
	struct err err = ERR_INIT;
	int order[2 * RECORDS_MAX], n = scramble(order);
	for (int i = 0; i < n;) {
		for (int size = below(3) ? 1 : 1 + (int)below(5); i < n && size > 0; size--)
			must(engine_add(e, &world[order[i++]], &err), &err);
		apply(e);
		settle(e, true);
	}
	engine_close(e);
}

// ---- looking at it ------------------------------------------------------------------------------

EMBED_SCRIPTS3(recount_lua, "store/short_evidence.lua", "store/calls.lua", "tests/lua/recount.lua")

// Whether the sums in cells are those of the calls. On a cluster, of what one master has.
static bool sums_are_of_calls(const char *prefix)
{
	struct redis *r;
	struct err err = ERR_INIT;
	must(redis_open(&r, (struct redis_target){.url = server.url}, &err), &err);
	redis_begin_eval(r, redis_script(r, recount_lua()), 0, 1);
	redis_arg(r, str_of(prefix));
	must(redis_exec(r, &err), &err);
	struct str difference = redis_str(r, 0);
	bool same = !difference.len;
	if (!same)
		diag("%.*s", STR_ARG(difference));
	redis_close(r);
	return same;
}

struct sums {
	int64_t given[METRIC_KINDS], metered[METRIC_KINDS], excess[METRIC_KINDS], provisional[METRIC_KINDS],
		unreadable;
};

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_row(struct sums *sums, struct str field, struct str value)
{
	static const char *const names[] = {"metric input", "metric output", "metric cache_read",
	                                    "metric cache_write"};
	struct view_row row;
	for (int token_kind = 0; token_kind < METRIC_KINDS; token_kind++) {
		long long metered, excess;
		if (str_is(field, names[token_kind]) && sscanf(value.p, "%lld %lld", &metered, &excess) == 2) {
			sums->metered[token_kind] += metered;
			sums->excess[token_kind] += excess;
		}
	}
	bool is_row = memchr(field.p, ':', field.len) && !str_ends(field, STR(" " META_WEIGHTS));
	if (!row_read(field, value, &row)) { // it also tests that the shares are not negative and add up
		sums->unreadable += is_row || str_starts(field, STR(UNATTRIBUTED));
		return;
	}
	if (row.kind != ROW_TOKENS)
		return;
	sums->given[kind_of_type(row.type)] += row.figure.exact + row.figure.allocated;
	sums->provisional[kind_of_type(row.type)] += row.figure.provisional;
}

// All figures as sorted text.
static char *dump(const char *prefix, struct sums *ret)
{
	struct redis *r;
	struct err err = ERR_INIT;
	struct buf key = BUF_INIT, out = BUF_INIT;
	char **lines = NULL;
	size_t n = 0;
	memset(ret, 0, sizeof *ret);
	must(redis_open(&r, (struct redis_target){.url = server.url}, &err), &err);
	for (int region = 0; region < 2; region++) {
		buf_clear(&key);
		buf_addf(&key, "%s:{111122223333/%s}:usage", prefix, regions[region]);
		redis_cmdz(r, "ZRANGE", key.data, "0", "-1", NULL);
		must(redis_exec(r, &err), &err);
		size_t members = redis_len(r, 0);
		char **names = xcalloc(members + 1, sizeof *names);
		for (size_t i = 0; i < members; i++)
			names[i] = xstrdup(redis_elem(r, 0, i));
		for (size_t i = 0; i < members; i++) {
			static const char *const hashes[] = {"usage", "usage_meta"};
			for (int hash = 0; hash < 2; hash++) {
				buf_clear(&key);
				buf_addf(&key, "%s:{111122223333/%s}:%s:%s", prefix, regions[region], hashes[hash], names[i]);
				redis_cmdz(r, "HGETALL", key.data, NULL);
			}
			must(redis_exec(r, &err), &err);
			size_t nusage = redis_len(r, 0), nmeta = redis_len(r, 1);
			for (size_t k = 0; k + 1 < nusage + nmeta; k += 2) {
				size_t hash = k >= nusage, at = hash ? k - nusage : k;
				struct str field = redis_elem(r, hash, at), value = redis_elem(r, hash, at + 1);
				struct buf line = BUF_INIT;
				add_row(ret, field, value);
				buf_addf(&line, "%s %s %.*s = %.*s\n", regions[region], names[i], STR_ARG(field),
				         STR_ARG(value));
				lines = xrealloc(lines, n + 1, sizeof *lines);
				lines[n++] = line.data;
			}
			free(names[i]);
		}
		free(names);
	}
	redis_close(r);
	if (n)
		qsort(lines, n, sizeof *lines, by_line);
	for (size_t i = 0; i < n; i++) {
		buf_adds(&out, lines[i]);
		free(lines[i]);
	}
	free(lines);
	buf_release(&key);
	buf_addc(&out, '\n');
	return out.data;
}

// Whether each set of tags that a row names is stored. *ret_others: some values of labels were left out.
static bool tags_are_stored(const char *prefix, const char *rows, bool *ret_others)
{
	struct redis *r;
	struct err err = ERR_INIT;
	struct buf key = BUF_INIT;
	bool stored = true;
	*ret_others = false;
	must(redis_open(&r, (struct redis_target){.url = server.url}, &err), &err);
	buf_addf(&key, "%s:tagsets", prefix);
	for (struct str rest = str_of(rows), line; (line = str_cut(&rest, '\n')).len;) {
		struct str member, principal, tagset;
		str_cut(&line, ' ');
		member = str_cut(&line, ' ');
		principal = str_cut(&line, ' ');
		tagset = str_cut(&line, ' ');
		if (!member.len || !str_starts(principal, STR("arn:")) || str_is(tagset, "-") || str_is(tagset, "="))
			continue;
		redis_cmd(r, 3, (struct str[]){STR("HGET"), buf_str(&key), tagset});
		must(redis_exec(r, &err), &err);
		struct str json = redis_nil(r, 0) ? STR_NONE : redis_str(r, 0);
		stored &= json.len > 0;
		*ret_others |= json.len && memmem(json.p, json.len, "(other values)", 14);
	}
	redis_close(r);
	buf_release(&key);
	return stored;
}

static void show_difference(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	diag("one:   ...%.200s\n# other: ...%.200s", a, b);
}

static void one_round(int round)
{
	char one[32], other[32];
	struct sums sums, sums2;
	snprintf(one, sizeof one, "p%d", round);
	snprintf(other, sizeof other, "s%d", round);
	int64_t base = (when_now_ms() / MS_PER_HOUR - 30 + below(24)) * MS_PER_HOUR;
	make_world(base, 1 + (int)below(4));
	sessions_max = round % 2 ? 1 + (int)below(2) : 1000;
	set_shards(1);
	run_plain(one);
	set_shards(shards_of_round(round));
	run_scrambled(other);
	char *a = dump(one, &sums), *b = dump(other, &sums2);
	if (!ok(strcmp(a, b) == 0 && strlen(a) > 100,
	        "round %d: %d records, any order, repetition and grouping, %s shards give the same figures", round,
	        nworld, shard_count))
		show_difference(a, b);
	bool folds = sessions_max < 1000;
	ok((strstr(a, ":assumed-role/role-0/* ") || strstr(a, ":assumed-role/role-1/* ") ||
	    strstr(a, ":assumed-role/role-2/* ")) == folds &&
	       (strstr(a, ":user/* ") != NULL) == folds,
	   "round %d: sessions and users beyond the number that is told apart are counted together", round);
	ok((strstr(a, ":* ") != NULL) == folds, "round %d: so are models that have no price", round);
	bool others, others2;
	ok(tags_are_stored(one, a, &others) && tags_are_stored(other, b, &others2) && others == folds,
	   "round %d: rows name tags that are stored; of too many labels some are left out", round);
	run_scrambled(other);
	char *c = dump(other, &sums2);
	ok(strcmp(a, c) == 0, "round %d: and all of it once more changes nothing", round);
	ok(sums_are_of_calls(one) && sums_are_of_calls(other), "round %d: the sums of cells follow the calls", round);
	bool conserved = true;
	for (int token_kind = 0; token_kind < METRIC_KINDS; token_kind++) {
		// Exact calls that no metric covers are booked, but in no cell: they stand beside the metered tokens.
		int64_t beyond = sums.given[token_kind] - sums.metered[token_kind] - sums.excess[token_kind];
		conserved &= beyond >= 0;
	}
	ok(conserved, "round %d: no token of a metric is lost", round);
	ok(sums.unreadable == 0, "round %d: no share is negative, and every row adds up", round);
	free(a);
	free(b);
	free(c);
}

// Minutes from an edge: mostly so few that hours look back over it.
static int64_t near_edge(void)
{
	return below(3) ? below(24) - 12 : below(120) - 60;
}

// A few records of a call near the edge, of a model without a price or of a profile; now and then of a caller
// of another account.
static void make_call_near(int64_t edge, int i)
{
	int first = nworld, model = 2 + (int)below(3), who = (int)below(12);
	bool opaque = below(3) == 0, cross_account = below(8) == 0;
	make_call(edge + near_edge() * MS_PER_MINUTE, 0, i);
	for (int k = first; k < nworld; k++) {
		struct call *c = world[k].kind == RECORD_TELEMETRY ? &world[k].telemetry.call : &world[k].call;
		c->region = str_of(regions[0]);
		if (world[k].kind == RECORD_TELEMETRY) {
			c->model = c->model_called = c->model.len ? str_of(models[model]) : STR_NONE;
			continue;
		}
		if (world[k].kind != RECORD_AMENDMENT)
			c->model = c->model_called = str_of(models[model]);
		if (cross_account) {
			c->caller.arn = say("arn:aws:sts::444455556666:assumed-role/role/session-%d", who);
			c->caller.role_arn = STR("arn:aws:iam::444455556666:role/role");
			if (c->caller.access_key.len)
				c->caller.access_key = say("ASIB%04d", who);
		}
		if (opaque) {
			c->model = STR(PROFILE);
			c->model_called = below(2) ? STR(PROFILE_ARN) : STR(PROFILE);
			c->foundation = str_of(behind[below(3)]);
		}
	}
}

static void make_metric_near(int64_t edge)
{
	struct record *r = more(RECORD_METRIC);
	r->metric = (struct metric){.account = STR("111122223333"),
	                            .region = str_of(regions[0]),
	                            .model = below(3) ? str_of(models[2 + below(3)]) : STR(PROFILE),
	                            .minute = edge / MS_PER_MINUTE + near_edge(),
	                            .token_kind = (int)below(METRIC_KINDS),
	                            .sum = below(60000)};
	set_samples(&r->metric);
	if (below(4) == 0) {
		struct record *again = more(RECORD_METRIC);
		again->metric = r->metric;
		again->metric.final = true;
		again->metric.sum = below(60000);
		set_samples(&again->metric);
	}
	if (below(6) == 0) {
		struct record *tier = more(RECORD_METRIC);
		tier->metric = r->metric;
		tier->metric.of_tier = true;
		tier->metric.served = (enum price_tier)(1 + below(PRICE_TIERS - 1));
		tier->metric.sum = below(r->metric.sum + 1);
		set_samples(&tier->metric);
	}
}

static void make_tags_near(int64_t edge, int who, bool cross_account)
{
	struct record *r = more(RECORD_SESSION_TAGS);
	struct session_tags *t = &r->session_tags;
	*t = (struct session_tags){.time_ms = edge - below(2) * MS_PER_HOUR, .ntags = 1};
	t->access_key = say("%s%04d", cross_account ? "ASIB" : "ASIA", who);
	t->arn = cross_account ? say("arn:aws:sts::444455556666:assumed-role/role/session-%d", who)
	                       : say("arn:aws:sts::111122223333:assumed-role/role-%d/session-%d", who % 3, who);
	t->tags[0] = (struct tag){STR("team"), say("team-%d", (int)below(2))};
}

// A few calls around the edge of a bucket and, now and then, of a day.
static void make_small_world(int64_t edge)
{
	nworld = 0;
	arena_reset(&world_arena);
	for (int i = 0, n = 2 + (int)below(7); i < n; i++)
		make_call_near(edge, i);
	for (int i = 0, n = (int)below(9); i < n; i++)
		make_metric_near(edge);
	for (int who = 0; who < 12; who++)
		if (below(2))
			make_tags_near(edge, who, below(6) == 0);
}

static void small_round(int round)
{
	char one[32], other[32];
	struct sums sums;
	snprintf(one, sizeof one, "q%d", round);
	snprintf(other, sizeof other, "t%d", round);
	int64_t bucket = 6 * MS_PER_HOUR;
	make_small_world((when_now_ms() / bucket - below(3)) * bucket);
	sessions_max = round % 2 ? 1 : 1000;
	set_shards(1);
	run_plain(one);
	set_shards(shards_of_round(round));
	run_step_by_step(other);
	char *a = dump(one, &sums), *b = dump(other, &sums);
	if (!ok(strcmp(a, b) == 0,
	        "small round %d: %d records, one by one in any order, with %s shards give the same figures", round,
	        nworld, shard_count))
		show_difference(a, b);
	free(a);
	free(b);
}

// Records of hours that have left the window, whose calls are packed again and again, are joined as in time.
static void late_round(int round)
{
	char one[32], other[32];
	struct sums sums;
	snprintf(one, sizeof one, "u%d", round);
	snprintf(other, sizeof other, "v%d", round);
	make_world((when_now_ms() / MS_PER_HOUR - 40 + below(24)) * MS_PER_HOUR, 1 + (int)below(4));
	sessions_max = round % 2 ? 1 + (int)below(2) : 1000;
	set_shards(1);
	run_plain(one);
	set_shards(shards_of_round(round / 2));
	late = true;
	if (round % 3)
		run_scrambled(other);
	else
		run_step_by_step(other);
	run_scrambled(other);
	late = false;
	char *a = dump(one, &sums), *b = dump(other, &sums);
	if (!ok(strcmp(a, b) == 0, "late round %d: %d records, all of closed hours, with %s shards give the same figures",
	        round, nworld, shard_count))
		show_difference(a, b);
	free(a);
	free(b);
}

static void calls_were_packed(void)
{
	struct redis *r;
	struct err err = ERR_INIT;
	must(redis_open(&r, (struct redis_target){.url = server.url}, &err), &err);
	redis_cmdz(r, "INFO", "commandstats", NULL);
	must(redis_exec(r, &err), &err);
	ok(strstr(redis_str(r, 0).p, "cmdstat_rpush:calls=") && strstr(redis_str(r, 0).p, "cmdstat_lpop:calls="),
	   "calls were packed, and unpacked again");
	redis_close(r);
}

// A text of pairs is there as soon as some calls are kept in the short form; when all are packed it is gone.
static void calls_were_short(void)
{
	struct redis *r;
	struct err err = ERR_INIT;
	must(redis_open(&r, (struct redis_target){.url = server.url}, &err), &err);
	redis_cmdz(r, "INFO", "commandstats", NULL);
	must(redis_exec(r, &err), &err);
	ok(strstr(redis_str(r, 0).p, "cmdstat_append:calls=") != NULL, "calls were kept in the short form");
	redis_close(r);
}

int main(void)
{
	const char *rounds = getenv("NOWCAST_ROUNDS");
	uint64_t seed = seed_rng();
	if (!redis_server_start(&server))
		skip_all("no redis-server here (deploy/install-deps --test)");
	diag("NOWCAST_SEED=%llu", (unsigned long long)seed);
	for (int i = 0; i < (rounds ? atoi(rounds) : 12); i++)
		one_round(i);
	for (int i = 0; i < 10 * (rounds ? atoi(rounds) : 12); i++)
		small_round(i);
	for (int i = 0; i < (rounds ? atoi(rounds) : 6); i++)
		late_round(i);
	if (!getenv("NOWCAST_TEST_REDIS")) {
		calls_were_packed();
		calls_were_short();
	} else {
		diag("tried again %d times", retries);
	}
	redis_server_stop(&server);
	arena_release(&world_arena);
	return done();
}
