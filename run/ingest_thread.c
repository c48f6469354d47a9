// SPDX-License-Identifier: Apache-2.0
#include "run/ingest_thread.h"

#include "base/when.h"

void ingest_thread_init(struct ingest_thread *t, const struct prices *prices)
{
	t->prices = t->shown.prices = prices;
	t->shown.turned_ms = when_ticks_ms();
	atomic_init(&t->stop_ms, 0);
	atomic_init(&t->offered, prices);
	pthread_mutex_init(&t->lock, NULL);
}

void ingest_thread_destroy(struct ingest_thread *t)
{
	pthread_mutex_destroy(&t->lock);
}

void ingest_thread_stop(struct ingest_thread *t)
{
	int64_t never = 0;
	atomic_compare_exchange_strong(&t->stop_ms, &never, when_ticks_ms());
}

void ingest_thread_set_prices(struct ingest_thread *t, const struct prices *p)
{
	atomic_store(&t->offered, p);
}

void ingest_thread_read_stats(struct ingest_thread *t, struct ingest_stats *ret)
{
	pthread_mutex_lock(&t->lock);
	*ret = t->shown;
	pthread_mutex_unlock(&t->lock);
}

bool ingest_thread_is_stopping(const struct ingest_thread *t)
{
	return atomic_load_explicit(&t->stop_ms, memory_order_relaxed) != 0;
}

bool ingest_thread_has_stopped_for(const struct ingest_thread *t, int64_t ms)
{
	return ingest_thread_is_stopping(t) && when_ticks_ms() >= atomic_load(&t->stop_ms) + ms;
}

void ingest_thread_adopt_prices(struct ingest_thread *t, struct intake *in)
{
	const struct prices *p = atomic_load(&t->offered);
	if (p == t->prices)
		return;
	engine_set_prices(in->engine, p);
	t->prices = p;
}

void ingest_thread_publish(struct ingest_thread *t, const struct intake *in, struct ingest_stats own)
{
	const struct decode_counts *d = decoder_counts(in->decoder);
	const struct engine_counts *e = engine_counts(in->engine);
	own.messages = d->messages;
	for (int k = 0; k < RECORD_KINDS; k++)
		own.records += d->records[k];
	own.calls = e->calls_new;
	own.ignored = d->ignored;
	own.faults = d->faults + in->refused;
	own.late = e->late;
	own.future = e->future;
	own.settled = e->settled;
	own.round_trips = e->round_trips;
	for (int why = 0; why < TELEMETRY_UNUSED; why++)
		own.telemetry_unused += e->telemetry[why];
	own.dead_sent = in->dead.sent;
	own.dead_filed = in->dead.filed;
	own.dead_logged = in->dead.logged;
	own.dead_waiting = (int64_t)in->dead.n;
	own.gap_messages = in->gap_messages;
	own.untrusted = in->refused_for[FAULT_UNTRUSTED];
	own.custom_events = in->refused_for[FAULT_CUSTOM_EVENT];
	own.foreign_accounts = in->refused_for[FAULT_FOREIGN_ACCOUNT];
	own.turned_ms = when_ticks_ms();
	own.prices = t->prices;
	own.safe = t->shown.safe; // written by this thread only
	pthread_mutex_lock(&t->lock);
	t->shown = own;
	pthread_mutex_unlock(&t->lock);
}

void ingest_thread_mark_safe(struct ingest_thread *t)
{
	pthread_mutex_lock(&t->lock);
	t->shown.safe = true;
	pthread_mutex_unlock(&t->lock);
}

void ingest_thread_mark_ended(struct ingest_thread *t)
{
	pthread_mutex_lock(&t->lock);
	t->shown.ended = true;
	pthread_mutex_unlock(&t->lock);
}
