// SPDX-License-Identifier: Apache-2.0
// The table of callers is the scenario; the rest is random numbers. Sizes are log-normal with a long tail, as
// those of prompts are; a caller with a burst makes several times its calls for some minutes. All messages
// are made before the first one is sent (some ten megabytes), so that playing them is only reading a sorted
// list.
#include "demo/traffic.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/when.h"
#include "demo/traffic_record_priv.h"

const char *const traffic_topics[TRAFFIC_TOPICS] = {"cloudtrail", "cloudwatch"};

#define SONNET "us.anthropic.claude-sonnet-4-6"
#define HAIKU "global.anthropic.claude-haiku-4-5-20251001-v1:0"
#define NOVA "amazon.nova-pro-v1:0"
#define UNKNOWN "acme.orbit-large-preview-v1:0" // no price list has it, which the demo is to show

#define A "111122223333"
#define B "444455556666"
#define DEVELOPER "AWSReservedSSO_Developer_0f1e2d3c4b5a6978"

struct habit {
	struct traffic_caller who;
	int calls;             // an hour, without bursts
	int input, output;     // median tokens
	int cached;            // tokens of the prompt read from the cache, or written if it expired; 0: no cache
	int cache_miss;        // percent of its calls that write them
	bool hour_ttl;         // the cache lives for an hour, and a write costs more
	int streaming;         // percent of its calls
	int tokens_known;      // percent of its calls whose tokens CloudTrail says
	int burst_at, burst_minutes, burst_factor;
};

static const struct habit habits[] = {
	{{CALLER_USER, A, "us-east-1", "alice", NULL, {{"team", "platform"}}, SONNET},
     420,
     900,
     380,
     18000,
     12,
     false,
     80,
     70,
     22,
     8,
     4},
	{{CALLER_SSO, A, "us-east-1", DEVELOPER, "bob@example.com", {{"team", "search"}}, SONNET},
     260,
     1500,
     450,
     15000,
     14,
     false,
     90,
     70,
     0,
     0,
     0},
	{{CALLER_SSO, A, "us-east-1", DEVELOPER, "carol@example.com", {{"team", "payments"}}, SONNET},
     180,
     1100,
     600,
     24000,
     8,
     true,
     90,
     70,
     0,
     0,
     0},
	{{CALLER_GATEWAY,
      A,
      "us-east-1",
      "llm-gateway",
      "dave",
      {{"team", "payments"}, {"user", "dave"}},
      SONNET},
     300,
     1300,
     300,
     11000,
     10,
     false,
     50,
     70,
     0,
     0,
     0},
	{{CALLER_GATEWAY, A, "us-east-1", "llm-gateway", "erin", {{"team", "search"}, {"user", "erin"}}, SONNET},
     240,
     2600,
     420,
     13000,
     12,
     false,
     50,
     70,
     35,
     6,
     5},
	{{CALLER_GATEWAY, A, "us-east-1", "llm-gateway", "frank", {{"team", "labs"}, {"user", "frank"}}, SONNET},
     120,
     5200,
     700,
     12000,
     15,
     false,
     50,
     70,
     0,
     0,
     0},
	{{CALLER_ROLE,
      A,
      "us-east-1",
      "app-backend-prod",
      "i-0a1b2c3d4e5f60718",
      {{"team", "payments"}, {"env", "prod"}},
      HAIKU},
     900,
     1800,
     160,
     4000,
     10,
     false,
     20,
     60,
     0,
     0,
     0},
	{{CALLER_ROLE,
      A,
      "us-east-1",
      "app-backend-prod",
      "i-0f9e8d7c6b5a43210",
      {{"team", "payments"}, {"env", "prod"}},
      HAIKU},
     850,
     1700,
     170,
     4000,
     10,
     false,
     20,
     60,
     0,
     0,
     0},
	{{CALLER_ROLE,
      A,
      "us-west-2",
      "batch-summarizer",
      "summarize-hourly",
      {{"team", "search"}, {"env", "prod"}},
      NOVA},
     240,
     5200,
     420,
     0,
     0,
     false,
     0,
     50,
     5,
     10,
     6},
	{{CALLER_API_KEY, A, "us-west-2", "BedrockAPIKey-a1b2", NULL, {{"team", "labs"}}, NOVA},
     300,
     700,
     240,
     0,
     0,
     false,
     40,
     50,
     0,
     0,
     0},
	{{CALLER_ROLE, A, "us-west-2", "data-science", "sagemaker", {{"team", "labs"}}, UNKNOWN},
     150,
     2200,
     500,
     0,
     0,
     false,
     30,
     50,
     0,
     0,
     0},
	{{CALLER_ROLE, B, "us-east-1", "analytics", "athena-llm", {{"team", "analytics"}}, SONNET},
     220,
     2400,
     260,
     0,
     0,
     false,
     10,
     25,
     0,
     0,
     0},
	{{CALLER_ROLE, B, "us-east-1", "analytics", "etl-enrich", {{"team", "analytics"}}, SONNET},
     380,
     1600,
     210,
     0,
     0,
     false,
     0,
     25,
     48,
     5,
     4},
};

enum { HABITS = sizeof habits / sizeof habits[0] };
_Static_assert((int)HABITS <= (int)TRAFFIC_CALLERS_MAX, "raise TRAFFIC_CALLERS_MAX");

enum { METRICS = 4, MINUTES = TRAFFIC_MINUTES + 2 }; // an hour touches 61 clock minutes

static const char *const metric_names[METRICS] = {"InputTokenCount", "OutputTokenCount",
                                                  "CacheReadInputTokenCount", "CacheWriteInputTokenCount"};

struct traffic_maker {
	struct traffic *t;
	uint64_t state;                                    // of next_random
	struct buf text;
	// at the first caller with this account, region and model
	struct traffic_metric sums[HABITS][MINUTES][METRICS];
};

// ---- random numbers

static uint64_t next_random(struct traffic_maker *m) // splitmix64
{
	uint64_t z = m->state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static double random_fraction(struct traffic_maker *m) // in (0, 1)
{
	return ((double)(next_random(m) >> 11) + 0.5) / 9007199254740992.0;
}

static bool random_chance(struct traffic_maker *m, int percent)
{
	return random_fraction(m) * 100 < percent;
}

static int64_t random_between(struct traffic_maker *m, int64_t low, int64_t high)
{
	return low + (int64_t)(random_fraction(m) * (double)(high - low));
}

static int64_t random_log_normal(struct traffic_maker *m, double median, double sigma, int64_t most)
{
	double normal = sqrt(-2 * log(random_fraction(m))) * cos(6.283185307179586 * random_fraction(m));
	double v = median * exp(sigma * normal);
	return v < 1 ? 1 : v > (double)most ? most : (int64_t)v;
}

enum { ID_SIZE = 40 };

static const char *make_id(struct traffic_maker *m, char *ret)
{
	uint64_t a = next_random(m), b = next_random(m);
	snprintf(ret, ID_SIZE, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
	         (unsigned)(a & 0xfff), (unsigned)(b >> 52), (unsigned long long)(b & 0xffffffffffff));
	return ret;
}

// ---- messages

static void add_message(struct traffic_maker *m, int64_t arrives_ms, enum traffic_topic topic,
                        struct str text)
{
	struct traffic *t = m->t;
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 4096;
		t->messages = xrealloc(t->messages, t->cap, sizeof *t->messages);
	}
	t->messages[t->n++] = (struct traffic_message){arrives_ms, topic, text};
}

// Makes a message of m->text; three in a hundred are sent twice, as every pipeline sometimes does.
static void send_text(struct traffic_maker *m, int64_t arrives_ms, enum traffic_topic topic)
{
	struct str text = arena_str(&m->t->arena, buf_str(&m->text));
	add_message(m, arrives_ms, topic, text);
	if (random_chance(m, 3))
		add_message(m, arrives_ms + random_between(m, 1000, 90000), topic, text);
	buf_clear(&m->text);
}

// What a CloudTrail record is inside of: nothing, a file of a trail, or an event of EventBridge.
static void open_wrapper(struct traffic_maker *m, struct json_writer *j, const struct traffic_caller *c,
                         const char *service, bool service_event)
{
	enum { BARE, TRAIL_FILE, EVENT, WRAPPERS };
	char id[ID_SIZE];
	uint64_t wrapper = next_random(m) % WRAPPERS;
	*j = JSON_WRITER(&m->text);
	if (wrapper == TRAIL_FILE) {
		jw_object(j, NULL);
		jw_array(j, "Records");
	} else if (wrapper == EVENT) {
		open_eventbridge_event(j, c, service, service_event, make_id(m, id));
	}
}

static void close_wrapper(struct json_writer *j)
{
	while (j->depth)
		jw_end(j);
}

static int64_t trail_delay(struct traffic_maker *m)
{
	return random_log_normal(m, 150000, 0.45, 420000);
}

// ---- calls

// A metric belongs to an account, region and model, whatever the caller: the first caller of these three
// holds its sums.
static int place_of(int habit)
{
	const struct traffic_caller *c = &habits[habit].who;
	for (int i = 0; i < habit; i++) {
		const struct traffic_caller *o = &habits[i].who;
		if (!strcmp(o->account, c->account) && !strcmp(o->region, c->region) && !strcmp(o->model, c->model))
			return i;
	}
	return habit;
}

static void count_metric(struct traffic_maker *m, int habit, int64_t at_ms, const int64_t tokens[TOKEN_TYPES])
{
	const int64_t values[METRICS] = {tokens[TOKEN_INPUT], tokens[TOKEN_OUTPUT], tokens[TOKEN_CACHE_READ],
	                                 tokens[TOKEN_CACHE_WRITE_5M] + tokens[TOKEN_CACHE_WRITE_1H]};
	int64_t minute = at_ms / MS_PER_MINUTE, place = place_of(habit),
			i = minute - m->t->from_ms / MS_PER_MINUTE;
	assert(i >= 0 && i < MINUTES);
	for (int k = 0; k < METRICS; k++) {
		struct traffic_metric *s = &m->sums[place][i][k];
		if (k >= 2 && !values[k])
			continue; // CloudWatch has no cache metric of a call without cache
		s->min = !s->count || values[k] < s->min ? values[k] : s->min;
		s->max = values[k] > s->max ? values[k] : s->max;
		s->name = metric_names[k];
		s->sum += values[k];
		s->count++;
		s->minute = minute;
	}
}

static void roll_tokens(struct traffic_maker *m, const struct habit *h, int64_t ret[TOKEN_TYPES])
{
	ret[TOKEN_INPUT] = random_log_normal(m, h->input, 0.7, 180000);
	ret[TOKEN_OUTPUT] = random_log_normal(m, h->output, 0.6, 8000);
	if (!h->cached)
		return;
	int64_t prefix = random_log_normal(m, h->cached, 0.3, 180000);
	if (!random_chance(m, h->cache_miss))
		ret[TOKEN_CACHE_READ] = prefix;
	else
		ret[h->hour_ttl ? TOKEN_CACHE_WRITE_1H : TOKEN_CACHE_WRITE_5M] = prefix;
}

static void send_call(struct traffic_maker *m, const struct habit *h, const struct traffic_call *call)
{
	struct json_writer j;
	open_wrapper(m, &j, &h->who, "bedrock", false);
	write_call_record(&j, &h->who, call, m->t->from_ms - MS_PER_MINUTE);
	close_wrapper(&j);
	int64_t arrives_ms = call->end_ms + trail_delay(m);
	send_text(m, arrives_ms, TRAFFIC_CLOUDTRAIL);
	if (!call->streaming || !call->tokens_known || call->error)
		return;
	char id[ID_SIZE];
	struct traffic_call done = *call;
	done.event_id = make_id(m, id);
	open_wrapper(m, &j, &h->who, "bedrock", true);
	write_completion_record(&j, &h->who, &done, m->t->from_ms - MS_PER_MINUTE);
	close_wrapper(&j);
	// mostly after its call; AWS does not promise the order
	send_text(m, arrives_ms + random_between(m, -3000, 60000), TRAFFIC_CLOUDTRAIL);
}

static void make_call(struct traffic_maker *m, int habit, int64_t start_ms)
{
	static const char *const errors[] = {"ThrottlingException", "ValidationException", "AccessDenied"};
	const struct habit *h = &habits[habit];
	struct traffic_truth *truth = &m->t->truth[habit];
	char request_id[ID_SIZE], event_id[ID_SIZE];
	int64_t tokens[TOKEN_TYPES] = {0};
	struct traffic_call call = {.start_ms = start_ms,
	                            .streaming = random_chance(m, h->streaming),
	                            .tokens_known = random_chance(m, h->tokens_known)};
	call.request_id = make_id(m, request_id);
	call.event_id = make_id(m, event_id);
	if (random_chance(m, 2))
		call.error = errors[next_random(m) % 3];
	else
		roll_tokens(m, h, tokens);
	call.input = tokens[TOKEN_INPUT];
	call.output = tokens[TOKEN_OUTPUT];
	call.end_ms = start_ms + 300 + call.output * 12;
	if (call.end_ms >= m->t->to_ms)
		return; // still running when the hour ends: not this hour's
	send_call(m, h, &call);
	if (call.error) {
		truth->failed++;
		return;
	}
	truth->calls++;
	for (int k = 0; k < TOKEN_TYPES; k++)
		truth->tokens[k] += tokens[k];
	count_metric(m, habit, call.end_ms, tokens);
}

static void make_caller(struct traffic_maker *m, int habit)
{
	const struct habit *h = &habits[habit];
	struct traffic *t = m->t;
	char id[ID_SIZE];
	caller_add_arn(&m->text, &h->who);
	t->truth[habit] = (struct traffic_truth){.principal = arena_str(&t->arena, buf_str(&m->text)),
	                                         .region = str_of(h->who.region),
	                                         .account = h->who.account,
	                                         .model = str_of(h->who.model)};
	buf_clear(&m->text);

	struct json_writer j;
	open_wrapper(m, &j, &h->who, caller_has_session_tags(&h->who) ? "sts" : "iam", false);
	write_tagging_record(&j, &h->who, t->from_ms - MS_PER_MINUTE, make_id(m, id));
	close_wrapper(&j);
	send_text(m, t->from_ms + random_between(m, 0, 2 * MS_PER_MINUTE), TRAFFIC_CLOUDTRAIL);

	for (int minute = 0; minute < TRAFFIC_MINUTES; minute++) {
		bool burst = minute >= h->burst_at && minute < h->burst_at + h->burst_minutes;
		// calls of the minute: from half to one and a half times their mean
		double mean = h->calls / 60.0 * (burst ? h->burst_factor : 1);
		int n = (int)(mean * (0.5 + random_fraction(m)) + random_fraction(m));
		for (int i = 0; i < n; i++)
			make_call(m, habit, t->from_ms + minute * MS_PER_MINUTE + random_between(m, 0, MS_PER_MINUTE));
	}
}

static void send_metrics(struct traffic_maker *m)
{
	for (int habit = 0; habit < HABITS; habit++)
		for (int minute = 0; minute < MINUTES; minute++) {
			for (int k = 0; k < METRICS; k++)
				if (m->sums[habit][minute][k].count)
					add_metric_line(&m->text, &habits[habit].who, &m->sums[habit][minute][k]);
			int64_t end_ms = (m->t->from_ms / MS_PER_MINUTE + minute + 1) * MS_PER_MINUTE;
			if (m->text.len)
				send_text(m, end_ms + random_between(m, 60000, 180000), TRAFFIC_CLOUDWATCH);
		}
}

static int by_arrival(const void *a, const void *b)
{
	const struct traffic_message *x = a, *y = b;
	return x->arrives_ms < y->arrives_ms ? -1 : x->arrives_ms > y->arrives_ms;
}

void traffic_make(struct traffic *ret, int64_t from_ms, uint64_t seed)
{
	struct traffic_maker *m = xcalloc(1, sizeof *m);
	*ret = (struct traffic){.from_ms = from_ms, .to_ms = from_ms + MS_PER_HOUR, .ntruth = HABITS};
	m->t = ret;
	m->state = seed;
	for (int i = 0; i < HABITS; i++)
		make_caller(m, i);
	send_metrics(m);
	qsort(ret->messages, ret->n, sizeof *ret->messages, by_arrival);
	assert(ret->n > 0);
	ret->last_ms = ret->messages[ret->n - 1].arrives_ms;
	buf_release(&m->text);
	free(m);
}

void traffic_release(struct traffic *t)
{
	arena_release(&t->arena);
	free(t->messages);
	*t = (struct traffic){0};
}
