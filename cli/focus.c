// SPDX-License-Identifier: Apache-2.0
// Columns that FOCUS wants and nowcast cannot know (invoice, contract, commitment) are there and empty. Costs
// of an estimate are at list price, so its four costs are one; of a bill, ListCost is at public rates and the
// others what was charged.
#include "cli/focus.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/when.h"
#include "estimator/rate_class.h"
#include "pricing/price.h"
#include "store/tag_history.h"

enum { PLACES = 12 };

static const char header[] =
	"BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,BillingPeriodEnd,BillingPeriodStart,ChargeCategory,ChargeClass,ChargeDescription,ChargeFrequency,"
	"ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,ContractedCost,EffectiveCost,InvoiceIssuerName,ListCost,PricingCategory,PricingQuantity,PricingUnit,"
	"ProviderName,PublisherName,RegionId,RegionName,ResourceId,ResourceName,ResourceType,ServiceCategory,ServiceName,ServiceSubcategory,SkuMeter,SubAccountId,SubAccountName,Tags,"
	"x_Principal,x_Role,x_TokenType,x_ServiceTier,x_Model,x_Basis,x_TokensExact,x_TokensAllocated,x_TokensProvisional\n";

struct printing {
	FILE *f;
	struct buf b, tags; // tags: of the caller in hand, as JSON
};

// The first of the month in which `ms` stands, and of the next.
static void month_of(int64_t ms, char *ret_start, char *ret_end)
{
	int64_t next;
	when_format(ms, ret_start);
	memcpy(ret_start + 8, "01T00:00:00Z", 12);
	if (!when_parse(str_of(ret_start), &next))
		next = ms;
	when_format(next + (int64_t)32 * 24 * MS_PER_HOUR, ret_end);
	memcpy(ret_end + 8, "01T00:00:00Z", 12);
}

static void add_tag(void *user, const struct tag_held *t)
{
	struct buf *b = user;
	struct buf key = BUF_INIT;
	buf_addf(&key, "iamPrincipal/%.*s", STR_ARG(t->key)); // as AWS names them
	buf_adds(b, b->len > 1 ? "," : "");
	buf_add_json(b, buf_str(&key));
	buf_addc(b, ':');
	buf_add_json(b, t->value);
	buf_release(&key);
}

static struct str tags_of(struct printing *p, struct view *v, const struct model_hour *model_hour,
                          const struct view_row *row)
{
	buf_clear(&p->tags);
	buf_addc(&p->tags, '{');
	tag_history_each(view_tags(v), row->principal, row->tagset, (model_hour->hour + 1) * MS_PER_HOUR, add_tag,
	                 &p->tags);
	buf_addc(&p->tags, '}');
	return buf_str(&p->tags);
}

static void add_row(struct printing *p, struct view *v, const struct model_hour *model_hour,
                    const struct view_row *row)
{
	struct buf *b = &p->b;
	const struct figure *f = &row->figure;
	char start[WHEN_SIZE], end[WHEN_SIZE], month[WHEN_SIZE], next[WHEN_SIZE],
		usd[USD_SIZE] = "", list[USD_SIZE] = "", millions[USD_SIZE];
	bool units = f->rate_class & RATE_CLASS_UNITS;
	const char *type = units ? "units" : token_type_names[row->type];
	month_of(model_hour->hour * MS_PER_HOUR, month, next);
	if (f->priced) {
		usd_format(f->usd, PLACES, usd);
		usd_format(model_hour->billed ? f->list : f->usd, PLACES, list);
	}
	usd_format((struct usd){(usd_pico)f->tokens * (units ? 1000000000000 : 1000000)}, 6, millions);
	buf_addf(b, "%s,%.*s,,USD,%s,%s,Usage,,\"%s%s of ", usd, STR_ARG(model_hour->account), next, month, type,
	         units ? "" : " tokens");
	for (size_t i = 0; i < model_hour->model.len; i++)
		buf_addc(b, model_hour->model.p[i] == '"' ? '\'' : model_hour->model.p[i]);
	buf_addf(b, "\",Usage-Based,%s,%s,%lld,%s,%s,%s,\"Amazon Web Services, Inc.\",%s,Standard,%s,%s,AWS,",
	         when_format((model_hour->hour + 1) * MS_PER_HOUR, end),
	         when_format(model_hour->hour * MS_PER_HOUR, start), (long long)f->tokens,
	         units ? "Units" : "Tokens", usd, usd, list, millions, units ? "Units" : "1M tokens");
	buf_adds(b, "\"Amazon Web Services, Inc.\",");
	buf_addf(b, "%.*s,%.*s,", STR_ARG(model_hour->region), STR_ARG(model_hour->region));
	buf_add_csv(b, model_hour->model);
	buf_addc(b, ',');
	buf_add_csv(b, model_hour->model);
	buf_addf(b, ",Model,AI and Machine Learning,Amazon Bedrock,Generative AI,%s,%.*s,,", type,
	         STR_ARG(model_hour->account));
	buf_add_csv(b, tags_of(p, v, model_hour, row));
	buf_addc(b, ',');
	buf_add_csv(b, row->principal);
	buf_addc(b, ',');
	buf_add_csv(b, row->role);
	buf_addf(b, ",%s,%s,", type, price_tier_names[rate_class_tier(f->rate_class)]);
	buf_add_csv(b, model_hour->model);
	buf_addf(b, ",%s,%lld,%lld,%lld\n",
	         model_hour->billed ? "billed"
	         : f->priced        ? "estimated"
	                            : "estimated, unpriced",
	         (long long)f->exact, (long long)f->allocated, (long long)f->provisional);
}

static bool print_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct printing *p = user;
	buf_clear(&p->b);
	for (int i = 0; i < model_hour->nrows; i++)
		if (model_hour->rows[i].type != TOKEN_TYPES)
			add_row(p, v, model_hour, &model_hour->rows[i]);
	return text_print(p->f, &p->b);
}

bool focus_print(struct view *v, int64_t from, int64_t to, FILE *f, struct err *err)
{
	struct printing p = {.f = f};
	fputs(header, f);
	bool good = view_each(v, from, to, print_model_hour, &p, err);
	buf_release(&p.b);
	buf_release(&p.tags);
	return good && (fflush(f) == 0 || err_set(err, ERR_FATAL, "cannot write the report"));
}
