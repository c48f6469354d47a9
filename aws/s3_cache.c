// SPDX-License-Identifier: Apache-2.0
#include "aws/s3_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/when.h"

enum { DEPTH_MAX = 32, IN_USE_MS = MS_PER_HOUR };

struct cached {
	const char *path;
	int64_t size, used_ms;
};

struct cache_listing {
	struct arena arena;
	struct cached *files;
	size_t n, cap;
	int64_t bytes;
};

void s3_cache_touch(const char *path)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
	// without it, the file looks older than it is: it is fetched again some day
	utimensat(AT_FDCWD, path, times, 0);
}

static void list_files(struct cache_listing *p, const char *folder, int depth)
{
	DIR *dir = depth < DEPTH_MAX ? opendir(folder) : NULL;
	struct dirent *e;
	while (dir && (e = readdir(dir))) {
		struct stat st;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		const char *path = arena_text(&p->arena, "%s/%s", folder, e->d_name).p;
		if (lstat(path, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode))
			list_files(p, path, depth + 1);
		if (!S_ISREG(st.st_mode) || !strstr(path, "/BILLING_PERIOD="))
			continue;
		if (p->n == p->cap)
			p->files = xrealloc(p->files, p->cap = p->cap ? p->cap * 2 : 64, sizeof *p->files);
		p->files[p->n++] = (struct cached){path, st.st_size,
		                                   (int64_t)st.st_atim.tv_sec * 1000 + st.st_atim.tv_nsec / 1000000};
		p->bytes += st.st_size;
	}
	if (dir)
		closedir(dir);
}

static int oldest_first(const void *a, const void *b)
{
	const struct cached *x = a, *y = b;
	int c = (x->used_ms > y->used_ms) - (x->used_ms < y->used_ms);
	return c ? c : strcmp(x->path, y->path);
}

// The folders above a deleted file, as far as they are empty.
static void remove_folders(const char *path, size_t root_length)
{
	struct buf b = BUF_INIT;
	buf_adds(&b, path);
	for (char *slash; (slash = strrchr(b.data, '/')) && (size_t)(slash - b.data) > root_length;) {
		*slash = '\0';
		if (rmdir(b.data) != 0)
			break;
	}
	buf_release(&b);
}

int64_t s3_cache_prune(const char *root, int64_t max, int64_t since_ms, int64_t now_ms)
{
	struct cache_listing p = {.arena = ARENA_INIT};
	int64_t gone = 0;
	list_files(&p, root, 0);
	if (p.n > 1)
		qsort(p.files, p.n, sizeof *p.files, oldest_first);
	for (size_t i = 0; i < p.n && p.bytes - gone > max; i++) {
		bool own = p.files[i].used_ms >= since_ms;
		if ((!own && now_ms - p.files[i].used_ms < IN_USE_MS) || unlink(p.files[i].path) != 0)
			continue;
		gone += p.files[i].size;
		remove_folders(p.files[i].path, strlen(root));
	}
	free(p.files);
	arena_release(&p.arena);
	return gone;
}
