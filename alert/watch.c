// SPDX-License-Identifier: Apache-2.0
// Every daemon runs this thread. The one that holds the lease evaluates and delivers; the others ask for the
// lease at each turn and take over when it expires. No record waits for this thread, and messages are sent
// between two turns, so that no receiver delays a turn.
#include "alert/watch.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/outbox.h"
#include "alert/turn.h"
#include "base/log.h"
#include "base/when.h"

enum { TICK_MS = 200, OUTBOX_MS = 500, END_MS = 3000, TOKEN_SIZE = 33 };

struct alert_watch {
	pthread_t thread;
	atomic_bool stop, reload;
	const struct conf *conf;
	struct alert_rules rules;
	struct rollups *rollups;
	struct alert_outbox *outbox;
	char token[TOKEN_SIZE];
	int64_t turn_due_ms, outbox_due_ms; // when_ticks_ms
	bool mine;                // the lease, as of the last turn
};

static void new_token(char ret[TOKEN_SIZE])
{
	unsigned char raw[TOKEN_SIZE / 2];
	int failed = getentropy(raw, sizeof raw);
	assert(!failed); // it fails for more than 256 bytes only
	for (size_t i = 0; i < sizeof raw; i++)
		snprintf(ret + 2 * i, 3, "%02x", raw[i]);
}

// Alerts of rules that are gone end by themselves; messages for receivers that are gone are given up visibly.
static void reload_rules(struct alert_watch *w)
{
	struct err err = ERR_INIT;
	struct alert_rules fresh;
	w->reload = false;
	if (alert_rules_load(&fresh, w->conf, &err)) {
		alert_rules_release(&w->rules);
		w->rules = fresh;
		log_info("alert rules read again", LOG_INT("rules", fresh.nrules),
		         LOG_INT("receivers", fresh.nreceivers));
	} else {
		alert_rules_release(&fresh);
		log_error("the alert rules were not taken; those in force stay", LOG_STR("why", err.msg));
	}
}

// A turn if one is due, then the messages.
static bool run_step(struct alert_watch *w, struct err *err)
{
	struct alert_turn turn = {0};
	struct alert_sent sent = {0};
	int64_t now = when_ticks_ms();
	bool good = true;
	if (now >= w->turn_due_ms) {
		w->turn_due_ms = now + w->conf->alerts_interval_ms;
		w->outbox_due_ms = now;
		good = alert_turn(&w->rules, w->rollups, w->conf, w->token, when_now_ms(), &turn, err);
		w->mine = turn.mine;
	}
	bool reads_outbox = w->mine && now >= w->outbox_due_ms;
	if (reads_outbox)
		w->outbox_due_ms = now + OUTBOX_MS;
	return good && (!(reads_outbox || alert_outbox_busy(w->outbox)) ||
	                alert_outbox_step(w->outbox, reads_outbox ? &w->rules : NULL, &sent, err));
}

static void *watch_main(void *user)
{
	struct alert_watch *w = user;
	bool good = true;
	w->turn_due_ms = when_ticks_ms() + w->conf->alerts_interval_ms;
	for (; !w->stop; alert_outbox_wait(w->outbox, TICK_MS)) {
		struct err err = ERR_INIT;
		if (w->reload)
			reload_rules(w);
		good = run_step(w, &err);
		if (!good)
			log_warn("the alerts were not evaluated this time", LOG_STR("why", err.msg));
	}
	for (int64_t end = when_ticks_ms() + END_MS;
	     good && alert_outbox_busy(w->outbox) && when_ticks_ms() < end;
	     alert_outbox_wait(w->outbox, TICK_MS)) {
		struct err err = ERR_INIT;
		struct alert_sent sent = {0};
		good = alert_outbox_step(w->outbox, NULL, &sent, &err);
	}
	if (good) // else Redis does not answer, and the lease expires
		alert_lease_end(view_redis(rollups_view(w->rollups)), w->conf, w->token);
	return NULL;
}

bool alert_watch_start(struct alert_watch **ret, const struct conf *conf, struct err *err)
{
	struct alert_watch *w = xcalloc(1, sizeof *w);
	w->conf = conf;
	new_token(w->token);
	bool good = alert_rules_load(&w->rules, conf, err) &&
	            rollups_open(&w->rollups, redis_target_of(conf), err) &&
	            view_map(rollups_view(w->rollups), conf, err);
	if (good) {
		rollups_limit(w->rollups, (size_t)conf->alerts_memory);
		w->outbox = alert_outbox_new(view_redis(rollups_view(w->rollups)), conf->redis_prefix);
	}
	if (good && pthread_create(&w->thread, NULL, watch_main, w) != 0)
		good = err_set(err, ERR_FATAL, "no thread for the alerts");
	if (!good) {
		alert_outbox_free(w->outbox);
		rollups_close(w->rollups);
		alert_rules_release(&w->rules);
		free(w);
		return false;
	}
	*ret = w;
	return true;
}

void alert_watch_reload(struct alert_watch *w)
{
	if (w)
		w->reload = true;
}

void alert_watch_quit(struct alert_watch *w)
{
	if (w)
		w->stop = true;
}

void alert_watch_stop(struct alert_watch *w)
{
	if (!w)
		return;
	alert_watch_quit(w);
	pthread_join(w->thread, NULL);
	alert_outbox_free(w->outbox);
	rollups_close(w->rollups);
	alert_rules_release(&w->rules);
	free(w);
}
