// SPDX-License-Identifier: Apache-2.0
// See describe.h. The tests compare this text: a change of order or spelling changes all files in
// tests/decode.
#include "ingest/describe.h"

#include <inttypes.h>

#include "base/when.h"

static const char *const record_kind_names[RECORD_KINDS] = {"call",   "call_tokens",  "amendment",
                                                            "metric", "session_tags", "principal_tags",
                                                            "telemetry"};

static const char *const kind_names[TOKEN_KINDS] = {
	"input", "output", "cache_read", "cache_write", "cache_write_1h", "units", "output_max"};

static void add_escaped(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] > ' ' && s.p[i] <= '~' && s.p[i] != '\\')
			buf_addc(out, s.p[i]);
		else
			buf_addf(out, "\\x%02x", (unsigned char)s.p[i]);
	}
}

static void add_text(struct buf *out, const char *name, struct str s)
{
	if (!s.len)
		return;
	buf_addf(out, " %s=", name);
	add_escaped(out, s);
}

static void add_time(struct buf *out, const char *name, int64_t ms)
{
	char z[WHEN_SIZE];
	if (ms % 1000)
		buf_addf(out, " %s=%.19s.%03dZ", name, when_format(ms, z), (int)(ms % 1000));
	else
		buf_addf(out, " %s=%s", name, when_format(ms, z));
}

static void add_pairs(struct buf *out, const char *what, const struct tag *pairs, int n)
{
	for (int i = 0; i < n; i++) {
		buf_addf(out, " %s:", what);
		add_escaped(out, pairs[i].key);
		buf_addc(out, '=');
		add_escaped(out, pairs[i].value);
	}
}

static void add_tokens(struct buf *out, const struct call *c)
{
	for (int i = 0; i < TOKEN_KINDS; i++)
		if (c->known[i])
			buf_addf(out, " %s=%" PRIu32, kind_names[i], c->tokens[i]);
}

static void add_telemetry(struct buf *out, const struct telemetry *t)
{
	add_text(out, "id", t->call.request_id);
	add_text(out, "item", t->item);
	if (t->start_ms)
		add_time(out, "start", t->start_ms);
	add_time(out, "end", t->call.time_ms);
	add_text(out, "account", t->call.account);
	add_text(out, "region", t->call.region);
	add_text(out, "model", t->call.model);
	if (!str_eq(t->call.model, t->call.model_called))
		add_text(out, "called", t->call.model_called);
	add_text(out, "user", t->user);
	add_text(out, "principal", t->principal);
	add_tokens(out, &t->call);
}

static void add_call(struct buf *out, const struct call *c)
{
	static const char *const sources[] = {"telemetry",  "completion", "log",    "shared",
	                                      "data_event", "api",        "amended"};
	buf_addf(out, " source=%s", sources[c->source <= SOURCE_AMENDED ? c->source : 0]);
	add_text(out, "id", c->request_id);
	add_time(out, c->time_is_end ? "end" : "start", c->time_ms);
	add_text(out, "account", c->account);
	add_text(out, "region", c->region);
	add_text(out, "model", c->model);
	if (!str_eq(c->model, c->model_called))
		add_text(out, "called", c->model_called);
	if (c->served != SERVED_CALLED)
		buf_adds(out, c->served == SERVED_RESOURCES ? " served=resources" : " served=unknown");
	add_text(out, "foundation", c->foundation);
	add_text(out, "arn", c->caller.arn);
	add_text(out, "role", c->caller.role_arn);
	add_text(out, "key", c->caller.access_key);
	if (c->caller.session_start_ms)
		add_time(out, "session", c->caller.session_start_ms);
	add_text(out, "project", c->caller.project);
	add_pairs(out, "identity", c->caller.identity.v, c->caller.identity.n);
	add_pairs(out, "meta", c->meta.v, c->meta.n);
	add_tokens(out, c);
	if (c->tier_known)
		buf_addf(out, " tier=%s", price_tier_names[c->tier]);
	buf_adds(out, c->streaming ? " streaming" : "");
	buf_adds(out, c->mantle ? " mantle" : "");
	buf_adds(out, c->failed ? " failed" : "");
}

static void add_principal_tags(struct buf *out, const struct principal_tags *p)
{
	static const char *const changes[] = {"set", "unset", "created", "deleted"};
	buf_addf(out, " change=%s", changes[p->change]);
	add_time(out, "time", p->time_ms);
	add_text(out, "event", p->event_id);
	add_text(out, "account", p->account);
	add_text(out, p->is_role ? "role" : "user", p->name);
	add_pairs(out, "tag", p->tags, p->ntags);
}

void record_describe(const struct record *r, struct buf *out)
{
	buf_adds(out, record_kind_names[r->kind]);
	switch (r->kind) {
	case RECORD_CALL:
	case RECORD_CALL_TOKENS:
	case RECORD_AMENDMENT:
		add_call(out, &r->call);
		break;
	case RECORD_METRIC:
		add_time(out, "minute", r->metric.minute * MS_PER_MINUTE);
		add_text(out, "account", r->metric.account);
		add_text(out, "region", r->metric.region);
		add_text(out, "model", r->metric.model);
		if (r->metric.of_tier)
			buf_addf(out, " asked=%s tier=%s",
			         r->metric.asked < PRICE_TIERS ? price_tier_names[r->metric.asked] : "?",
			         price_tier_names[r->metric.served]);
		add_text(out, "project", r->metric.project);
		buf_addf(out, " %s=%" PRId64 "%s", kind_names[r->metric.token_kind], r->metric.sum,
		         r->metric.final ? " final" : "");
		if (r->metric.samples)
			buf_addf(out, " samples=%" PRId64, r->metric.samples);
		if (r->metric.larger)
			buf_addf(out, " larger=%" PRId64, r->metric.larger);
		break;
	case RECORD_SESSION_TAGS:
		add_time(out, "time", r->session_tags.time_ms);
		add_text(out, "key", r->session_tags.access_key);
		add_text(out, "arn", r->session_tags.arn);
		add_text(out, "role", r->session_tags.role_arn);
		add_pairs(out, "tag", r->session_tags.tags, r->session_tags.ntags);
		break;
	case RECORD_PRINCIPAL_TAGS:
		add_principal_tags(out, &r->principal_tags);
		break;
	case RECORD_TELEMETRY:
		add_telemetry(out, &r->telemetry);
		break;
	case RECORD_KINDS:
		break;
	}
}
