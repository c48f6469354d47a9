// SPDX-License-Identifier: Apache-2.0
// FOCUS has columns that nowcast cannot know (invoice, contract, commitment). They are there and empty. The
// costs are those of the bill: ListCost at public rates, the others as charged. A row that no bill has yet
// has no cost: its estimate is in the columns x_Estimated..., so that no sum of costs mixes the two.
// What was estimated and not billed costs nothing, and its tokens are in a column of their own: no sum has
// them.
//
// What the bill has besides usage (tax, credits, refunds, reserved capacity) is a row for each account,
// billing period and kind. It belongs to the hour in which the period begins, so that spans that meet have
// it once.
#include "query/focus.h"

#include "base/arena.h"
#include "base/csv.h"
#include "base/json_writer.h"
#include "base/when.h"
#include "query/group.h"
#include "query/reconciliation.h"
#include "estimator/rate_class.h"
#include "pricing/price.h"
#include "store/keys.h"
#include "store/tag_history.h"
#include "store/tagset.h"

enum { PLACES = 12, PICO_PER_MILLIONTH = 1000000 };

// In the order in which they are written.
#define COLUMNS(X)                                                                                           \
	X(BilledCost)                                                                                            \
	X(BillingAccountId)                                                                                      \
	X(BillingAccountName) X(BillingCurrency) X(BillingPeriodEnd) X(BillingPeriodStart) X(ChargeCategory)     \
		X(ChargeClass) X(ChargeDescription) X(ChargeFrequency) X(ChargePeriodEnd) X(ChargePeriodStart)       \
			X(ConsumedQuantity) X(ConsumedUnit) X(ContractedCost) X(EffectiveCost) X(InvoiceIssuerName)      \
				X(ListCost) X(PricingCategory) X(PricingQuantity) X(PricingUnit) X(ProviderName)             \
					X(PublisherName) X(RegionId) X(RegionName) X(ResourceId) X(ResourceName) X(ResourceType) \
						X(ServiceCategory) X(ServiceName) X(ServiceSubcategory) X(SkuMeter) X(SubAccountId)  \
							X(SubAccountName) X(Tags) X(x_Principal) X(x_Role) X(x_TokenType)                \
								X(x_ServiceTier) X(x_Model) X(x_Basis) X(x_TokensExact) X(x_TokensAllocated) \
									X(x_TokensProvisional) X(x_TokensUnbilled) X(x_EstimatedCost)            \
										X(x_EstimatedCostLow) X(x_EstimatedCostHigh) X(x_EstimateBasis)      \
											X(x_TokensTelemetry)

#define COLUMN_INDEX(name) name,
#define COLUMN_NAME(name) #name,
enum column { COLUMNS(COLUMN_INDEX) FOCUS_COLUMNS };
static const char *const column_names[FOCUS_COLUMNS] = {COLUMNS(COLUMN_NAME)};

struct focus_writer {
	bool stopped; // what it writes to takes no more
	focus_put_fn *put;
	void *user;
	int64_t rows;
	struct buf text;
	struct csv_writer csv; // to `text`
	struct arena arena;    // values of the rows in `text`
	struct buf tags;       // of the caller in hand, as JSON
};

static struct str format_time(struct arena *arena, int64_t ms)
{
	char text[WHEN_SIZE];
	return arena_str(arena, str_of(when_format(ms, text)));
}

static struct str format_usd(struct arena *arena, struct usd usd, int places)
{
	char text[USD_SIZE];
	return arena_str(arena, str_of(usd_format(usd, places, text)));
}

static struct str format_count(struct arena *arena, int64_t n)
{
	return arena_text(arena, "%lld", (long long)n);
}

static void write_tag(void *user, const struct tag_held *t)
{
	struct json_writer *j = user;
	struct buf key = BUF_INIT;
	struct str shown = tagset_shown_key(t->key);
	const char *of = shown.len < t->key.len ? "" : t->of_account ? "accountTag/" : "iamPrincipal/";
	buf_addf(&key, "%s%.*s", of, STR_ARG(shown)); // as AWS names them
	jw_key(j, buf_str(&key));
	jw_str(j, NULL, t->value.p ? t->value : STR(""));
	buf_release(&key);
}

static void write_mapped(struct json_writer *j, struct str key, struct str value)
{
	struct buf name = BUF_INIT;
	buf_addf(&name, "map:%.*s", STR_ARG(key));
	if (value.len) {
		jw_key(j, buf_str(&name));
		jw_str(j, NULL, value);
	}
	buf_release(&name);
}

static struct str tags_of(struct focus_writer *w, struct view *v, const struct model_hour *model_hour,
                          const struct view_row *row)
{
	struct json_writer j = JSON_WRITER(&w->tags);
	buf_clear(&w->tags);
	jw_object(&j, NULL);
	tag_history_each(view_tags(v), row->principal, row->tagset, (model_hour->hour + 1) * MS_PER_HOUR,
	                 write_tag, &j);
	for (int key = 0; key < mapping_nkeys(view_mapping(v)); key++)
		write_mapped(&j, mapping_key(view_mapping(v), key), view_mapped(v, model_hour, row, key).value);
	jw_end(&j);
	return buf_str(&w->tags);
}

// What the columns of a row that is not billed are made of.
static const struct figure nothing = {.priced = true};

static void write_values(struct focus_writer *w, const struct str values[FOCUS_COLUMNS])
{
	for (int i = 0; i < FOCUS_COLUMNS; i++)
		csv_str(&w->csv, values[i]);
	csv_end_row(&w->csv);
	w->rows++;
}

// What the rows of usage and those of other charges have in common.
static void set_common(struct arena *a, struct str account, int64_t month, struct str values[FOCUS_COLUMNS])
{
	values[BillingAccountId] = values[SubAccountId] = account;
	values[BillingCurrency] = STR("USD");
	values[BillingPeriodStart] = format_time(a, month * MS_PER_HOUR);
	values[BillingPeriodEnd] = format_time(a, when_month_start(month + 32 * 24) * MS_PER_HOUR);
	values[InvoiceIssuerName] = values[PublisherName] = STR("Amazon Web Services, Inc.");
	values[ProviderName] = STR("AWS");
	values[ServiceCategory] = STR("AI and Machine Learning");
	values[ServiceName] = STR("Amazon Bedrock");
	values[ServiceSubcategory] = STR("Generative AI");
}

// `x`: the figure of the row with its band; NULL: it was estimated, and is not on the bill.
static void set_costs(struct arena *a, const struct model_hour *model_hour, const struct view_row *row,
                      const struct group *x, struct str values[FOCUS_COLUMNS])
{
	const struct figure *f = x ? &row->figure : &nothing;
	char basis[GROUP_BASIS_SIZE];
	values[x_TokensExact] = format_count(a, f->exact - f->telemetry);
	values[x_TokensTelemetry] = format_count(a, f->telemetry);
	values[x_TokensAllocated] = format_count(a, f->allocated);
	values[x_TokensProvisional] = format_count(a, f->provisional);
	values[x_TokensUnbilled] = format_count(a, x ? 0 : row->figure.tokens);
	if (!x) {
		values[BilledCost] = values[ContractedCost] = values[EffectiveCost] = values[ListCost] =
			format_usd(a, USD_ZERO, PLACES);
		values[x_Basis] = STR("unbilled");
		return;
	}
	if (model_hour->billed && f->exact + f->allocated + f->provisional == 0) {
		values[BilledCost] = values[ContractedCost] = values[EffectiveCost] = format_usd(a, f->usd, PLACES);
		values[ListCost] = format_usd(a, f->list, PLACES);
		values[x_Basis] = STR("billed");
		return;
	}
	values[x_Basis] = f->priced ? STR("estimated") : STR("estimated, unpriced");
	values[x_EstimateBasis] = arena_str(a, str_of(group_basis(x, basis)));
	if (!f->priced)
		return;
	values[x_EstimatedCost] = format_usd(a, f->usd, PLACES);
	values[x_EstimatedCostLow] = format_usd(a, x->usd_low, PLACES);
	values[x_EstimatedCostHigh] = format_usd(a, x->usd_high, PLACES);
}

static void write_row(struct focus_writer *w, struct view *v, const struct model_hour *model_hour,
                      const struct view_row *row, const struct group *x)
{
	const struct figure *f = x ? &row->figure : &nothing;
	struct arena *a = &w->arena;
	bool units = row_has_units(row);
	struct str type = str_of(row_name(row));
	struct usd millions = {(usd_pico)f->tokens *
	                       (units ? (usd_pico)PICO_PER_MILLIONTH * 1000000 : PICO_PER_MILLIONTH)};
	struct str values[FOCUS_COLUMNS] = {
		[ChargeCategory] = STR("Usage"),
		[ChargeDescription] = arena_text(a, "%.*s%s of %.*s", STR_ARG(type), units ? "" : " tokens",
	                                     STR_ARG(model_hour->model)),
		[ChargeFrequency] = STR("Usage-Based"),
		[ChargePeriodEnd] = format_time(a, (model_hour->hour + 1) * MS_PER_HOUR),
		[ChargePeriodStart] = format_time(a, model_hour->hour * MS_PER_HOUR),
		[ConsumedQuantity] = format_count(a, f->tokens),
		[ConsumedUnit] = units ? STR("Units") : STR("Tokens"),
		[PricingCategory] = STR("Standard"),
		[PricingQuantity] = format_usd(a, millions, 6),
		[PricingUnit] = units ? STR("Units") : STR("1M tokens"),
		[RegionId] = model_hour->region,
		[RegionName] = model_hour->region,
		[ResourceId] = model_hour->model,
		[ResourceName] = model_hour->model,
		[ResourceType] = STR("Model"),
		[SkuMeter] = type,
		[Tags] = tags_of(w, v, model_hour, row),
		[x_Principal] = row->principal,
		[x_Role] = row->role,
		[x_TokenType] = type,
		[x_ServiceTier] = str_of(price_tier_names[rate_class_tier(row->rate_class)]),
		[x_Model] = model_hour->model,
	};
	set_common(a, model_hour->account, when_month_start(model_hour->hour), values);
	set_costs(a, model_hour, row, x, values);
	write_values(w, values);
}

static bool write_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct focus_writer *w = user;
	struct groups bands;
	groups_init(&bands, &(struct grouping){0});
	groups_of_rows(&bands, v, model_hour);
	for (int i = 0; i < model_hour->nrows; i++)
		if (model_hour->rows[i].kind != ROW_CALLS)
			write_row(w, v, model_hour, &model_hour->rows[i], &bands.list[i]);
	for (int i = 0; i < model_hour->nunbilled; i++)
		write_row(w, v, model_hour, &model_hour->unbilled[i], NULL);
	groups_release(&bands);
	w->stopped = !w->put(w->user, &w->text);
	buf_clear(&w->text);
	arena_reset(&w->arena);
	return !w->stopped;
}

// ---- what the bill has besides usage by tokens ----------------------------------------------------

static void write_charge(struct focus_writer *w, int64_t month, const struct recon_charge *c)
{
	static const char *const categories[BILL_CLASSES] = {
		[BILL_INFERENCE] = "Usage",       [BILL_USAGE] = "Usage",        [BILL_PROVISIONED] = "Usage",
		[BILL_RESERVED] = "Purchase",   [BILL_TAX] = "Tax",            [BILL_CREDIT] = "Credit",
		[BILL_REFUND] = "Credit",       [BILL_DISCOUNT] = "Adjustment", [BILL_FEE] = "Purchase",
		[BILL_OTHER] = "Adjustment",
	};
	struct arena *a = &w->arena;
	struct str cost = format_usd(a, c->usd, PLACES), values[FOCUS_COLUMNS] = {{NULL, 0}};
	set_common(a, str_is(c->account, "-") ? STR("") : c->account, month, values);
	values[BilledCost] = values[ContractedCost] = values[EffectiveCost] = values[ListCost] = cost;
	values[ChargeCategory] = str_of(categories[c->class]);
	values[ChargeClass] = c->class == BILL_REFUND ? STR("Correction") : STR("");
	values[ChargeDescription] = arena_text(a, "%s: %.*s", bill_class_names[c->class], STR_ARG(c->what));
	values[ChargeFrequency] = c->class == BILL_USAGE ? STR("Usage-Based") : STR("One-Time");
	values[ChargePeriodStart] = values[BillingPeriodStart];
	values[ChargePeriodEnd] = values[BillingPeriodEnd];
	values[Tags] = STR("{}");
	values[x_Basis] = STR("billed");
	write_values(w, values);
}

static bool write_charges_of(struct focus_writer *w, struct view *v, struct str period, int64_t month,
                             struct err *err)
{
	struct redis *r = view_redis(v);
	struct buf key = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key_reconcile_period(&key, view_prefix(v), period)});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	for (size_t i = 0; i + 1 < redis_len(r, 0); i += 2) {
		struct recon_charge c;
		if (recon_charge_read(redis_elem(r, 0, i), redis_elem(r, 0, i + 1), &w->arena, &c))
			write_charge(w, month, &c);
	}
	return true;
}

// Of the billing periods that begin within from..to - 1.
static bool write_charges(struct focus_writer *w, struct view *v, int64_t from, int64_t to, struct err *err)
{
	struct arena names = ARENA_INIT;
	struct str *periods;
	size_t n;
	bool good = recon_periods_read(v, &names, &periods, &n, err);
	for (size_t i = 0; good && i < n; i++) {
		int64_t ms;
		if (when_parse(arena_text(&names, "%.*s-01", STR_ARG(periods[i])), &ms) &&
		    ms / MS_PER_HOUR >= from && ms / MS_PER_HOUR < to)
			good = write_charges_of(w, v, periods[i], ms / MS_PER_HOUR, err);
	}
	arena_release(&names);
	return good;
}

bool focus_write(struct view *v, struct time_span span, focus_put_fn *put, void *user, int64_t *ret_rows,
                 struct err *err)
{
	struct focus_writer w = {.put = put, .user = user};
	w.csv = CSV_WRITER(&w.text);
	for (int i = 0; i < FOCUS_COLUMNS; i++)
		csv_strz(&w.csv, column_names[i]);
	csv_end_row(&w.csv);
	w.rows = 0; // the heads are none
	bool good = view_each(v, span.from, span.to, write_model_hour, &w, err) &&
	            (w.stopped || write_charges(&w, v, span.from, span.to, err));
	if (good && !w.stopped)
		w.stopped = !put(user, &w.text);
	buf_release(&w.text);
	buf_release(&w.tags);
	arena_release(&w.arena);
	*ret_rows = w.rows;
	return good || w.stopped;
}
