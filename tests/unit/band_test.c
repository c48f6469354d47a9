// SPDX-License-Identifier: Apache-2.0
// How wide the error band of a group is, from the rows of an hour: nothing for the whole and for who was
// alone, as much for one side as for the other, and up to the more expensive TTL unless something says it.
#include "query/group.h"
#include "store/usage_rows.h"
#include "tests/redis_server.h"
#include "tests/tap.h"

#define ANN "arn:aws:iam::111122223333:user/ann"
#define ROLE "arn:aws:sts::111122223333:assumed-role/r/"
#define BEA "arn:aws:iam::111122223333:user/bea"

enum { HOUR = 494000, ROWS_MAX = 8 };

// A caller's tokens of one type as store/usage_rows.h has them.
struct line {
	const char *field, *value;
};

static void read_rows(const struct line *lines, int n, struct view_row *rows)
{
	for (int i = 0; i < n; i++) {
		if (!row_read(str_of(lines[i].field), str_of(lines[i].value), &rows[i]))
			ok(false, "\"%s %s\" is a row", lines[i].field, lines[i].value);
	}
}

// The groups of one model hour; groups_release is the caller's.
static void sum(struct view *v, const char *by, const struct line *lines, int n, struct groups *ret)
{
	struct view_row rows[ROWS_MAX];
	struct err err = ERR_INIT;
	struct grouping grouping;
	read_rows(lines, n, rows);
	ok(grouping_parse(&grouping, str_of(by), (struct caller_sources){.team_tag = STR("team")}, &err),
	   "by %s %s", by, err.msg);
	groups_init(ret, &grouping);
	groups_add(ret, v,
	           &(struct model_hour){.hour = HOUR,
	                                .account = STR("1"),
	                                .region = STR("r"),
	                                .model = STR("m"),
	                                .rows = rows,
	                                .nrows = n});
	groups_sort(ret, ORDER_NAME);
}

static double width(const struct group *x)
{
	return (double)usd_sub(x->usd_high, x->usd_low).pico;
}

static void split(struct view *v)
{
	static const struct line two[] = {{ANN " - input", "1000 1000000 0 1000 0 0 0 100 400"},
	                                  {BEA " - input", "9000 9000000 0 9000 0 0 0 900 3600"}};
	struct groups g;
	sum(v, "principal", two, 2, &g);
	ok(g.n == 2 && width(&g.list[0]) > 2 * 1.6 * 100 * 1000,
	   "a caller's tokens may be off by what its weight and chance leave");
	ok(width(&g.list[0]) == width(&g.list[1]),
	   "what one has too much of, the other lacks: both bands are as wide");
	groups_release(&g);
	sum(v, "model", two, 2, &g);
	ok(g.n == 1 && width(&g.list[0]) == 0, "the whole has none");
	groups_release(&g);
	sum(v, "principal", two, 1, &g);
	ok(width(&g.list[0]) == 0, "nor has who was alone");
	groups_release(&g);
}

static void ttl(struct view *v)
{
	static const struct line writes[] = {
		{ANN " - cache_write_5m", "1000 1000000 0 1000 0 1000 600000 0 0"},
		{BEA " - cache_write_5m", "1000 1000000 1000 0 0 1000 600000 0 0 ttl"}};
	static const struct line both[] = {
		{ANN " - cache_write_5m", "900 900000 0 900 0 900 540000 90 0 ttl other:1600"},
		{ANN " - cache_write_1h", "100 160000 0 100 0 100 0 10 0 ttl other:1000 less:60000"},
		{BEA " - cache_write_5m", "100000 100000000 0 100000 0 0 0 100000 0"}};
	static const struct line known = {ANN " - cache_write_5m", "1000 1000000 1000 0 0 1000 600000 0 0"};
	static const struct line longer = {ANN " - cache_write_5m", "1000 1000000 1000 0 0 0 250000 0 0 band"};
	struct groups g;
	sum(v, "principal", writes, 2, &g);
	for (int i = 0; i < 2; i++)
		ok(g.list[i].usd_high.pico == 1600000 && g.list[i].usd_low.pico == 1000000 &&
		       g.list[i].usd_ttl_estimated.pico == 1000000,
		   "writes of a TTL that nothing is known of may all live for one hour, whether that %s",
		   i ? "may pay" : "pays or not");
	groups_release(&g);
	sum(v, "principal", both, 2, &g);
	ok(g.list[0].usd.pico == 1060000 && g.list[0].usd_low.pico == 1000000 &&
	       g.list[0].usd_high.pico == 1600000 && g.list[0].usd_ttl_estimated.pico == 1060000,
	   "divided writes have a band from all of them cheaper to all of them longer");
	groups_release(&g);
	sum(v, "principal", both, 3, &g);
	// 1,060,000 with a deviation of 90 x 1000 + 10 x 1600 (split_band.h), below 1,000,000 and above 1,600,000
	ok(llabs((long long)g.list[0].usd_low.pico - (1000000 - 155929)) < 10 &&
	       llabs((long long)g.list[0].usd_high.pico - (1600000 + 195250)) < 10,
	   "their weight errs the same way: the deviations of the two add up");
	groups_release(&g);
	sum(v, "principal", &longer, 1, &g);
	ok(width(&g.list[0]) == 250000, "what longer prompts may cost has nothing to do with the TTL");
	groups_release(&g);
	sum(v, "principal", &known, 1, &g);
	ok(width(&g.list[0]) == 600000, "of exact ones nothing else is in doubt, so that is in the band");
	groups_release(&g);
}

// The width of what two sessions come to beside somebody else, who call in an hour each; or one in both.
static double width_of_role(struct view *v, const char *first, const char *second)
{
	const struct line hours[][2] = {{{first, "1000 1000000 0 1000 0 0 0 100 0"},
	                                 {BEA " - input", "9000 9000000 0 9000 0 0 0 900 0"}},
	                                {{second, "1000 1000000 0 1000 0 0 0 100 0"},
	                                 {BEA " - input", "9000 9000000 0 9000 0 0 0 900 0"}}};
	struct grouping grouping = {.n = 1, .by = {BY_ACCOUNT}, .name = {STR("account")}};
	struct group_filter only = {.by = {.n = 1, .by = {BY_PRINCIPAL}, .name = {STR("principal")}},
	                            .value = {STR("*assumed-role/r/*")},
	                            .is_pattern = {true}};
	struct groups g;
	groups_init(&g, &grouping);
	g.only = &only;
	for (int h = 0; h < 2; h++) {
		struct view_row rows[2];
		read_rows(hours[h], 2, rows);
		groups_add(&g, v,
		           &(struct model_hour){.hour = HOUR + h,
		                                .account = STR("1"),
		                                .region = STR("r"),
		                                .model = STR("m"),
		                                .rows = rows,
		                                .nrows = 2});
	}
	double ret = g.n == 1 ? width(&g.list[0]) : -1;
	groups_release(&g);
	return ret;
}

static void hours(struct view *v)
{
	double one = width_of_role(v, ROLE "s-1 - input", ROLE "s-1 - input"),
		   two = width_of_role(v, ROLE "s-1 - input", ROLE "s-2 - input");
	if (!ok(one > 1.35 * two && one < 1.5 * two,
	        "hours of one caller err the same way, those of two callers each their own"))
		diag("%.0f and %.0f", one, two);
}

static void round_trip(void)
{
	const struct view_row row = {.principal = STR(ANN),
	                             .tagset = STR("-"),
	                             .kind = ROW_TOKENS,
	                             .type = TOKEN_CACHE_WRITE_5M,
	                             .figure = {.tokens = 5,
	                                        .exact = 5,
	                                        .assumed = 5,
	                                        .ttl_source = TTL_OF_ROLE,
	                                        .other_rate = 16,
	                                        .usd = {50},
	                                        .less = {20},
	                                        .priced = true,
	                                        .ttl_may_be_1h = true,
	                                        .rate_borrowed = true,
	                                        .band_estimated = true}};
	struct view_row read;
	struct buf field = BUF_INIT, value = BUF_INIT;
	row_format_field(&row, &field);
	row_format_value(&row, &value);
	ok(row_read(buf_str(&field), buf_str(&value), &read) && read.figure.ttl_may_be_1h &&
	       read.figure.band_estimated && read.figure.rate_borrowed && read.figure.less.pico == 20 &&
	       read.figure.ttl_source == TTL_OF_ROLE && read.figure.other_rate == 16,
	   "what a row says of them is read back");
	buf_release(&field);
	buf_release(&value);
}

int main(void)
{
	struct redis_server server;
	struct err err = ERR_INIT;
	struct view *v;
	if (!redis_server_start(&server))
		skip_all("redis-server does not start");
	round_trip();
	if (ok(view_open(&v, (struct redis_target){server.url, NULL, "nowcast", NULL}, &err), "a view %s",
	       err.msg)) {
		split(v);
		ttl(v);
		hours(v);
		view_close(v);
	}
	redis_server_stop(&server);
	return done();
}
