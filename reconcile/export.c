// SPDX-License-Identifier: Apache-2.0
// Manifests are looked for by walking down from where the user points, so that the export's folder, its
// prefix, or the root of a bucket's copy all do. What they name are s3:// URIs: the part from "/data/" on is
// looked up beside the manifest.
#include "reconcile/export.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/when.h"

enum { DEPTH_MAX = 8, MANIFESTS_MAX = 10000, MANIFEST_BYTES_MAX = 64 << 20 };

static const struct str partition = STR("BILLING_PERIOD=");

struct manifest {
	struct str path, root, period, execution;
	int64_t time_ms;
};

struct search {
	struct export *export;
	struct manifest *list;
	int n, cap;
};

// ---- names --------------------------------------------------------------------------------------

bool export_period_hours(struct str period, int64_t *ret_first, int64_t *ret_end)
{
	char day[16], after[WHEN_SIZE];
	int64_t first, end;
	if (period.len != 7)
		return false;
	snprintf(day, sizeof day, "%.7s-01", period.p);
	if (!when_parse(str_of(day), &first))
		return false;
	when_format(first + (int64_t)32 * 24 * MS_PER_HOUR, after); // somewhere in the next month
	snprintf(day, sizeof day, "%.7s-01", after);
	if (!when_parse(str_of(day), &end) || end == first)
		return false;
	*ret_first = first / MS_PER_HOUR;
	*ret_end = end / MS_PER_HOUR;
	return true;
}

static struct str join(struct arena *a, struct str folder, struct str name)
{
	struct buf b = BUF_INIT;
	buf_addf(&b, "%.*s/%.*s", STR_ARG(folder), STR_ARG(name));
	struct str s = arena_str(a, buf_str(&b));
	buf_release(&b);
	return s;
}

// Where `needle` last begins in `s`; NULL: nowhere.
static const char *find_last(struct str s, const char *needle)
{
	size_t n = strlen(needle);
	for (size_t i = s.len >= n ? s.len - n + 1 : 0; i > 0; i--)
		if (memcmp(s.p + i - 1, needle, n) == 0)
			return s.p + i - 1;
	return NULL;
}

// ".../metadata/BILLING_PERIOD=2026-11/[EXECUTION/]X-Manifest.json" into its parts; false if it is none.
static bool read_path(struct manifest *m, struct str path)
{
	const char *at = find_last(path, "/metadata/BILLING_PERIOD=");
	int64_t first, end;
	if (!at)
		return false;
	struct str rest = {at + strlen("/metadata/"), (size_t)(path.p + path.len - at) - strlen("/metadata/")};
	rest.p += partition.len;
	rest.len -= partition.len;
	m->path = path;
	m->root = (struct str){path.p, (size_t)(at - path.p)};
	m->period = str_cut(&rest, '/');
	m->execution = memchr(rest.p ? rest.p : "", '/', rest.len) ? str_cut(&rest, '/') : STR_NONE;
	return export_period_hours(m->period, &first, &end);
}

// ---- the search ---------------------------------------------------------------------------------

// "2024-04-02T13:14:43.337Z-6b622448-..." begins with the time of the execution.
static int64_t delivery_time(const struct manifest *m, const struct stat *st)
{
	struct str time = m->execution;
	for (size_t i = 0; i < time.len; i++)
		if (time.p[i] == 'Z')
			time.len = i + 1;
	int64_t ms;
	if (time.len && when_parse(time, &ms))
		return ms;
	return (int64_t)st->st_mtim.tv_sec * 1000;
}

static void found(struct search *s, struct str path, const struct stat *st)
{
	struct manifest m;
	if (!read_path(&m, path))
		return;
	m.time_ms = delivery_time(&m, st);
	if (s->n == s->cap)
		s->list = xrealloc(s->list, (size_t)(s->cap = s->cap ? s->cap * 2 : 16), sizeof *s->list);
	s->list[s->n++] = m;
}

static void walk(struct search *s, struct str folder, int depth)
{
	DIR *dir = depth < DEPTH_MAX ? opendir(folder.p) : NULL;
	struct dirent *e;
	while (dir && s->n <= MANIFESTS_MAX && (e = readdir(dir))) {
		struct stat st;
		if (e->d_name[0] == '.' || strcmp(e->d_name, "data") == 0)
			continue;
		struct str path = join(&s->export->arena, folder, str_of(e->d_name));
		if (stat(path.p, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode))
			walk(s, path, depth + 1);
		else if (str_ends(path, STR("-Manifest.json")))
			found(s, path, &st);
	}
	if (dir)
		closedir(dir);
}

static int by_period_newest_first(const void *a, const void *b)
{
	const struct manifest *x = a, *y = b;
	int c = str_cmp(x->period, y->period);
	if (!c)
		c = (y->time_ms > x->time_ms) - (y->time_ms < x->time_ms);
	return c ? c : str_cmp(y->execution, x->execution);
}

// ---- one manifest -------------------------------------------------------------------------------

static bool is_safe(struct str path)
{
	while (path.len)
		if (str_is(str_cut(&path, '/'), ".."))
			return false;
	return true;
}

static bool take_file(struct export *x, const struct manifest *m, struct export_period *p, struct str uri,
                      struct err *err)
{
	const char *at = find_last(uri, "/data/BILLING_PERIOD=");
	struct stat st;
	if (!at || !is_safe(uri))
		return err_set(err, ERR_SKIP,
		               "%.*s names %.*s, which is not below data/BILLING_PERIOD=", STR_ARG(m->path),
		               STR_ARG(uri));
	struct str tail = {at + 1, (size_t)(uri.p + uri.len - at) - 1};
	struct str path = join(&x->arena, m->root, tail);
	for (int i = 0; i < p->nfiles; i++) {
		if (!str_eq(p->files[i], path))
			continue;
		buf_addf(&x->notes, "%.*s names %.*s twice: it is read once\n", STR_ARG(m->path), STR_ARG(uri));
		return true;
	}
	// DuckDB would take it for a pattern, and might read more than the manifest names
	if (strpbrk(path.p, "*?["))
		return err_set(err, ERR_CONFIG, "%s: a path with *, ? or [ in it cannot be read: rename the folder",
		               path.p);
	if (x->fetch && !x->fetch(x->user, path, err))
		return false;
	if (stat(path.p, &st) != 0)
		return err_set(
			err, ERR_SKIP,
			"%.*s names %s, which is not there: the delivery or its copy is not whole; run again when it is",
			STR_ARG(m->path), path.p);
	if (st.st_size == 0)
		return err_set(err, ERR_SKIP,
		               "%s is empty: the delivery or its copy is not whole; run again when it is", path.p);
	bool parquet = str_ends(path, STR(".parquet"));
	if (!parquet && !str_ends(path, STR(".csv.gz")) && !str_ends(path, STR(".csv")))
		return err_set(err, ERR_CONFIG,
		               "%s is neither .parquet nor .csv.gz: choose one of them in the export's settings",
		               path.p);
	if (p->nfiles && parquet != p->parquet)
		return err_set(err, ERR_CONFIG, "%.*s names Parquet and CSV files at once", STR_ARG(m->path));
	p->parquet = parquet;
	p->bytes += st.st_size;
	p->files[p->nfiles++] = path;
	return true;
}

static bool read_manifest(struct export *x, const struct manifest *m, struct export_period *ret,
                          struct err *err)
{
	json_error_t at;
	struct export_period p = {
		.name = m->period, .manifest = m->path, .execution = m->execution, .delivered_ms = m->time_ms};
	struct buf text = BUF_INIT;
	if (!file_read(m->path.p, MANIFEST_BYTES_MAX, &text, err))
		return false;
	json_t *root = json_loadb(text.data ? text.data : "", text.len, 0, &at);
	buf_release(&text);
	json_t *files = json_object_get(root, "dataFiles");
	size_t n = json_array_size(files);
	bool good = true;
	if (!root)
		good = err_set(err, ERR_SKIP, "%.*s, line %d: not JSON (%s): the delivery or its copy is not whole",
		               STR_ARG(m->path), at.line, at.text);
	else if (n == 0)
		good = err_set(
			err, ERR_SKIP,
			"%.*s names no data files: an export that has delivered nothing yet, or a query that selects nothing",
			STR_ARG(m->path));
	p.files = arena_alloc(&x->arena, (n + 1) * sizeof *p.files);
	for (size_t i = 0; good && i < n; i++) {
		const json_t *uri = json_array_get(files, i);
		if (!json_is_string(uri))
			good = err_set(err, ERR_SKIP, "%.*s: dataFiles[%zu] is no text", STR_ARG(m->path), i);
		else
			good = take_file(
				x, m, &p, arena_str(&x->arena, (struct str){json_string_value(uri), json_string_length(uri)}),
				err);
	}
	json_decref(root);
	if (!good)
		return false;
	bool month = export_period_hours(p.name, &p.first, &p.end);
	(void)month; // read_path has seen to it
	*ret = p;
	return true;
}

// The newest of a period's executions that is whole.
static bool take_period(struct export *x, const struct manifest *list, int n, struct err *err)
{
	for (int i = 0; i < n; i++) {
		struct err why = ERR_INIT;
		if (read_manifest(x, &list[i], &x->periods[x->nperiods], &why)) {
			x->nperiods++;
			return true;
		}
		if (i + 1 == n || why.kind == ERR_RETRY)
			return err_set(err, why.kind, "%s", why.msg);
		buf_addf(&x->notes, "an older delivery of %.*s is read, since the newest is not whole: %s\n",
		         STR_ARG(list[i].period), why.msg);
	}
	return true;
}

static bool take_all(struct export *x, struct search *s, const char *path, struct str only, struct err *err)
{
	if (s->n == 0)
		return err_set(
			err, ERR_CONFIG,
			"%s: no export: expected <export>/metadata/BILLING_PERIOD=YYYY-MM/<export>-Manifest.json below it "
			"(a new export delivers within 24 hours)",
			path);
	if (s->n > MANIFESTS_MAX) // which of them is the newest cannot be told
		return err_set(err, ERR_CONFIG,
		               "%s: more than %d manifests; delete old executions, or name one export", path,
		               MANIFESTS_MAX);
	for (int i = 1; i < s->n; i++)
		if (!str_eq(s->list[i].root, s->list[0].root))
			return err_set(
				err, ERR_CONFIG,
				"%s: several exports, whose rows would count twice: %.*s and %.*s; name the one to read",
				path, STR_ARG(s->list[0].root), STR_ARG(s->list[i].root));
	x->root = s->list[0].root;
	x->name = str_after_last(x->root, '/');
	x->periods = arena_alloc(&x->arena, (size_t)s->n * sizeof *x->periods);
	qsort(s->list, (size_t)s->n, sizeof *s->list, by_period_newest_first);
	for (int i = 0, end; i < s->n; i = end) {
		for (end = i + 1; end < s->n && str_eq(s->list[end].period, s->list[i].period);)
			end++;
		if (only.len && !str_eq(only, s->list[i].period))
			continue;
		if (!take_period(x, s->list + i, end - i, err))
			return false;
	}
	if (x->nperiods == 0)
		return err_set(err, ERR_CONFIG, "%s: the export has no billing period %.*s", path, STR_ARG(only));
	return true;
}

bool export_find(struct export *ret, const char *path, struct str only, export_fetch *fetch, void *user,
                 struct err *err)
{
	struct stat st;
	struct export x = {.arena = ARENA_INIT, .fetch = fetch, .user = user};
	struct search s = {.export = &x};
	struct str top = arena_str(&x.arena, str_of(path));
	while (top.len > 1 && top.p[top.len - 1] == '/')
		top.len--;
	top = arena_str(&x.arena, top);
	if (stat(top.p, &st) != 0 || !S_ISDIR(st.st_mode)) {
		arena_release(&x.arena);
		return err_set(err, ERR_CONFIG,
		               "%s: no such folder: expected a CUR 2.0 export, or s3://BUCKET/PREFIX/EXPORT", path);
	}
	walk(&s, top, 0);
	bool good = take_all(&x, &s, path, only, err);
	free(s.list);
	if (good)
		*ret = x;
	else
		export_release(&x);
	return good;
}

void export_release(struct export *x)
{
	arena_release(&x->arena);
	buf_release(&x->notes);
}
