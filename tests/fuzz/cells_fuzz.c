// SPDX-License-Identifier: Apache-2.0
// The facts of an hour as Redis holds them: fields and values of cells, and the evidence of a call. What
// is read of any bytes is within its limits; what is written is read again as what it was.
// Longest input: 256 bytes.
#include "store/cell_codec.h"

#include "base/bytes.h"
#include "store/evidence.h"
#include "tests/fuzz/fuzz.h"

static void check_field(const struct cell_field *f)
{
	assert(f->form <= CELL_PROJECT_METRIC && f->minute >= 0 && f->minute < CELL_MINUTES);
	if (f->form == CELL_METRIC)
		assert(f->kind < METRIC_KINDS || f->kind == TOKENS_UNITS);
	if (f->form == CELL_TIER_METRIC)
		assert(f->kind < METRIC_KINDS && f->served < PRICE_TIERS);
	if (f->form == CELL_PROJECT_METRIC)
		assert(f->kind < METRIC_KINDS);
}

static void try_read(struct input *in)
{
	struct cell_field f;
	struct calls calls;
	struct cell_metric m;
	size_t n = take_byte(in) % 24;
	struct str field = take_rest(in),
			   value = {field.p + (n < field.len ? n : field.len), n < field.len ? field.len - n : 0};
	field.len -= value.len;
	cell_field_read(field, &f);
	check_field(&f);
	cell_metric_read(value, &m);
	assert(m.rank >= 0 && m.sum >= 0 && m.samples >= 0 && m.larger >= 0);
	struct telling t;
	if (f.form == CELL_TELLING && cell_telling_read(&f, value, &t)) {
		assert(t.user.len && t.start >= 0 && t.end >= 0 && t.minute == f.minute);
		for (int kind = 0; kind < METRIC_KINDS; kind++)
			assert(t.tokens[kind] >= 0 && (t.known[kind] || t.tokens[kind] == 0));
	}
	if (f.form != CELL_CALLS)
		return;
	cell_calls_read(&f, value, &calls);
	assert(calls.n >= 0 && calls.failed >= 0 && calls.started >= 0 && calls.started_sixths >= 0);
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		assert(calls.exact_n[kind] >= 0 && calls.exact[kind] >= 0);
}

// Names of metrics as apply.lua is given them, behind a minute and the mark.
static void try_names(struct input *in)
{
	char name[CELL_METRIC_NAME_SIZE], field[2 + CELL_METRIC_NAME_SIZE];
	enum token_kind kind = (enum token_kind)(take_byte(in) % METRIC_KINDS);
	int minute = (int)take_byte(in) % CELL_MINUTES, asked = (int)take_byte(in) % (PRICE_TIERS + 1);
	enum price_tier served = (enum price_tier)(take_byte(in) % PRICE_TIERS);
	bool of_tier = take_byte(in) % 2;
	uint64_t project = take_number(in);
	struct cell_field f;
	field[0] = (char)minute, field[1] = CELL_METRIC_MARK;
	strcpy(field + 2, cell_metric_name(kind, of_tier, asked, served, name));
	cell_field_read((struct str){field, 2 + strlen(name)}, &f);
	assert(f.form == (of_tier ? CELL_TIER_METRIC : CELL_METRIC) && f.minute == minute && f.kind == kind);
	assert(!of_tier || f.served == served);
	strcpy(field + 2, cell_project_metric_name(kind, project, name));
	cell_field_read((struct str){field, 2 + strlen(name)}, &f);
	assert(f.form == CELL_PROJECT_METRIC && f.project == project && f.kind == kind && f.minute == minute);
}

static void try_evidence(struct input *in)
{
	struct evidence e;
	unsigned flags = take_byte(in);
	struct call c = {.source = (enum call_source)(SOURCE_COMPLETION + flags % SOURCE_AMENDED),
	                 .failed = flags & 0x40,
	                 .time_is_end = flags & 0x80,
	                 .tier_known = flags & 0x20,
	                 .tier = (enum price_tier)(take_byte(in) % PRICE_TIERS),
	                 .served = (enum served)(take_byte(in) % (SERVED_UNKNOWN + 1)),
	                 .time_ms = (int64_t)(take_number(in) % 4102444800000u),
	                 .region = STR("us-east-1"),
	                 .account = STR("111122223333")};
	unsigned known = take_byte(in);
	uint64_t model = take_number(in), caller = take_number(in),
			 meta = take_byte(in) % 2 ? take_number(in) : 0;
	for (int kind = 0; kind < TOKEN_KINDS; kind++) {
		c.known[kind] = known >> kind & 1;
		c.tokens[kind] = (uint32_t)take_number(in);
	}
	c.request_id = take_rest(in);
	bool with_second = flags & 0x10;
	evidence_pack(&e, &c, model, caller, meta, with_second);
	size_t tokens = e.len - EVIDENCE_HEAD;
	assert(e.len >= EVIDENCE_HEAD && e.len <= EVIDENCE_MAX);
	if (tokens % EVIDENCE_TOKENS == EVIDENCE_META % EVIDENCE_TOKENS)
		tokens -= EVIDENCE_META;
	assert(tokens % EVIDENCE_TOKENS == 0 && bytes_get64(e.bytes + EVIDENCE_AT_CALLER) == caller);
	assert(bytes_get64(e.bytes + EVIDENCE_AT_MODEL) == model && (e.bytes[EVIDENCE_AT_FLAGS] & 1) == c.failed);
	for (size_t i = 0, last = 0; i < tokens; i += EVIDENCE_TOKENS) {
		size_t kind = e.bytes[EVIDENCE_HEAD + i] >> EVIDENCE_KIND_SHIFT;
		assert(i == 0 || kind > last);
		assert(kind < TOKEN_KINDS ? c.known[kind] || c.source == SOURCE_LOG
		                          : kind == EVIDENCE_SECOND && with_second);
		last = kind;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	switch (take_byte(&in) % 3) {
	case 0:
		try_read(&in);
		break;
	case 1:
		try_names(&in);
		break;
	case 2:
		try_evidence(&in);
		break;
	}
	return 0;
}
