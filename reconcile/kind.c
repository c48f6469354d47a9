// SPDX-License-Identifier: Apache-2.0
#include "reconcile/kind.h"

#include <stdio.h>

#include "base/buf.h"
#include "pricing/model_id.h"

const char *const bill_class_names[BILL_CLASSES] = {"tokens", "usage",  "provisioned", "reserved", "tax",
                                                    "credit", "refund", "discount",    "fee",      "other"};

static const struct {
	struct str line_type;
	enum bill_class class;
} line_types[] = {
	{STR("Usage"), BILL_TOKENS},
	{STR("DiscountedUsage"), BILL_TOKENS},
	{STR("SavingsPlanCoveredUsage"), BILL_TOKENS},
	{STR(""), BILL_TOKENS}, // an export without the column: the usage type decides
	{STR("Tax"), BILL_TAX},
	{STR("Credit"), BILL_CREDIT},
	{STR("Refund"), BILL_REFUND},
	{STR("Discount"), BILL_DISCOUNT},
	{STR("BundledDiscount"), BILL_DISCOUNT},
	{STR("EdpDiscount"), BILL_DISCOUNT},
	{STR("PrivateRateDiscount"), BILL_DISCOUNT},
	{STR("SppDiscount"), BILL_DISCOUNT},
	{STR("RiVolumeDiscount"), BILL_DISCOUNT},
	{STR("FlateRateSubscription"), BILL_FEE}, // so AWS spells it
	{STR("SavingsPlanNegation"), BILL_DISCOUNT},
	{STR("SavingsPlanUpfrontFee"), BILL_FEE},
	{STR("SavingsPlanRecurringFee"), BILL_FEE},
	{STR("Fee"), BILL_FEE},
	{STR("RIFee"), BILL_FEE},
};

static enum bill_class class_of_line(struct str type)
{
	for (size_t i = 0; i < sizeof line_types / sizeof *line_types; i++)
		if (str_eq(type, line_types[i].line_type))
			return line_types[i].class;
	return BILL_OTHER;
}

static enum bill_class class_of_usage(enum usage_kind kind)
{
	return kind == USAGE_TOKENS        ? BILL_TOKENS
	       : kind == USAGE_RESERVED    ? BILL_RESERVED
	       : kind == USAGE_PROVISIONED ? BILL_PROVISIONED
	                                   : BILL_USAGE;
}

// ---- the model ----------------------------------------------------------------------------------

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// Lower case, what is no letter or digit becomes '-'.
static struct str as_id(struct arena *arena, struct str s)
{
	struct str id = arena_str(arena, s);
	char *p = (char *)(uintptr_t)id.p;
	for (size_t i = 0; i < id.len; i++)
		p[i] = p[i] >= 'A' && p[i] <= 'Z'                       ? (char)(p[i] + 32)
		       : (p[i] >= 'a' && p[i] <= 'z') || is_digit(p[i]) ? p[i]
		                                                        : '-';
	return id;
}

// "Claude Sonnet 4.6 (Amazon Bedrock Edition)" -> "anthropic.claude-sonnet-4-6"; none for products named by
// other rules.
static struct str model_of_product(struct arena *arena, struct str product)
{
	struct str name = str_cut(&product, '(');
	while (name.len && name.p[name.len - 1] == ' ')
		name.len--;
	if (!str_starts(name, STR("Claude ")))
		return STR_NONE;
	return arena_text(arena, "anthropic.%.*s", STR_ARG(as_id(arena, name)));
}

static struct str region_of_arn(struct str arn)
{
	if (!str_starts(arn, STR("arn:")))
		return STR_NONE;
	for (int i = 0; i < 3; i++)
		str_cut(&arn, ':');
	return str_cut(&arn, ':');
}

// A resource that says which model was called; a project of bedrock-mantle, say, does not.
static bool names_model(struct str arn)
{
	static const char *const types[] = {
		"foundation-model", "inference-profile",       "application-inference-profile",
		"custom-model",     "custom-model-deployment", "imported-model"};
	for (int i = 0; i < 5; i++)
		str_cut(&arn, ':');
	struct str type = str_cut(&arn, '/');
	for (size_t i = 0; arn.len && i < sizeof types / sizeof *types; i++)
		if (str_is(type, types[i]))
			return true;
	return false;
}

static void read_model(struct bill_kind *k, struct arena *arena)
{
	const struct usage_type *u = &k->usage;
	struct str global = u->scope == SCOPE_GLOBAL ? STR("global.") : STR("");
	k->model = u->model.len           ? u->model
	           : u->model_written.len ? STR_NONE
	                                  : model_of_product(arena, k->product);
	if (names_model(k->resource))
		k->model_key = model_id_key(k->resource);
	if (k->model.len)
		k->shown = arena_text(arena, "%.*s%.*s", STR_ARG(global), STR_ARG(k->model));
	else if (u->model_written.len || k->product.len)
		k->shown = arena_text(arena, "%.*s%.*s", STR_ARG(global),
		                      STR_ARG(as_id(arena, u->model_written.len ? u->model_written : k->product)));
	else
		k->shown = as_id(arena, k->usage_type);
	if (k->model_key.len)
		k->shown = k->model_key;
}

void kind_read(struct bill_kind *k, struct arena *arena)
{
	k->class = class_of_line(k->line_type);
	if (k->class == BILL_OTHER)
		k->why = "a type of row that is not known here: its dollars are kept as other";
	k->region = k->region_code;
	k->shown = STR("-");
	if (k->class == BILL_TOKENS) {
		const char *why = NULL;
		if (usage_type_read(&k->usage, k->usage_type, &why)) {
			k->class = class_of_usage(k->usage.kind);
			if (k->usage.region.len)
				k->region = k->usage.region;
		} else {
			k->class = BILL_USAGE;
			k->why = why;
		}
	}
	if (!k->region.len)
		k->region = region_of_arn(k->resource);
	if (!k->region.len)
		k->region = STR("unknown");
	if (k->class == BILL_TOKENS)
		read_model(k, arena);
}

// ---- the unit -----------------------------------------------------------------------------------

static int64_t declared(const struct bill_kind *k)
{
	if (str_is(k->unit, "1K tokens"))
		return 1000;
	if (str_is(k->unit, "1M tokens") || str_is(k->unit, "Units"))
		return 1000000;
	if (str_is(k->unit, "Tokens") || str_is(k->unit, "tokens"))
		return 1;
	return k->million ? 1000000 : k->usage.tokens_per_unit;
}

// list cost of `amount` units as thousandths of what the catalogue's rate gives with `per_unit` tokens a
// unit; -1: beyond.
static int64_t ratio_milli(const struct bill_kind *k, struct usd dollars, int64_t per_unit, int64_t rate)
{
	const usd_pico tera = (usd_pico)1000000000000;
	usd_pico want = k->amount / 1000 * per_unit / (tera / 1000) * rate; // picodollars
	usd_pico ratio = want > 0 ? dollars.pico * 1000 / want : -1;
	return ratio < 0 || ratio > 1000000000 ? -1 : (int64_t)ratio;
}

void kind_weigh(struct bill_kind *k, int64_t time_ms)
{
	static const int64_t units[] = {1, 1000, 1000000};
	struct str key = k->model.len && k->usage.scope == SCOPE_GLOBAL ? k->shown : k->model;
	struct usd dollars = k->list.pico > 0 ? k->list : k->cost;
	struct rate rate;
	char name[MODEL_NAME_MAX + 16];
	k->tokens_per_unit = declared(k);
	if (k->usage.scope == SCOPE_GLOBAL && k->model.len) {
		int n = snprintf(name, sizeof name, "global.%.*s", STR_ARG(k->model));
		key = (struct str){name, n < (int)sizeof name ? (size_t)n : 0};
	}
	struct price_query q = {.model = key, .region = k->region, .type = k->usage.type, .time_ms = time_ms};
	if (k->class != BILL_TOKENS || k->amount <= 0 || dollars.pico <= 0 || !key.len ||
	    catalogue_find(catalogue_builtin(), &q, &rate) != MISS_NONE || rate.pico_per_token <= 0)
		return; // nothing to check against
	int64_t said = ratio_milli(k, dollars, k->tokens_per_unit, rate.pico_per_token);
	if (said >= 990 && said <= 1010)
		return;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		int64_t other = ratio_milli(k, dollars, units[i], rate.pico_per_token);
		if (other >= 990 && other <= 1010 && units[i] != k->tokens_per_unit) {
			k->tokens_per_unit = units[i];
			k->why =
				"the unit it names and its dollars differ by a factor of 1,000: the dollars were believed";
			return;
		}
	}
	// Tiers, private prices and dated rates stay within a factor of 30; a wrong unit does not.
	if (said < 33 || said > 30000) {
		k->tokens_per_unit = 0;
		k->why =
			"its unit is not known: dollars and list rate fit neither thousands nor millions of tokens; its tokens are not counted";
	}
}
