// SPDX-License-Identifier: Apache-2.0
#include "run/replay_s3.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws/s3.h"
#include "base/when.h"

enum { LATE_MS = MS_PER_HOUR }; // a record is in a file of a later name, by a quarter of an hour or so

// ..._CloudTrail_us-east-1_20261102T0505Z_....json.gz
static bool time_in_name(struct str key, int64_t *ret_ms)
{
	struct str name = str_after_last(key, '/');
	while (name.len) {
		struct str part = str_cut(&name, '_');
		char text[20];
		if (part.len != 14 || part.p[8] != 'T' || part.p[13] != 'Z')
			continue;
		snprintf(text, sizeof text, "%.13s00Z", part.p);
		if (when_parse(str_of(text), ret_ms))
			return true;
	}
	return false;
}

static bool is_wanted(const struct replay_s3 *r, const struct s3_object *o)
{
	int64_t ms = o->modified_ms;
	if (o->size == 0 || str_ends(o->key, STR("/"))) // folders as the console makes them
		return false;
	if (!r->from_ms && !r->to_ms)
		return true;
	time_in_name(o->key, &ms);
	return ms >= r->from_ms && (!r->to_ms || ms <= r->to_ms + LATE_MS);
}

// Deletes the copy, and the folders above it that are empty, up to the one of all copies.
static void delete_copy(const char *folder, const char *path)
{
	struct buf b = BUF_INIT;
	unlink(path);
	buf_adds(&b, path);
	while (b.len > strlen(folder) + 1) {
		while (b.len && b.data[b.len - 1] != '/')
			b.len--;
		b.data[b.len ? --b.len : 0] = '\0';
		if (b.len <= strlen(folder) || rmdir(b.data) != 0)
			break;
	}
	buf_release(&b);
}

static bool read_object(struct replay_s3 *r, struct s3 *s, const struct s3_object *o, const char *folder,
                        struct err *err)
{
	struct buf path = BUF_INIT, uri = BUF_INIT;
	struct err gone = ERR_INIT;
	buf_addf(&path, "%.*s/%.*s", STR_ARG(s->folder), STR_ARG(o->key));
	buf_addf(&uri, "s3://%.*s/%.*s", STR_ARG(s->bucket), STR_ARG(o->key));
	bool good = s3_fetch(s, buf_str(&path), &gone);
	if (good) {
		good = r->read(r->user, path.data, uri.data, err);
		r->objects++;
	} else if (gone.kind == ERR_SKIP) {
		r->gone++; // a rule of the bucket deletes old files while this runs
		good = true;
	} else {
		err_set(err, gone.kind, "%s: %s", uri.data, gone.msg);
	}
	delete_copy(folder, path.data);
	buf_release(&path);
	buf_release(&uri);
	return good;
}

bool replay_s3(struct replay_s3 *r, const char *uri, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	struct s3 s = {0};
	struct buf folder = BUF_INIT;
	buf_addf(&folder, "%s/nowcast-replay-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(folder.data)) {
		err_set(err, ERR_CONFIG, "%s: cannot be made: %s; TMPDIR names another folder", folder.data,
		        strerror(errno));
		buf_release(&folder);
		return false;
	}
	bool good = s3_open_prefix(&s, uri, folder.data, err);
	for (size_t i = 0; good && i < s.n; i++)
		if (is_wanted(r, &s.objects[i]))
			good = read_object(r, &s, &s.objects[i], folder.data, err);
	s3_close(&s);
	rmdir(folder.data);
	buf_release(&folder);
	return good;
}
