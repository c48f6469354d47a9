// SPDX-License-Identifier: Apache-2.0
// `nowcast reconcile`: one run, with a summary on standard output.
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "base/when.h"
#include "cli/commands.h"
#include "reconcile/run.h"

enum { SHOWN_MS = 200 };

static void print_summary(const struct reconciliation *r)
{
	char usd[USD_SIZE], when[WHEN_SIZE];
	printf("%-16s %" PRId64 "\n", "run", r->run);
	printf("%-16s %" PRId64 "\n", "periods", r->periods);
	printf("%-16s %" PRId64 " (%" PRId64 " KiB)\n", "files", r->files, r->bytes / 1024);
	printf("%-16s %" PRId64 "\n", "bedrock_rows", r->rows);
	printf("%-16s %s USD\n", "billed", usd_format(r->billed, 6, usd));
	printf("%-16s %s USD of inference\n", "", usd_format(r->inference, 6, usd));
	printf("%-16s %s USD of other charges (tax, credits, reserved capacity and others)\n", "",
	       usd_format(r->apart, 6, usd));
	printf("%-16s %s\n", "final_up_to",
	       r->watermark ? when_format(r->watermark * MS_PER_HOUR, when)
	                    : "nothing yet");
	printf("%-16s %d\n", "rates_learned", r->rates);
	printf("%-16s %" PRId64 ".%03d\n", "seconds", r->duration_ms / 1000, (int)(r->duration_ms % 1000));
	if (r->overtaken)
		puts("A later run was faster for some accounts: its figures are kept.");
	if (r->notes.len)
		printf("\n%s", r->notes.data);
}

// Redraws one line on the terminal, and erases it once the file is complete.
static void show_progress(void *last_ms, struct str key, int64_t done, int64_t size)
{
	int64_t *last = last_ms, now = when_ticks_ms();
	if (now - *last >= SHOWN_MS) {
		struct buf name = BUF_INIT;
		buf_addstr(&name, key);
		text_make_plain(name.data, name.len);
		fprintf(stderr, "\r\033[Kfetching %s: %" PRId64 " of %" PRId64 " KiB", name.data, done / 1024,
		        size / 1024);
		buf_release(&name);
		*last = now;
	}
	if (done >= size)
		fputs("\r\033[K", stderr);
	fflush(stderr);
}

static void show_period(void *last_ms, struct str period, int i, int of)
{
	(void)last_ms;
	fprintf(stderr, "\r\033[Kreading the bill of %.*s, %d of %d", STR_ARG(period), i, of);
	fflush(stderr);
}

int cmd_reconcile(struct command *c)
{
	struct err err = ERR_INIT;
	struct reconciliation r;
	const char *period = NULL;
	int64_t shown_ms = 0;
	bool terminal = isatty(STDERR_FILENO);
	struct reconcile_progress progress = {0};
	if (terminal)
		progress = (struct reconcile_progress){show_progress, show_period, &shown_ms};
	bool unless_fresh = command_switch(c, "--unless-fresh"), fresh = false;
	if (!command_option(c, "--period", &period, &err) ||
	    (unless_fresh && !reconcile_is_fresh(&c->conf, c->conf.reconcile_every_ms / 10 * 9, &fresh, &err)))
		return command_fail(c, &err);
	if (fresh) {
		puts("the last run is younger than reconcile.every: nothing to do");
		return STATUS_OK;
	}
	if (!command_done(c, *c->conf.reconcile_source ? 0 : 1, 1, &err) ||
	    !reconcile_run(&r, &c->conf, c->argc ? c->argv[0] : c->conf.reconcile_source, str_of(period),
	                   &progress, &err)) {
		if (terminal)
			fputs("\r\033[K", stderr);
		return command_fail(c, &err);
	}
	if (terminal)
		fputs("\r\033[K", stderr);
	print_summary(&r);
	reconciliation_release(&r);
	return STATUS_OK;
}
