// SPDX-License-Identifier: Apache-2.0
// What a run over a period found, as fields of its status hash (run.h lists them).
#include <inttypes.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/text.h"
#include "base/when.h"
#include "reconcile/run_priv.h"

struct other_charge {
	struct usd usd;
	int64_t rows;
	struct str field;
};

static void add_other_charges(struct reconcile_run *w)
{
	struct arena arena = ARENA_INIT;
	struct map index = MAP_INIT;
	struct other_charge *list = NULL;
	int32_t n = 0, cap = 0;
	struct buf field = BUF_INIT;
	for (int64_t i = 0; i < w->bill.nlines; i++) {
		const struct bill_line *line = &w->bill.lines[i];
		const struct bill_kind *k = &w->bill.kinds[line->kind];
		bool added;
		w->out->billed = usd_add(w->out->billed, line->cost);
		if (bill_line_counts(&w->bill, line))
			continue;
		w->out->apart = usd_add(w->out->apart, line->cost);
		struct str what = k->usage_type.len ? k->usage_type : k->line_type;
		struct str account = w->bill.names[line->account];
		buf_clear(&field);
		buf_addf(&field, "apart %s %.*s %.*s", bill_class_names[k->class],
		         STR_ARG(account.len ? account : STR("-")), STR_ARG(what.len ? what : STR("-")));
		text_make_plain(field.data, field.len);
		int32_t *at = map_add(&index, (uint64_t)names_add(&w->names, buf_str(&field)), n, &added);
		if (added) {
			if (n == cap)
				list = xrealloc(list, (size_t)(cap = cap ? cap * 2 : 64), sizeof *list);
			list[n++] = (struct other_charge){.field = arena_str(&arena, buf_str(&field))};
		}
		list[*at].usd = usd_add(list[*at].usd, line->cost);
		list[*at].rows++;
	}
	for (int32_t i = 0; i < n; i++) {
		char usd[USD_SIZE];
		status_add(&w->status, list[i].field.p, "%s %" PRId64, usd_format_pico(list[i].usd, usd),
		           list[i].rows);
	}
	free(list);
	buf_release(&field);
	map_release(&index);
	arena_release(&arena);
}

static void add_period_fields(struct reconcile_run *w)
{
	const struct export_period *p = w->period;
	char usd[USD_SIZE];
	struct status *s = &w->status;
	text_make_plain_lines(w->bill.notes.data, w->bill.notes.len); // they quote the bill
	status_add(s, "source", "%s", w->source);
	status_add(s, "export", "%.*s", STR_ARG(w->export->name));
	status_add(s, "execution", "%.*s", STR_ARG(p->execution));
	status_add(s, "delivered_ms", "%" PRId64, p->delivered_ms);
	status_add(s, "finished_ms", "%" PRId64, when_now_ms());
	status_add(s, "duration_ms", "%" PRId64, when_ticks_ms() - w->start_ms);
	status_add(s, "files", "%d", p->nfiles);
	status_add(s, "bytes", "%" PRId64, p->bytes);
	status_add(s, "rows", "%" PRId64, w->bill.rows);
	status_add(s, "granularity", "%s", w->bill.daily ? "daily" : "hourly");
	status_add(s, "principals", "%s", w->bill.with_principal ? "yes" : "no");
	status_add(s, "invoiced", "%s", w->bill.invoiced && w->bill.last_hour ? "yes" : "no");
	status_add(s, "inference", "%s", usd_format_pico(w->join.usd, usd));
	status_add(s, "marketplace", "%s", usd_format_pico(w->join.marketplace, usd));
	status_add(s, "outside", "%s", usd_format_pico(w->join.outside_usd, usd));
	status_add(s, "notes", "%.*s", STR_ARG(buf_str(&w->bill.notes)));
}

bool reconcile_run_publish_status(struct reconcile_run *w, struct err *err)
{
	add_other_charges(w);
	add_period_fields(w);
	return publish_status(w->publish, w->period->name, &w->status, err) &&
	       publish_period(w->publish, w->period->name, err);
}
