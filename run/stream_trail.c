// SPDX-License-Identifier: Apache-2.0
// One request of the stream of a trail: of the queue that tells of its files, or of the listing of its
// bucket, and the files themselves.
//
// A trail's files are PREFIX/AWSLogs/[ORGANISATION/]ACCOUNT/CloudTrail/REGION/2026/11/02/ and then
// ACCOUNT_CloudTrail_REGION_20261102T0505Z_....json.gz, by the time of their delivery. Which accounts and
// Regions there are is looked up by listing folders. (AWS CloudTrail User Guide, "Finding your CloudTrail log
// files".)
#include <stdio.h>
#include <stdlib.h>

#include "aws/s3.h"
#include "base/arn.h"
#include "base/when.h"
#include "run/streams_priv.h"

enum {
	OBJECT_TRIES = 5,              // then the others are read
	FOLDERS_EVERY_MS = 15 * 60000, // a new account or Region is found within
	DAY_MS = 86400000,
};

// ---- a queue ------------------------------------------------------------------------------------

static void add_object(void *user, struct s3_name object)
{
	struct stream *s = user;
	if (s->nobjects == s->objects_cap)
		s->objects =
			xrealloc(s->objects, (size_t)(s->objects_cap = 2 * s->objects_cap + 16), sizeof *s->objects);
	s->objects[s->nobjects++] = (struct stream_object){.name = object};
}

// A message that tells of no object may be a record itself, as EventBridge sends them: the decoder decides.
static enum aws_fault receive_messages(struct streams *all, struct stream *s, struct aws_answer *answer,
                                       struct err *err)
{
	const struct aws_place at = stream_at(s);
	enum aws_fault fault = sqs_receive(&at, all->options.conf->trail_queue, &s->batch, answer, err);
	s->nobjects = 0;
	if (fault == AWS_NONE && s->batch.n)
		s->note = NULL;
	for (int i = 0; fault == AWS_NONE && i < s->batch.n; i++) {
		int first = s->nobjects;
		if (sqs_objects(s->batch.v[i].body, &s->batch.arena, add_object, s) < 0)
			stream_give(all, s, s->batch.v[i].body);
		for (int k = first; k < s->nobjects; k++)
			s->objects[k].message = i;
	}
	s->listing = fault == AWS_NONE;
	return fault;
}

// Its message stays in the queue and comes again, and the queue's own rule says how often. The others are
// read.
static void leave_object(struct stream *s, const struct stream_object *o, const struct err *why)
{
	s->batch.v[o->message].receipt = STR_NONE;
	err_clear(&s->why);
	err_set(&s->why, ERR_CONFIG, "a file is not read: %.*s: %s", STR_ARG(o->name.key), why->msg);
	s->note = s->why.msg;
}

static enum aws_fault read_object(struct streams *all, struct stream *s, struct err *err)
{
	const struct stream_object *o = &s->objects[s->part];
	struct buf data = BUF_INIT, path = BUF_INIT;
	struct err why = ERR_INIT;
	enum aws_fault fault = AWS_NONE;
	bool expired = false;
	if (s3_read(&s->place->account->credentials, s->place->region, o->name, &data, &expired, &why)) {
		buf_addf(&path, "s3://%.*s/%.*s", STR_ARG(o->name.bucket), STR_ARG(o->name.key));
		all->options.hooks.on_message(all->options.hooks.user, s, path.data, buf_str(&data));
	} else if (why.kind == ERR_SKIP) {
		s->note = "files that the queue told of were deleted before they were read";
	} else if (why.kind == ERR_RETRY && (expired || s->tries < OBJECT_TRIES)) {
		err_set(err, ERR_RETRY, "%s", why.msg);
		fault = expired ? AWS_EXPIRED : AWS_UNREACHABLE;
	} else {
		leave_object(s, o, &why);
	}
	buf_release(&data);
	buf_release(&path);
	return fault;
}

static enum aws_fault read_queue(struct streams *all, struct stream *s, bool *ret_complete,
                                 struct aws_answer *answer, struct err *err)
{
	enum aws_fault fault;
	if (!s->listing) {
		fault = receive_messages(all, s, answer, err);
	} else {
		fault = read_object(all, s, err);
		s->part += fault == AWS_NONE;
		s->events += fault == AWS_NONE;
	}
	*ret_complete = fault == AWS_NONE && s->part == s->nobjects;
	return fault;
}

// ---- a listing ----------------------------------------------------------------------------------

void trail_folders_release(struct trail_folders *t)
{
	s3_page_release(&t->page);
	arena_release(&t->arena);
	free(t->open);
	free(t->regions);
	*t = (struct trail_folders){0};
}

static void add_text(struct trail_folders *t, struct str **list, int *n, int *cap, struct str text)
{
	if (*n == *cap)
		*list = xrealloc(*list, (size_t)(*cap = 2 * *cap + 8), sizeof **list);
	(*list)[(*n)++] = arena_str(&t->arena, text);
}

static void begin_folders(struct trail_folders *t, const char *uri)
{
	struct str rest = str_of(uri);
	struct buf top = BUF_INIT;
	arena_reset(&t->arena);
	t->nopen = t->nregions = t->at = 0;
	t->after = STR_NONE;
	t->looking = true;
	rest.p += 5, rest.len -= 5; // s3://, by base/conf.c
	t->bucket = arena_str(&t->arena, str_cut(&rest, '/'));
	while (str_ends(rest, STR("/")))
		rest.len--;
	buf_addf(&top, "%.*s%s", STR_ARG(rest), rest.len ? "/" : "");
	if (!strstr(top.data, "AWSLogs/"))
		buf_adds(&top, "AWSLogs/");
	add_text(t, &t->open, &t->nopen, &t->open_cap, buf_str(&top));
	buf_release(&top);
}

static void add_folder(struct trail_folders *t, struct str folder, const struct conf_list *regions)
{
	struct str above = {folder.p, folder.len - 1}, name = str_after_last(above, '/'); // without its slash
	struct buf below = BUF_INIT;
	above.len -= name.len;
	if (str_ends(above, STR("/CloudTrail/"))) {
		if (!regions->n || conf_list_has(regions, name))
			add_text(t, &t->regions, &t->nregions, &t->regions_cap, folder);
		return;
	}
	buf_addstr(&below, folder);
	if (arn_is_account(name))
		buf_adds(&below, "CloudTrail/");
	if (arn_is_account(name) || str_starts(name, STR("o-")) || str_is(name, "CloudTrail"))
		add_text(t, &t->open, &t->nopen, &t->open_cap, buf_str(&below));
	buf_release(&below);
}

// One request of looking which accounts and Regions the trail has.
static enum aws_fault find_folders(const struct streams *all, struct stream *s, struct err *err)
{
	struct trail_folders *t = &s->folders;
	const struct aws_place at = stream_at(s);
	bool more = false;
	t->page.bucket = t->bucket;
	enum aws_fault fault = file_walk_list(&t->page, &at, t->open[t->at], t->after, true, &more, err);
	if (fault != AWS_NONE)
		return fault;
	for (size_t i = 0; i < t->page.n; i++)
		add_folder(t, t->page.objects[i].key, &all->options.conf->regions);
	t->after = more ? arena_str(&t->arena, t->page.objects[t->page.n - 1].key) : STR_NONE;
	t->at += !more;
	if (t->at < t->nopen)
		return AWS_NONE;
	t->looking = false;
	t->found_ms = when_ticks_ms();
	s->note = t->nregions ? NULL : "trail.files has no AWSLogs/ACCOUNT/CloudTrail/REGION/ below it";
	return AWS_NONE;
}

// Of each day of the span; of the first one, from the time on at which the span begins.
static void begin_days(struct stream *s)
{
	struct trail_folders *t = &s->folders;
	struct buf day = BUF_INIT, after = BUF_INIT;
	file_walk_begin(&s->files, t->bucket);
	for (int i = 0; i < t->nregions; i++) {
		struct str region = {t->regions[i].p, t->regions[i].len - 1}, account = region;
		region = str_after_last(region, '/');
		account.len -= region.len + strlen("/CloudTrail/");
		account = str_after_last(account, '/');
		for (int64_t ms = s->from_ms; ms / DAY_MS <= s->to_ms / DAY_MS; ms += DAY_MS) {
			char w[WHEN_SIZE];
			when_format(ms, w);
			buf_clear(&day);
			buf_clear(&after);
			buf_addf(&day, "%.*s%.4s/%.2s/%.2s/", STR_ARG(t->regions[i]), w, w + 5, w + 8);
			if (ms == s->from_ms)
				buf_addf(&after, "%s%.*s_CloudTrail_%.*s_%.4s%.2s%.2sT%.2s%.2s", day.data, STR_ARG(account),
				         STR_ARG(region), w, w + 5, w + 8, w + 11, w + 14);
			file_walk_add(&s->files, buf_str(&day), buf_str(&after));
		}
	}
	s->walking = true;
	buf_release(&day);
	buf_release(&after);
}

static enum aws_fault read_listing(struct streams *all, struct stream *s, bool *ret_complete, struct err *err)
{
	struct trail_folders *t = &s->folders;
	if (!t->looking && !s->walking && (!t->found_ms || when_ticks_ms() - t->found_ms > FOLDERS_EVERY_MS))
		begin_folders(t, all->options.conf->trail_files);
	if (t->looking)
		return find_folders(all, s, err);
	if (!s->walking)
		begin_days(s);
	return stream_read_files(all, s, ret_complete, err);
}

enum aws_fault stream_read_trail(struct streams *all, struct stream *s, bool *ret_complete,
                                 struct aws_answer *answer, struct err *err)
{
	return *all->options.conf->trail_files ? read_listing(all, s, ret_complete, err)
	                                       : read_queue(all, s, ret_complete, answer, err);
}
