// SPDX-License-Identifier: Apache-2.0
// The TTL of cache writes that no record names: what a declaration may say, whose bill counts where nobody
// declares anything, and that figures divided again conserve tokens and are those that the share would have
// given at first.
#include "base/cache_ttl.h"
#include "base/when.h"
#include "estimator/ttl_divide.h"
#include "estimator/ttl_shares.h"
#include "tests/tap.h"

#define ROLE "arn:aws:sts::111122223333:assumed-role/app"

static uint64_t random_state = 88172645463325252u;
static int64_t below(int64_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (int64_t)(random_state % (uint64_t)n);
}

// ---- what is declared ---------------------------------------------------------------------------

static void check_values(void)
{
	static const struct {
		const char *text, *shown;
		int32_t permille;
	} good[] = {{"5m", "5m", 0},         {"1h", "1h", 1000}, {"30%", "30%", 300},
	            {"12.5%", "12.5%", 125}, {"0%", "5m", 0},    {"100%", "1h", 1000}};
	static const char *const bad[] = {"", "5", "60m", "1 h", "101%", "-1%", "12.55%", "%", "1H", "none"};
	char shown[CACHE_TTL_TEXT_SIZE];
	int32_t got;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ok(cache_ttl_parse(str_of(good[i].text), &got) && got == good[i].permille &&
		       strcmp(cache_ttl_format(got, shown), good[i].shown) == 0,
		   "%s is %d thousandths", good[i].text, good[i].permille);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(!cache_ttl_parse(str_of(bad[i]), &got), "\"%s\" is no TTL", bad[i]);
	ok(cache_ttl_parse(STR("unknown"), &got) && got == CACHE_TTL_UNKNOWN, "nothing may be declared, too");
}

static int32_t declared(const char *list, const char *when)
{
	int64_t ms = 0;
	when_parse(str_of(when), &ms);
	return cache_ttl_list_at(str_of(list), ms / MS_PER_HOUR);
}

static void check_lists(void)
{
	static const char list[] =
		"5m, 1h from 2026-11-20,  30% from 2026-11-20T05:00:00Z , unknown from 2026-12-01";
	static const char *const bad[] = {"5m, 1h",
	                                  "1h from",
	                                  "1h since 2026-11-20",
	                                  "1h from 2026-11-20T05:30:00Z",
	                                  "5m from 2026-11-20, 1h from 2026-11-20",
	                                  "6m",
	                                  "5m 1h"};
	struct err err = ERR_INIT;
	ok(cache_ttl_list_check(str_of(list), &err), "a list %s", err.msg);
	is_int(declared(list, "2026-11-19T23:00:00Z"), 0, "before its time a value does not hold");
	is_int(declared(list, "2026-11-20"), 1000, "from then on it does");
	is_int(declared(list, "2026-11-20T05:00:00Z"), 300, "until the next one");
	is_int(declared(list, "2026-12-02"), CACHE_TTL_UNKNOWN, "which may take it back");
	is_int(declared("1h from 2026-11-20", "2026-11-19"), CACHE_TTL_UNKNOWN, "nothing before the first");
	is_int(declared("", "2026-11-19"), CACHE_TTL_UNKNOWN, "nor of an empty list");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		err = (struct err)ERR_INIT;
		ok(!cache_ttl_list_check(str_of(bad[i]), &err), "refused: %s", err.msg);
	}
}

// ---- whose bill counts --------------------------------------------------------------------------

static struct billed_means billed(const char *arn, int64_t written, int64_t of_1h)
{
	struct billed_means m = {.arn = str_of(arn), .calls = 1};
	m.tokens[TOKENS_CACHE_WRITE] = written;
	m.tokens[TOKENS_CACHE_WRITE_1H] = of_1h;
	return m;
}

static void is_share(const struct caller_usage *u, int32_t permille, enum ttl_source source, const char *what)
{
	if (!ok(u->ttl_permille == permille && u->ttl_source == source, "%s", what))
		diag("%d thousandths, by %s", (int)u->ttl_permille, ttl_source_names[u->ttl_source]);
}

static void check_shares(void)
{
	const struct who who[] = {{.arn = STR(ROLE "/ann")},
	                          {.arn = STR(ROLE "/bob")},
	                          {.arn = STR("arn:aws:sts::111122223333:assumed-role/apple/x")}};
	const struct billed_means bill[] = {billed(ROLE "/ann", 100, 25), billed(ROLE "/cid", 300, 300),
	                                    billed(ROLE "les/x", 600, 0)};
	const struct billed_means all = billed("all", 1000, 200), none = billed("all", 0, 0);
	struct span span = {.callers = who, .ncallers = 3};
	struct caller_usage callers[3];
	struct hour_usage u = {.callers = callers};
	for (int i = 0; i < 3; i++)
		callers[i] = (struct caller_usage){
			.ttl_permille = TTL_UNKNOWN, .ttl_source = TTL_ASSUMED, .ttl_may_be_1h = i < 2};
	struct caller_usage fresh[3];
	memcpy(fresh, callers, sizeof fresh);
	callers[0].ttl_permille = 250;
	callers[0].ttl_source = TTL_OF_CALLER;
	ttl_shares_apply(&span, bill, 3, &all, &u);
	is_share(&callers[0], 250, TTL_OF_CALLER, "a caller's own bill is its share");
	is_share(&callers[1], 813, TTL_OF_ROLE, "else that of the other sessions of its role, by tokens");
	is_share(&callers[2], 325, TTL_OF_MODEL,
	         "else that of the model; a role whose name begins alike is another one");
	ok(u.ttl_permille == 325 && u.ttl_source == TTL_OF_MODEL, "unattributed tokens have that of the model");
	memcpy(callers, fresh, sizeof fresh);
	ttl_shares_apply(&span, NULL, 0, &all, &u);
	is_share(&callers[2], 200, TTL_OF_ALL,
	         "else that of all that was billed, whether the longer TTL pays or not");
	memcpy(callers, fresh, sizeof fresh);
	ttl_shares_apply(&span, NULL, 0, &none, &u);
	is_share(&callers[1], TTL_PRIOR, TTL_ASSUMED, "else the prior");
	is_share(&callers[2], 0, TTL_ASSUMED, "but of a caller for whom the longer TTL does not pay");
	ok(u.ttl_permille == TTL_PRIOR && u.ttl_source == TTL_ASSUMED, "and of the unattributed tokens");
}

// ---- divided again ------------------------------------------------------------------------------

enum { RATE_5M = 3750000, RATE_1H = 6000000 };

// What was written of `exact` tokens (of which `named` have a known TTL), `allocated` and `provisional` ones
// with a share; with its doubt, if that is a guess.
static void make_pair(const int64_t parts[3], const int64_t named[2], int32_t permille,
                      enum ttl_source source, struct figure *five, struct figure *hour)
{
	int64_t part[3];
	for (int i = 0; i < 3; i++)
		part[i] = parts[i] / 1000 * permille + parts[i] % 1000 * permille / 1000;
	int64_t open_1h = part[0] + part[1] + part[2], open_5m = parts[0] + parts[1] + parts[2] - open_1h;
	*five = (struct figure){.exact = named[0] + parts[0] - part[0],
	                        .allocated = parts[1] - part[1],
	                        .provisional = parts[2] - part[2],
	                        .assumed = open_5m,
	                        .priced = true};
	*hour = (struct figure){.exact = named[1] + part[0],
	                        .allocated = part[1],
	                        .provisional = part[2],
	                        .assumed = open_1h,
	                        .priced = true};
	five->tokens = five->exact + five->allocated + five->provisional;
	hour->tokens = hour->exact + hour->allocated + hour->provisional;
	five->usd = usd_price(five->tokens, RATE_5M);
	hour->usd = usd_price(hour->tokens, RATE_1H);
	five->ttl_source = five->assumed ? (uint8_t)source : TTL_NAMED;
	hour->ttl_source = hour->assumed ? (uint8_t)source : TTL_NAMED;
	five->other_rate = five->assumed ? RATE_1H : 0;
	hour->other_rate = hour->assumed ? RATE_5M : 0;
	if (ttl_is_doubtful(source)) {
		five->more = usd_price(five->assumed, RATE_1H - RATE_5M);
		hour->less = usd_price(hour->assumed, RATE_1H - RATE_5M);
	}
	if (!five->tokens)
		*five = (struct figure){0};
	if (!hour->tokens)
		*hour = (struct figure){0};
}

static bool same(const struct figure *a, const struct figure *b)
{
	return a->tokens == b->tokens && a->exact == b->exact && a->allocated == b->allocated &&
	       a->provisional == b->provisional && a->assumed == b->assumed && usd_cmp(a->usd, b->usd) == 0 &&
	       usd_cmp(a->more, b->more) == 0 && usd_cmp(a->less, b->less) == 0 && a->priced == b->priced &&
	       a->ttl_source == b->ttl_source && a->other_rate == b->other_rate;
}

static void check_divided(void)
{
	int conserved = 0, equal = 0, valid = 0, n = 2000;
	for (int i = 0; i < n; i++) {
		int64_t parts[3], named[2] = {below(3) ? 0 : below(9000), below(3) ? 0 : below(9000)};
		for (int k = 0; k < 3; k++)
			parts[k] = below(2) ? below(100000) : 0;
		parts[1] += 1;
		int32_t before = (int32_t)(below(3) ? below(1001) : 1000 * below(2)),
				after = (int32_t)(below(3) ? below(1001) : 1000 * below(2));
		enum ttl_source from = (enum ttl_source)(TTL_ASSUMED + below(TTL_OF_CALLER));
		struct figure five, hour, want5, want1;
		make_pair(parts, named, before, from, &five, &hour);
		make_pair(parts, named, after, TTL_BY_MAP, &want5, &want1);
		int64_t tokens = five.tokens + hour.tokens;
		bool divided = ttl_divide(&five, &hour, after, TTL_BY_MAP);
		conserved += divided && five.tokens + hour.tokens == tokens;
		equal += divided && same(&five, &want5) && same(&hour, &want1);
		valid += figure_is_valid(&five) && figure_is_valid(&hour);
	}
	is_int(conserved, n, "tokens are conserved");
	is_int(equal, n, "the figures are those that this share would have given at first");
	is_int(valid, n, "and are valid");
}

static void check_doubts(void)
{
	const int64_t parts[] = {0, 1000, 0}, named[] = {0, 0};
	struct figure five, hour, none = {0};
	make_pair(parts, named, 0, TTL_ASSUMED, &five, &hour);
	five.rate_borrowed = five.band_estimated = true;
	five.more = usd_add(five.more, usd_price(1000, 375000)); // a tenth more in another Region
	five.less = usd_price(1000, 375000);
	five.spread = 300, five.noise = 50;
	ok(ttl_divide(&five, &hour, 1000, TTL_BY_KEY) && five.tokens == 0 && hour.tokens == 1000 &&
	       hour.usd.pico == 1000LL * RATE_1H,
	   "all of them become 1-hour writes");
	ok(hour.more.pico == 1000 * 600000 && hour.less.pico == 1000 * 600000 && hour.rate_borrowed &&
	       hour.band_estimated,
	   "the doubt about the rate moves with them, that about the TTL ends");
	ok(hour.spread == 300 && hour.noise == 50, "and so does that about the split");
	make_pair(parts, named, 0, TTL_ASSUMED, &five, &none);
	five.other_rate = 0;
	five.more = USD_ZERO;
	struct figure was = five;
	none = (struct figure){0};
	ok(!ttl_divide(&five, &none, 1000, TTL_BY_KEY) && same(&five, &was) && none.tokens == 0,
	   "of a model without a rate for one hour nothing moves");
	make_pair(parts, named, 0, TTL_ASSUMED, &five, &none);
	five.other_rate = 0;
	ok(ttl_divide(&five, &none, 1000, TTL_BY_KEY) && five.tokens == 0 && none.usd.pico == 1000LL * RATE_1H,
	   "a row of an earlier version has that rate in what it may cost on top");
	make_pair(parts, named, 0, TTL_ASSUMED, &five, &none);
	ok(ttl_divide(&five, &none, 0, TTL_BY_KEY) && five.tokens == 1000 && five.more.pico == 0,
	   "that they live for five minutes ends the doubt");
	five = (struct figure){.tokens = 1000, .allocated = 1000, .assumed = 1000, .ttl_source = TTL_ASSUMED};
	ok(ttl_divide(&five, &none, 400, TTL_BY_TAG) && five.tokens == 600 && none.tokens == 400 &&
	       !none.priced && none.usd.pico == 0,
	   "tokens without a price are divided, too");
}

int main(void)
{
	check_values();
	check_lists();
	check_shares();
	check_divided();
	check_doubts();
	return done();
}
