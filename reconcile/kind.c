// SPDX-License-Identifier: Apache-2.0
#include "reconcile/kind.h"

#include <stdio.h>

#include "base/buf.h"
#include "pricing/model_id.h"

const char *const bill_class_names[BILL_CLASSES] = {
	"inference", "usage", "provisioned", "reserved", "tax", "credit", "refund", "discount", "fee", "other"};

static const struct {
	struct str line_type;
	enum bill_class class;
} line_types[] = {
	{STR("Usage"), BILL_INFERENCE},
	{STR("DiscountedUsage"), BILL_INFERENCE},
	{STR("SavingsPlanCoveredUsage"), BILL_INFERENCE},
	{STR(""), BILL_INFERENCE}, // an export without the column: the usage type decides
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

static enum bill_class class_of_usage(const struct bill_kind *k)
{
	switch (k->usage.kind) {
	case USAGE_RESERVED: return BILL_RESERVED;
	case USAGE_PROVISIONED: return BILL_PROVISIONED;
	case USAGE_CUSTOMIZING: return BILL_USAGE;
	default: return k->agents ? BILL_USAGE : BILL_INFERENCE;
	}
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

static struct str region_of_arn(struct str arn)
{
	if (!str_starts(arn, STR("arn:")))
		return STR_NONE;
	for (int i = 0; i < 3; i++)
		str_cut(&arn, ':');
	return str_cut(&arn, ':');
}

// ---- the resource -------------------------------------------------------------------------------

// Types of resources that say which model was called; a project of bedrock-mantle, say, does not.
static bool names_model(struct str type)
{
	static const char *const types[] = {"foundation-model",
	                                    "inference-profile",
	                                    "application-inference-profile",
	                                    "custom-model",
	                                    "custom-model-deployment",
	                                    "imported-model",
	                                    "model"};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_is(type, types[i]))
			return true;
	return false;
}

// The key of an ARN's model, or of an id without an ARN. The estimate knows calls of bedrock-mantle as
// "bedrock-mantle/MODEL".
static void read_resource(struct bill_kind *k, struct arena *arena)
{
	struct str rest = k->resource, id = str_after_last(k->resource, '/');
	struct model_id m;
	if (!str_starts(rest, STR("arn:"))) {
		model_id_read(&m, id);
		if (m.kind == MODEL_NAMED && id.len)
			k->model_key = k->resource;
		return;
	}
	str_cut(&rest, ':'), str_cut(&rest, ':');
	k->mantle = str_is(str_cut(&rest, ':'), "bedrock-mantle");
	str_cut(&rest, ':'), str_cut(&rest, ':');
	if (names_model(str_cut(&rest, '/')) && rest.len)
		k->model_key =
			k->mantle ? arena_text(arena, "bedrock-mantle/%.*s", STR_ARG(id)) : model_id_key(k->resource);
}

// ---- the model ----------------------------------------------------------------------------------

// "Guardrail-ContentPolicyUnitsConsumed" of "USE1-Guardrail-ContentPolicyUnitsConsumed". The prefix may be all
// that there is.
static struct str without_prefix(const struct bill_kind *k)
{
	size_t n = k->usage.prefix.len ? k->usage.prefix.len + 1 : 0;
	if (n > k->usage_type.len)
		n = k->usage_type.len;
	return (struct str){k->usage_type.p + n, k->usage_type.len - n};
}

// By the user's names first: of the product or model in the usage type, and of the usage type itself.
static struct str find_model(const struct bill_kind *k, const struct kind_names *names)
{
	struct str user = price_names_find(names->user, price_name_bare(k->named));
	if (!user.len)
		user = price_names_find(names->user, k->usage_type);
	if (user.len)
		return user;
	return k->usage.model.len ? k->usage.model : model_names_find(names->known, k->named);
}

static struct str model_of_resource(const struct bill_kind *k, struct arena *arena)
{
	struct model_id id;
	model_id_read(&id, k->model_key);
	return k->model_key.len && id.kind == MODEL_NAMED ? arena_str(arena, model_id_name(&id)) : STR_NONE;
}

static void read_model(struct bill_kind *k, const struct kind_names *names, struct arena *arena)
{
	const struct usage_type *u = &k->usage;
	struct str global = u->scope == SCOPE_GLOBAL ? STR("global.") : STR("");
	struct buf key = BUF_INIT;
	k->named = u->model_written.len ? u->model_written : k->product;
	k->model = find_model(k, names);
	if (!k->model.len)
		k->model = model_of_resource(k, arena);
	model_name_key(&key, k->model.len ? k->model : k->named);
	k->name_key = arena_str(arena, buf_str(&key));
	buf_release(&key);
	if (k->model_key.len)
		k->shown = k->model_key;
	else if (k->model.len)
		k->shown = arena_text(arena, "%.*s%.*s", STR_ARG(global), STR_ARG(k->model));
	else if (k->named.len && kind_has_tokens(k))
		k->shown = arena_text(arena, "%.*s%.*s", STR_ARG(global),
		                      STR_ARG(as_id(arena, price_name_bare(k->named))));
	else
		k->shown = as_id(arena, k->named.len && !u->model_written.len ? price_name_bare(k->named)
		                                                              : without_prefix(k));
	if (!k->shown.len)
		k->shown = STR("-");
}

void kind_read(struct bill_kind *k, const struct kind_names *names, struct arena *arena)
{
	k->class = class_of_line(k->line_type);
	if (k->class == BILL_OTHER)
		k->why = "a type of row that is not known here: its dollars are kept as other";
	k->region = k->region_code;
	k->shown = STR("-");
	if (k->class == BILL_INFERENCE) {
		usage_type_read_billed(&k->usage, k->usage_type, k->unit, &k->why);
		k->class = class_of_usage(k);
		if (k->usage.region.len)
			k->region = k->usage.region;
		read_resource(k, arena);
		read_model(k, names, arena);
	}
	if (!k->region.len)
		k->region = region_of_arn(k->resource);
	if (!k->region.len)
		k->region = STR("unknown");
}

// ---- the unit -----------------------------------------------------------------------------------

// "1K tokens", "1000 tokens", "1M text units": how many a unit is. 0: its words do not say.
static int64_t multiple_of(struct str unit)
{
	struct str number = str_cut(&unit, ' ');
	static const struct {
		const char *word;
		int64_t n;
	} multiples[] = {{"1K", 1000},    {"1k", 1000},    {"1000", 1000},
	                 {"1M", 1000000}, {"1m", 1000000}, {"1000000", 1000000}};
	for (size_t i = 0; unit.len && i < sizeof multiples / sizeof *multiples; i++)
		if (str_is(number, multiples[i].word))
			return multiples[i].n;
	return 0;
}

static int64_t declared(const struct bill_kind *k)
{
	int64_t multiple = multiple_of(k->unit);
	if (multiple)
		return multiple;
	if (!kind_has_tokens(k) || str_is(k->unit, "Tokens") || str_is(k->unit, "tokens"))
		return 1;
	if (str_is(k->unit, "Units"))
		return 1000000;
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
	struct str key = k->model;
	struct usd dollars = k->list.pico > 0 ? k->list : k->cost;
	struct rate rate;
	char name[MODEL_NAME_MAX + 16];
	k->per_unit = declared(k);
	if (k->usage.scope == SCOPE_GLOBAL && k->model.len) {
		int n = snprintf(name, sizeof name, "global.%.*s", STR_ARG(k->model));
		key = (struct str){name, n < (int)sizeof name ? (size_t)n : 0};
	}
	struct price_query q = {.model = key, .region = k->region, .type = k->usage.type, .time_ms = time_ms};
	// other words may mean another rate: of speech, of a customised model
	bool listed = k->class == BILL_INFERENCE && kind_has_tokens(k) && k->usage.modality == MODALITY_TEXT &&
	              !k->usage.custom && !k->usage.unsure;
	if (!listed || k->amount <= 0 || dollars.pico <= 0 || !key.len ||
	    catalogue_find(catalogue_builtin(), &q, &rate) != MISS_NONE || rate.pico_per_token <= 0)
		return; // nothing to check against
	int64_t said = ratio_milli(k, dollars, k->per_unit, rate.pico_per_token);
	if (said >= 990 && said <= 1010)
		return;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		int64_t other = ratio_milli(k, dollars, units[i], rate.pico_per_token);
		if (other >= 990 && other <= 1010 && units[i] != k->per_unit) {
			k->per_unit = units[i];
			k->why =
				"the unit it names and its dollars differ by a factor of 1,000: the dollars were believed";
			return;
		}
	}
	// Tiers, private prices and dated rates stay within a factor of 30; a wrong unit does not.
	if (said < 33 || said > 30000) {
		k->per_unit = 0;
		k->why =
			"its unit is not known: dollars and list rate fit neither thousands nor millions of tokens; its tokens are not counted";
	}
}
