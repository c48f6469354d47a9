// SPDX-License-Identifier: Apache-2.0
// FOCUS has columns that nowcast cannot know (invoice, contract, commitment). They are there and empty. The
// four costs of an estimate are the same, at list price. Of a bill, ListCost is at public rates, and the
// others are what was charged. What was estimated and not billed costs nothing, and its tokens are in a
// column of their own: no sum has them.
#include "base/arena.h"
#include "base/csv.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/report_priv.h"
#include "estimator/rate_class.h"
#include "pricing/price.h"
#include "store/tag_history.h"

enum { PLACES = 12, PICO_PER_MILLIONTH = 1000000 };

// In the order in which they are written.
#define COLUMNS(X)                                                                                           \
	X(BilledCost)                                                                                            \
	X(BillingAccountId) X(BillingAccountName) X(BillingCurrency) X(BillingPeriodEnd) X(BillingPeriodStart)   \
		X(ChargeCategory) X(ChargeClass) X(ChargeDescription) X(ChargeFrequency) X(ChargePeriodEnd)          \
			X(ChargePeriodStart) X(ConsumedQuantity) X(ConsumedUnit) X(ContractedCost) X(EffectiveCost)      \
				X(InvoiceIssuerName) X(ListCost) X(PricingCategory) X(PricingQuantity) X(PricingUnit)        \
					X(ProviderName) X(PublisherName) X(RegionId) X(RegionName) X(ResourceId) X(ResourceName) \
						X(ResourceType) X(ServiceCategory) X(ServiceName) X(ServiceSubcategory) X(SkuMeter)  \
							X(SubAccountId) X(SubAccountName) X(Tags) X(x_Principal) X(x_Role)               \
								X(x_TokenType) X(x_ServiceTier) X(x_Model) X(x_Basis) X(x_TokensExact)       \
									X(x_TokensAllocated) X(x_TokensProvisional) X(x_TokensUnbilled)

#define COLUMN_INDEX(name) name,
#define COLUMN_NAME(name) #name,
enum column { COLUMNS(COLUMN_INDEX) FOCUS_COLUMNS };
static const char *const column_names[FOCUS_COLUMNS] = {COLUMNS(COLUMN_NAME)};

struct focus_writer {
	FILE *f;
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
	buf_addf(&key, "iamPrincipal/%.*s", STR_ARG(t->key)); // as AWS names them
	jw_key(j, buf_str(&key));
	jw_str(j, NULL, t->value.p ? t->value : STR(""));
	buf_release(&key);
}

static struct str tags_of(struct focus_writer *w, struct view *v, const struct model_hour *model_hour,
                          const struct view_row *row)
{
	struct json_writer j = JSON_WRITER(&w->tags);
	buf_clear(&w->tags);
	jw_object(&j, NULL);
	tag_history_each(view_tags(v), row->principal, row->tagset, (model_hour->hour + 1) * MS_PER_HOUR,
	                 write_tag, &j);
	jw_end(&j);
	return buf_str(&w->tags);
}

// What the columns of a row that is not billed are made of.
static const struct figure nothing = {.priced = true};

static void write_row(struct focus_writer *w, struct view *v, const struct model_hour *model_hour,
                      const struct view_row *row, bool unbilled)
{
	const struct figure *f = unbilled ? &nothing : &row->figure;
	struct arena *a = &w->arena;
	bool units = row_has_units(row);
	struct str type = str_of(row_name(row));
	struct usd millions = {(usd_pico)f->tokens *
	                       (units ? (usd_pico)PICO_PER_MILLIONTH * 1000000 : PICO_PER_MILLIONTH)};
	struct str cost = f->priced ? format_usd(a, f->usd, PLACES) : STR("");
	int64_t month = when_month_start(model_hour->hour);
	const struct str row_values[FOCUS_COLUMNS] = {
		[BilledCost] = cost,
		[BillingAccountId] = model_hour->account,
		[BillingCurrency] = STR("USD"),
		[BillingPeriodEnd] = format_time(a, when_month_start(month + 32 * 24) * MS_PER_HOUR),
		[BillingPeriodStart] = format_time(a, month * MS_PER_HOUR),
		[ChargeCategory] = STR("Usage"),
		[ChargeDescription] = arena_text(a, "%.*s%s of %.*s", STR_ARG(type), units ? "" : " tokens",
	                                     STR_ARG(model_hour->model)),
		[ChargeFrequency] = STR("Usage-Based"),
		[ChargePeriodEnd] = format_time(a, (model_hour->hour + 1) * MS_PER_HOUR),
		[ChargePeriodStart] = format_time(a, model_hour->hour * MS_PER_HOUR),
		[ConsumedQuantity] = format_count(a, f->tokens),
		[ConsumedUnit] = units ? STR("Units") : STR("Tokens"),
		[ContractedCost] = cost,
		[EffectiveCost] = cost,
		[InvoiceIssuerName] = STR("Amazon Web Services, Inc."),
		[ListCost] = f->priced && model_hour->billed ? format_usd(a, f->list, PLACES) : cost,
		[PricingCategory] = STR("Standard"),
		[PricingQuantity] = format_usd(a, millions, 6),
		[PricingUnit] = units ? STR("Units") : STR("1M tokens"),
		[ProviderName] = STR("AWS"),
		[PublisherName] = STR("Amazon Web Services, Inc."),
		[RegionId] = model_hour->region,
		[RegionName] = model_hour->region,
		[ResourceId] = model_hour->model,
		[ResourceName] = model_hour->model,
		[ResourceType] = STR("Model"),
		[ServiceCategory] = STR("AI and Machine Learning"),
		[ServiceName] = STR("Amazon Bedrock"),
		[ServiceSubcategory] = STR("Generative AI"),
		[SkuMeter] = type,
		[SubAccountId] = model_hour->account,
		[Tags] = tags_of(w, v, model_hour, row),
		[x_Principal] = row->principal,
		[x_Role] = row->role,
		[x_TokenType] = type,
		[x_ServiceTier] = str_of(price_tier_names[rate_class_tier(row->rate_class)]),
		[x_Model] = model_hour->model,
		[x_Basis] = unbilled             ? STR("unbilled")
	                : model_hour->billed ? STR("billed")
	                : f->priced        ? STR("estimated")
	                                   : STR("estimated, unpriced"),
		[x_TokensExact] = format_count(a, f->exact),
		[x_TokensAllocated] = format_count(a, f->allocated),
		[x_TokensProvisional] = format_count(a, f->provisional),
		[x_TokensUnbilled] = format_count(a, unbilled ? row->figure.tokens : 0),
	};
	for (int i = 0; i < FOCUS_COLUMNS; i++)
		csv_str(&w->csv, row_values[i]);
	csv_end_row(&w->csv);
}

static bool write_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct focus_writer *w = user;
	for (int i = 0; i < model_hour->nrows; i++)
		if (model_hour->rows[i].kind != ROW_CALLS)
			write_row(w, v, model_hour, &model_hour->rows[i], false);
	for (int i = 0; i < model_hour->nunbilled; i++)
		write_row(w, v, model_hour, &model_hour->unbilled[i], true);
	bool good = text_print(w->f, &w->text);
	buf_clear(&w->text);
	arena_reset(&w->arena);
	return good;
}

bool report_focus(struct view *v, int64_t from, int64_t to, FILE *f, struct err *err)
{
	struct focus_writer w = {.f = f};
	w.csv = CSV_WRITER(&w.text);
	for (int i = 0; i < FOCUS_COLUMNS; i++)
		csv_strz(&w.csv, column_names[i]);
	csv_end_row(&w.csv);
	bool good = view_each(v, from, to, write_model_hour, &w, err) && text_print(f, &w.text);
	buf_release(&w.text);
	buf_release(&w.tags);
	arena_release(&w.arena);
	return good && (fflush(f) == 0 || err_set(err, ERR_FATAL, "cannot write the report"));
}
