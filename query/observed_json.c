// SPDX-License-Identifier: Apache-2.0
#include "query/observed_json.h"

#include "base/when.h"

enum { PLACES = 3 };

void observed_json_part(struct json_writer *j, const char *key, const struct observed *o, int64_t from,
                        int64_t to)
{
	int permille = observed_permille(o, from, to);
	if (permille < 0)
		jw_null(j, key);
	else if (permille % 1000 == 0)
		jw_int(j, key, permille / 1000);
	else
		jw_real(j, key, permille / 1000.0, PLACES);
}

void observed_json_gaps(struct json_writer *j, const struct observed *o, int64_t from, int64_t to)
{
	jw_array(j, "unobserved");
	for (int i = 0; i < o->ngaps; i++) {
		const struct observed_gap *g = &o->gaps[i];
		if (g->to <= from || g->from >= to)
			continue;
		jw_line(j);
		jw_object(j, NULL);
		jw_time(j, "from", (g->from > from ? g->from : from) * MS_PER_MINUTE);
		jw_time(j, "to", (g->to < to ? g->to : to) * MS_PER_MINUTE);
		jw_str(j, "why", g->why);
		jw_end(j);
	}
	jw_end(j);
}
