// SPDX-License-Identifier: Apache-2.0
// A program of the build: prints the constants of the C headers that the Lua scripts need, as the first
// part of their prelude (store/script.h).
#include <stdio.h>

#include "base/when.h"
#include "estimator/rate_class.h"
#include "pricing/model_id.h"
#include "store/batch.h"
#include "store/billed_means_refresh.h"
#include "store/cardinality.h"
#include "store/cell_codec.h"
#include "store/evidence.h"
#include "store/keys.h"
#include "store/keys_priv.h"
#include "store/name_id.h"
#include "store/usage_rows.h"

#define NUMBER(name) printf("local %s = %lld\n", #name, (long long)(name))
#define TEXT(name) printf("local %s = '%s'\n", #name, name)

static void print_evidence(void)
{
	NUMBER(EVIDENCE_ID);
	NUMBER(EVIDENCE_AT_CALLER);
	NUMBER(EVIDENCE_AT_TIME);
	NUMBER(EVIDENCE_SIXTHS);
	NUMBER(EVIDENCE_SIXTHS_FROM);
	NUMBER(EVIDENCE_AT_FLAGS);
	NUMBER(EVIDENCE_HEAD);
	NUMBER(EVIDENCE_TOKENS);
	NUMBER(EVIDENCE_META);
	NUMBER(EVIDENCE_NUMBER);
	NUMBER(EVIDENCE_PAIRS_MAX);
	NUMBER(EVIDENCE_SHORT_HEAD);
	NUMBER(EVIDENCE_SHORT_FROM);
	NUMBER(EVIDENCE_FAILED);
	NUMBER(EVIDENCE_NAMED_SHIFT);
	NUMBER(EVIDENCE_NAMED);
	NUMBER(EVIDENCE_SOURCE_SHIFT);
	NUMBER(EVIDENCE_TIMING_START);
	NUMBER(EVIDENCE_TIMING_TELEMETRY);
	NUMBER(EVIDENCE_TRAIL);
	NUMBER(EVIDENCE_LOG);
	NUMBER(EVIDENCE_AMENDED);
	NUMBER(EVIDENCE_TELEMETRY);
	NUMBER(CELL_TELEMETRY);
	NUMBER(EVIDENCE_TIER_SHIFT);
	NUMBER(EVIDENCE_TIER_RANK_SHIFT);
	NUMBER(EVIDENCE_KIND_SHIFT);
	NUMBER(EVIDENCE_SECOND);
	NUMBER(TOKENS_INPUT);
	NUMBER(TOKENS_OUTPUT);
	NUMBER(TOKENS_OUTPUT_MAX);
	NUMBER(TOKENS_CACHE_READ);
	NUMBER(TOKENS_CACHE_WRITE);
	NUMBER(TOKEN_KINDS);
}

static void print_rate_classes(void)
{
	NUMBER(RATE_CLASS_BAND_SHIFT);
	NUMBER(RATE_CLASS_AT_LEAST);
	static const int64_t limits[] = {RATE_CLASS_LIMITS};
	printf("local RATE_CLASS_LIMITS = {");
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		printf("%s%lld", i ? ", " : "", (long long)limits[i]);
	printf("}\n");
}

int main(void)
{
	printf("-- Made from the C headers by store/prelude_constants.c.\n");
	// In a table: a script has 200 locals at most, and these are used a few times a run.
#define KEY(name, text) printf(" %s = '%s',", #name, text);
	printf("local KEY = {");
	ACCT_REGION_KEYS(KEY)
	printf("}\n");
	NUMBER(MS_PER_HOUR);
	NUMBER(MEMBER_MODEL);
	NUMBER(MODELID_DIGITS);
	NUMBER(BUCKET_HOURS);
	NUMBER(BUCKETS_A_DAY);
	NUMBER(CALL_HOURS_MAX);
	TEXT(BILLED_MEANS_ALL);
	TEXT(CARDINALITY_MODELS);
	TEXT(CARDINALITY_SESSIONS);
	TEXT(CARDINALITY_LABEL_KEYS);
	NUMBER(CARDINALITY_FREE);
	TEXT(META_DIGEST);
	TEXT(META_MODEL);
	TEXT(META_FOUNDATION);
	TEXT(META_PART);
	TEXT(MODEL_OTHERS_SHOWN);
	TEXT(MODEL_OTHERS_STORED);
	TEXT(NAME_AMBIGUOUS);
	print_evidence();
	print_rate_classes();
	return 0;
}
