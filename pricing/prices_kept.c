// SPDX-License-Identifier: Apache-2.0
// Whether a file has changed is told by what stat says of it. Its change time, unlike its modification time,
// is set by the kernel alone, so that a copy that keeps times (cp -p, tar) is noticed too.
#include "pricing/prices_kept.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"

static uint64_t mark_text(const char *text, uint64_t seed)
{
	return hash64_seeded(text, strlen(text) + 1, seed);
}

static uint64_t mark_file(const char *path, uint64_t seed)
{
	struct stat st;
	int64_t of[5] = {0};
	if (stat(path, &st) != 0)
		of[0] = -errno;
	else
		memcpy(of,
		       (int64_t[]){(int64_t)st.st_ino, (int64_t)st.st_dev, (int64_t)st.st_size, st.st_ctim.tv_sec,
		                   st.st_ctim.tv_nsec},
		       sizeof of);
	return hash64_seeded(of, sizeof of, mark_text(path, seed));
}

// A sum, since a folder is in no order.
static uint64_t mark_folder(const char *folder, uint64_t seed)
{
	struct buf path = BUF_INIT;
	uint64_t sum = 0;
	const struct dirent *e;
	DIR *d = opendir(folder);
	while (d && (e = readdir(d))) {
		buf_clear(&path);
		buf_addf(&path, "%s/%s", folder, e->d_name);
		if (str_ends(buf_str(&path), STR(".csv")))
			sum += mark_file(path.data, seed);
	}
	if (d)
		closedir(d);
	buf_release(&path);
	return hash64_seeded(&sum, sizeof sum, mark_file(folder, seed));
}

static uint64_t mark_of(const struct conf *conf)
{
	uint64_t mark = conf->prices_nearest_region;
	for (size_t i = 0; i < conf->prices.n; i++)
		mark = mark_text(conf->prices.items[i], mark);
	for (size_t i = 0; i < conf->prices_file.n; i++)
		mark = mark_file(conf->prices_file.items[i], mark);
	if (*conf->prices_dir)
		mark = mark_folder(conf->prices_dir, mark);
	if (*conf->discounts_file)
		mark = mark_file(conf->discounts_file, mark);
	return mark | 1; // never 0
}

const struct prices *prices_kept_read(struct prices_kept *k, const struct conf *conf, struct err *err)
{
	uint64_t mark = mark_of(conf); // taken first: what changes while it is read is read again
	if (mark != k->mark) {
		prices_kept_release(k);
		k->mark = mark;
		if (!prices_load(&k->prices, conf, &k->why))
			k->prices = NULL;
	}
	if (!k->prices)
		err_set(err, k->why.kind, "%s", k->why.msg);
	return k->prices;
}

void prices_kept_release(struct prices_kept *k)
{
	prices_free(k->prices);
	*k = (struct prices_kept){.mark = 0};
}
