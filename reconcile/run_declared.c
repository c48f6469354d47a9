// SPDX-License-Identifier: Apache-2.0
// Declared TTLs of cache writes (base/cache_ttl.h) that the bill contradicts. The bill counts in billed hours
// whatever is declared, but the hours after it go by the declaration.
#include <inttypes.h>
#include <stdlib.h>

#include "base/arn.h"
#include "base/cache_ttl.h"
#include "base/hash.h"
#include "reconcile/run_priv.h"

// A declaration is contradicted if the bill's share of 1-hour writes is off by more than so many thousandths.
enum { OFF_MAX = 100, LISTED_MAX = 20 };

__extension__ typedef __int128 wide;

static uint64_t hour_key(int32_t acct_region, int32_t principal, int64_t hour)
{
	int64_t key[] = {acct_region, principal, hour};
	return hash64(key, sizeof key);
}

// One for each role or user and what declares its TTL.
static int32_t find_declaration(struct reconcile_run *w, struct view *v, struct str principal,
                                const struct declared_ttl *d)
{
	struct declarations *all = &w->declarations;
	int32_t caller = names_add(&w->names, arn_without_session(principal));
	int64_t key[] = {caller, d->permille, d->source, d->line ? d->line->number : 0};
	bool added;
	int32_t at = *map_add(&all->index, hash64(key, sizeof key), all->n, &added);
	if (!added)
		return at;
	if (all->n == all->cap)
		all->list = xrealloc(all->list, (size_t)(all->cap = all->cap ? all->cap * 2 : 16), sizeof *all->list);
	struct declaration *new = &all->list[all->n++];
	*new = (struct declaration){.caller = caller, .permille = d->permille};
	struct buf by = BUF_INIT;
	if (d->line)
		buf_addf(&by, "%s:%d", view_mapping_file(v), d->line->number);
	else
		buf_addf(&by, "%s", d->source == TTL_BY_TAG ? w->conf->cache_ttl_tag : "cache_ttl");
	new->by = names_add(&w->names, buf_str(&by));
	new->what = d->source == TTL_BY_TAG ? "the tag " : d->source == TTL_BY_KEY ? "the key " : "";
	buf_release(&by);
	return at;
}

void reconcile_run_note_declared(struct reconcile_run *w, struct view *v, const struct model_hour *model_hour,
                                 const struct view_row *r, const struct ledger_row *row)
{
	bool longer = r->type == TOKEN_CACHE_WRITE_1H, added;
	if (r->kind != ROW_TOKENS || !r->figure.assumed || (r->type != TOKEN_CACHE_WRITE_5M && !longer))
		return;
	struct declared_ttl d = view_declared_ttl(v, model_hour, r);
	if (d.source == TTL_NAMED)
		return;
	int32_t at = find_declaration(w, v, r->principal, &d);
	map_add(&w->declarations.hours, hour_key(row->acct_region, row->principal, row->hour), at, &added);
	w->declarations.list[at].estimated += r->figure.tokens;
	w->declarations.list[at].estimated_1h += longer ? r->figure.tokens : 0;
}

static void add_billed(struct reconcile_run *w)
{
	for (int64_t i = 0; i < w->actual.n; i++) {
		const struct ledger_row *r = &w->actual.rows[i];
		bool longer = r->type == TOKEN_CACHE_WRITE_1H;
		const int32_t *at =
			longer || r->type == TOKEN_CACHE_WRITE_5M
				? map_find(&w->declarations.hours, hour_key(r->acct_region, r->principal, r->hour))
				: NULL;
		if (!at || r->tokens <= 0)
			continue;
		struct declaration *d = &w->declarations.list[*at];
		d->billed += r->tokens;
		d->billed_1h += longer ? r->tokens : 0;
		// as 5-minute writes, which cost 1.25 times the input where 1-hour writes cost twice as much
		d->usd_as_5m = usd_add(d->usd_as_5m, longer ? usd_muldiv(r->usd, 5, 8) : r->usd);
	}
}

static int32_t permille_of(int64_t part, int64_t whole)
{
	return whole > 0 ? (int32_t)(((wide)part * 1000 + whole / 2) / whole) : 0;
}

static bool is_contradicted(const struct declaration *d)
{
	return d->billed > 0 &&
	       abs(permille_of(d->billed_1h, d->billed) - permille_of(d->estimated_1h, d->estimated)) > OFF_MAX;
}

// What the billed writes cost beyond what was expected of them.
static struct usd excess_of(const struct declaration *d)
{
	int32_t off = permille_of(d->billed_1h, d->billed) - permille_of(d->estimated_1h, d->estimated);
	return usd_muldiv(usd_muldiv(d->usd_as_5m, 3, 5), off, 1000);
}

static struct usd size_of(struct usd usd)
{
	return usd.pico < 0 ? usd_sub(USD_ZERO, usd) : usd;
}

static int by_usd(const void *a, const void *b)
{
	const struct declaration *x = a, *y = b;
	int c = usd_cmp(size_of(excess_of(y)), size_of(excess_of(x)));
	return c ? c : (x->caller > y->caller) - (x->caller < y->caller);
}

static void describe(struct reconcile_run *w, const struct declaration *d)
{
	char ttl[CACHE_TTL_TEXT_SIZE], usd[USD_SIZE];
	struct usd excess = excess_of(d);
	buf_addf(
		&w->bill.notes,
		"declared %s by %s%.*s, and billed otherwise: %.*s, %d %% of %" PRId64
		" tokens of cache writes lived for 1 hour and %d %% were expected, %s USD %s. The bill counts; mend the "
		"declaration from the hour on where it is wrong, or take it out, and the bill's share is used\n",
		cache_ttl_format(d->permille, ttl), d->what, STR_ARG(w->names.list[d->by]),
		STR_ARG(w->names.list[d->caller]), permille_of(d->billed_1h, d->billed) / 10, d->billed,
		permille_of(d->estimated_1h, d->estimated) / 10, usd_format(size_of(excess), 2, usd),
		excess.pico < 0 ? "less" : "more");
}

void reconcile_run_note_contradicted(struct reconcile_run *w)
{
	struct declarations *all = &w->declarations;
	struct usd usd = USD_ZERO;
	char text[USD_SIZE];
	int found = 0;
	add_billed(w);
	if (all->n > 1)
		qsort(all->list, (size_t)all->n, sizeof *all->list, by_usd);
	for (int32_t i = 0; i < all->n; i++) {
		if (!is_contradicted(&all->list[i]))
			continue;
		usd = usd_add(usd, size_of(excess_of(&all->list[i])));
		if (found++ < LISTED_MAX)
			describe(w, &all->list[i]);
	}
	if (found > LISTED_MAX)
		buf_addf(&w->bill.notes, "declared otherwise than billed: %d more\n", found - LISTED_MAX);
	status_add(&w->status, "ttl_contradicted", "%d", found);
	status_add(&w->status, "ttl_contradicted_usd", "%s", usd_format_pico(usd, text));
}
