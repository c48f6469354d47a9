// SPDX-License-Identifier: Apache-2.0
// The bill: manifests of an export, and what its rows say of themselves. A manifest is refused with a
// reason, or the files it names lie below the export's folder; a kind of row has a class, a Region and a
// name to show, whatever its columns hold. Longest input: 1024 bytes.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reconcile/export.h"
#include "reconcile/kind.h"
#include "tests/fuzz/fuzz.h"

// ---- manifests ----------------------------------------------------------------------------------

static char folder[64];

#define PERIOD "BILLING_PERIOD=2026-11"

static void put_file(const char *path, struct str text)
{
	char z[256];
	snprintf(z, sizeof z, "%s/%s", folder, path);
	int fd = open(z, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert(fd >= 0 && write(fd, text.p, text.len) == (ssize_t)text.len);
	close(fd);
}

static void remove_export(void)
{
	static const char *const paths[] = {"x/metadata/" PERIOD "/x-Manifest.json",
	                                    "x/data/" PERIOD "/a.csv",
	                                    "x/data/" PERIOD "/b.snappy.parquet",
	                                    "x/data/" PERIOD,
	                                    "x/data",
	                                    "x/metadata/" PERIOD,
	                                    "x/metadata",
	                                    "x",
	                                    ""};
	char z[256];
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		snprintf(z, sizeof z, "%s/%s", folder, paths[i]);
		remove(z);
	}
}

static void make_export(void)
{
	static const char *const folders[] = {"x", "x/metadata", "x/metadata/" PERIOD, "x/data",
	                                      "x/data/" PERIOD};
	char z[256];
	snprintf(folder, sizeof folder, "/dev/shm/nowcast-fuzz.XXXXXX");
	assert(mkdtemp(folder));
	atexit(remove_export);
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(z, sizeof z, "%s/%s", folder, folders[i]);
		mkdir(z, 0700);
	}
	put_file("x/data/" PERIOD "/a.csv", STR("a"));
	put_file("x/data/" PERIOD "/b.snappy.parquet", STR("b"));
}

static void try_manifest(struct str text)
{
	struct export x;
	struct err err = ERR_INIT;
	char z[256];
	if (!folder[0])
		make_export();
	put_file("x/metadata/" PERIOD "/x-Manifest.json", text);
	snprintf(z, sizeof z, "%s/x", folder);
	if (!export_find(&x, z, STR_NONE, NULL, NULL, &err)) {
		check_refusal(&err);
		return;
	}
	assert(x.nperiods == 1 && x.periods[0].nfiles >= 1 && x.periods[0].nfiles <= 2);
	for (int i = 0; i < x.periods[0].nfiles; i++) {
		struct str path = x.periods[0].files[i];
		assert(str_starts(path, str_of(z)) && !memmem(path.p, path.len, "/../", 4));
		for (int k = 0; k < i; k++)
			assert(!str_eq(path, x.periods[0].files[k]));
	}
	export_release(&x);
}

// ---- rows ---------------------------------------------------------------------------------------

static void try_kind(struct input *in)
{
	static struct kind_names names;
	struct arena arena = ARENA_INIT;
	if (!names.known)
		names.known = model_names_new();
	unsigned flags = take_byte(in);
	struct bill_kind k = {.million = flags & 1, .marketplace = flags & 2, .agents = flags & 4};
	k.amount = (usd_pico)(int64_t)take_number(in) * 1000;
	k.cost.pico = (int64_t)take_number(in);
	k.list.pico = (int64_t)take_number(in);
	k.rows = 1 + take_byte(in);
	struct str *const columns[] = {&k.usage_type,  &k.unit,      &k.product,  &k.resource,
	                               &k.region_code, &k.line_type, &k.operation};
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		*columns[i] = take_text(in);
	kind_read(&k, &names, &arena);
	assert(k.class < BILL_CLASSES && k.usage.kind < USAGE_KINDS && k.region.len && k.shown.len &&
	       (!k.why || *k.why));
	kind_weigh(&k, INT64_C(1793595967000));
	assert(k.per_unit >= 0 && (!k.why || *k.why) && *bill_class_names[k.class]);
	arena_release(&arena);
}

static void try_period(struct str text)
{
	int64_t first, end;
	if (export_period_hours(text, &first, &end))
		assert(end - first >= 28 * 24 && end - first <= 31 * 24 && text.len == 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	switch (take_byte(&in) % 4) {
	case 0:
		try_manifest(take_rest(&in));
		break;
	case 1:
		try_period(take_rest(&in));
		break;
	default:
		try_kind(&in);
		break;
	}
	return 0;
}
