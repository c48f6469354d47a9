// SPDX-License-Identifier: Apache-2.0
// What is declared is applied when figures are read, as the mapping file is: nothing in Redis depends on it,
// so a declaration holds at once, for the past as far as it says, and whoever computes the hours need not
// know of it.
#include "base/cache_ttl.h"
#include "estimator/ttl_divide.h"
#include "store/view_priv.h"

static struct declared_ttl declared(int32_t permille, enum ttl_source source, const struct mapping_line *line)
{
	return (struct declared_ttl){permille, permille == CACHE_TTL_UNKNOWN ? TTL_NAMED : source, line};
}

struct declared_ttl view_declared_ttl(struct view *v, const struct model_hour *model_hour,
                                      const struct view_row *row)
{
	const struct conf *conf = v->conf;
	int key = mapping_find_key(v->mapping, STR(CACHE_TTL_COLUMN));
	int32_t permille = CACHE_TTL_UNKNOWN;
	if (!conf)
		return declared(permille, TTL_NAMED, NULL);
	struct mapped m = key < 0 ? (struct mapped){STR_NONE, NULL} : view_mapped(v, model_hour, row, key);
	if (m.value.p) { // "-", or one that holds for some of those who were counted together: not declared
		cache_ttl_parse(m.value, &permille);
		return declared(permille, TTL_BY_MAP, m.line);
	}
	if (*conf->cache_ttl_tag &&
	    cache_ttl_parse(view_tag(v, model_hour, row, str_of(conf->cache_ttl_tag)), &permille))
		return declared(permille, TTL_BY_TAG, NULL);
	return declared(cache_ttl_list_at(str_of(conf->cache_ttl), model_hour->hour), TTL_BY_KEY, NULL);
}

static bool is_write(const struct view_row *r)
{
	return r->kind == ROW_TOKENS && (r->type == TOKEN_CACHE_WRITE_5M || r->type == TOKEN_CACHE_WRITE_1H);
}

// Whether writes were taken for 1-hour ones of a model that has no rate for these.
static bool lacks_1h_rate(const struct figure *five, const struct figure *hour)
{
	return hour->assumed == hour->tokens && ttl_is_doubtful((enum ttl_source)hour->ttl_source) &&
	       hour->other_rate == 0 && five->other_rate == 0;
}

// Writes the writes of one caller in one rate class, rows[0..n-1], as they are declared. Returns how many
// rows they are.
static int divide_writes(struct view *v, const struct model_hour *model_hour, const struct view_row *rows,
                         int n, struct view_row *out)
{
	struct view_row five = rows[0], hour = rows[n - 1];
	int kept = 0;
	if (five.type == TOKEN_CACHE_WRITE_1H)
		five.figure = (struct figure){0};
	if (hour.type == TOKEN_CACHE_WRITE_5M)
		hour.figure = (struct figure){0};
	five.type = TOKEN_CACHE_WRITE_5M;
	hour.type = TOKEN_CACHE_WRITE_1H;
	struct declared_ttl d = {0};
	if (five.figure.assumed || hour.figure.assumed)
		d = view_declared_ttl(v, model_hour, rows);
	bool divided = d.source != TTL_NAMED && ttl_divide(&five.figure, &hour.figure, d.permille, d.source);
	if (!divided && lacks_1h_rate(&five.figure, &hour.figure))
		divided = ttl_divide(&five.figure, &hour.figure, 0, (enum ttl_source)hour.figure.ttl_source);
	if (!divided) {
		memcpy(out, rows, (size_t)n * sizeof *rows);
		return n;
	}
	if (five.figure.tokens)
		out[kept++] = five;
	if (hour.figure.tokens)
		out[kept++] = hour;
	return kept;
}

void view_apply_ttl(struct view *v, struct model_hour *model_hour, struct arena *arena)
{
	const struct view_row *rows = model_hour->estimate;
	int n = model_hour->nestimate, kept = 0, most = n;
	for (int i = 0; i < n; i++)
		most += is_write(&rows[i]);
	if (most == n)
		return;
	struct view_row *out = arena_alloc(arena, ((size_t)most + 1) * sizeof *out);
	for (int i = 0, end; i < n; i = end) {
		end = i + 1;
		if (!is_write(&rows[i])) {
			out[kept++] = rows[i];
			continue;
		}
		if (end < n && is_write(&rows[end]) && row_shares_price(&rows[i], &rows[end]))
			end++;
		kept += divide_writes(v, model_hour, rows + i, end - i, out + kept);
	}
	model_hour->estimate = out;
	model_hour->nestimate = kept;
}
