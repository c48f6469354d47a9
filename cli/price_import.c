// SPDX-License-Identifier: Apache-2.0
// `price import`: converts the price list of AWS or LiteLLM to a price file. It shows every change before it
// writes the file. It refuses a rate that changes by more than prices.change_max: a wrong price is worse than
// an old one.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/price_priv.h"
#include "pricing/import_litellm.h"
#include "pricing/import_pricelist.h"
#include "pricing/price_merge.h"

// NEW_SHOWN: of rates that are new, or removed. Those that differ are all shown.
enum { LIST_MAX = 256 << 20, CSV_MAX = 16 << 20, NEW_SHOWN = 40 };

bool price_import_make_folder(const struct conf *conf, const char *inside, struct err *err)
{
	struct buf path = BUF_INIT;
	if (!*conf->prices_dir)
		return err_set(err, ERR_CONFIG,
		               "prices.dir is empty: set it to the folder that imported prices go to");
	buf_addf(&path, "%s%s%s", conf->prices_dir, inside ? "/" : "", inside ? inside : "");
	bool good = mkdir(path.data, 0755) == 0 || errno == EEXIST ||
	            err_set(err, ERR_CONFIG,
	                    "prices.dir: cannot make the folder %s: %s; set the key to one that can be written",
	                    path.data, strerror(errno));
	buf_release(&path);
	return good;
}

static bool show_changes(const struct price_import_options *o, const struct price_rows *rows, struct err *err)
{
	struct prices *old;
	struct price_diff d;
	struct buf line = BUF_INIT;
	size_t wild = 0, hidden = 0;
	price_diff_in_force(&d, &old, o->conf, rows);
	for (size_t i = 0; i < d.n; i++) {
		bool too_far = price_change_is_wild(&d.changes[i], o->conf->prices_change_max);
		wild += too_far;
		if (i >= d.differing + NEW_SHOWN && !too_far) { // they come behind those that differ
			hidden++;
			continue;
		}
		buf_clear(&line);
		price_change_describe(&d.changes[i], &line);
		printf("%s%s\n", line.data, too_far ? "   <-- more than prices.change_max" : "");
	}
	if (hidden)
		printf("... and %zu more that are new; `nowcast price list` shows them once they are imported\n",
		       hidden);
	printf("rates: %zu differ, %zu new, %zu the same\n", d.differing, d.fresh, d.same);
	price_diff_release(&d);
	prices_free(old);
	buf_release(&line);
	return wild == 0 || o->yes ||
	       err_set(err, ERR_CONFIG,
	               "rates that change by more than a factor of %lld (prices.change_max): %zu; nothing is imported. "
	               "If they are right, say --yes",
	               (long long)o->conf->prices_change_max, wild);
}

// Reads the present file at `path`: no rows, if there is none or it is no price file.
static void read_old_file(const char *path, struct price_rows *ret, struct buf *ret_text)
{
	struct err ignored = ERR_INIT;
	*ret = (struct price_rows){0};
	if (file_read(path, CSV_MAX, ret_text, &ignored) &&
	    !price_file_read(ret, buf_str(ret_text), path, &ignored))
		fprintf(stderr, "%s is replaced as a whole: %s\n", path, ignored.msg);
}

static void show_removed(const struct price_merge *m)
{
	struct buf line = BUF_INIT;
	for (size_t i = 0; i < m->ngone && i < NEW_SHOWN; i++) {
		buf_clear(&line);
		price_change_describe(&m->gone[i], &line);
		puts(line.data);
	}
	if (m->ngone)
		printf("%zu rate%s no longer listed: from now on the next source is used there\n", m->ngone,
		       text_s((int64_t)m->ngone));
	buf_release(&line);
}

static bool replace_file(const char *path, const struct price_merge *m, struct str so_far, struct err *err)
{
	if (str_eq(buf_str(&m->csv), so_far)) {
		printf("%s: the prices in use are these\n", path);
		return utimensat(AT_FDCWD, path, NULL, 0) == 0 || // its age is since it was last found current
		       err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
	}
	struct price_rows whole;
	if (!price_file_read(&whole, buf_str(&m->csv), path, err)) // it may have grown too large
		return false;
	price_rows_release(&whole);
	if (!file_replace(path, buf_str(&m->csv), err))
		return false;
	printf(
		"%s: %zu row%s. A running daemon loads them on SIGHUP; `nowcast reprice --from T` applies them to hours already computed\n",
		path, m->rows, text_s((int64_t)m->rows));
	return true;
}

bool price_import_merge(const struct price_import_options *o, const char *path, struct str csv,
                        struct err *err)
{
	struct price_rows rows, old;
	struct price_merge merge;
	struct buf so_far = BUF_INIT;
	if (!price_file_read(&rows, csv, path, err))
		return false;
	read_old_file(path, &old, &so_far);
	price_merge_init(&merge, &old, &rows, o->source, when_now_ms());
	bool good = rows.n > 0 || err_set(err, ERR_CONFIG, "no rate was found; nothing is imported");
	good = good && show_changes(o, &rows, err);
	if (good)
		show_removed(&merge);
	good = good && (o->dry || replace_file(path, &merge, buf_str(&so_far), err));
	price_merge_release(&merge);
	price_rows_release(&rows);
	price_rows_release(&old);
	buf_release(&so_far);
	return good;
}

static bool convert_pricelist(const struct conf *conf, const char *path, struct str json, struct buf *csv,
                              struct buf *notes, struct err *err)
{
	struct pricelist_counts n;
	struct price_names names;
	if (!price_names_load(&names, conf, err))
		return false;
	bool good = pricelist_import(csv, notes, &n, json, &names, err) || err_prefix(err, "%s", path);
	price_names_release(&names);
	if (!good)
		return false;
	fprintf(
		stderr,
		"%s: %zu products, %zu rates imported, %zu of other kinds (reserved, custom models, images, ...), %zu unclear\n",
		path, n.products, n.rates, n.other, n.unknown);
	if (memmem(notes->data ? notes->data : "", notes->len, PRICELIST_UNKNOWN_MODEL,
	           strlen(PRICELIST_UNKNOWN_MODEL)))
		buf_addf(notes, "which model a name means can be said in %s/names.csv, in lines of name,model\n",
		         conf->prices_dir);
	return true;
}

static bool convert_litellm(const char *path, struct str json, int64_t from_ms, struct buf *csv,
                            struct buf *notes, struct err *err)
{
	struct litellm_counts n;
	char when[WHEN_SIZE], source[64];
	snprintf(source, sizeof source, "LiteLLM, as of %.10s", when_format(from_ms, when));
	if (!litellm_import(csv, notes, &n, json, from_ms, source, err))
		return err_prefix(err, "%s", path);
	fprintf(stderr, "%s: %zu entries of Bedrock, %zu rows, %zu entries left out (known errors, no price)\n",
	        path, n.entries, n.rows, n.left_out);
	return true;
}

bool price_import_convert(const struct price_import_options *o, const char *path, int64_t from_ms,
                          struct buf *csv, struct err *err)
{
	struct buf text = BUF_INIT, notes = BUF_INIT;
	bool good = file_read(path, LIST_MAX, &text, err);
	if (good && strcmp(o->source, "pricelist") == 0)
		good = convert_pricelist(o->conf, path, buf_str(&text), csv, &notes, err);
	else if (good)
		good = convert_litellm(path, buf_str(&text), from_ms, csv, &notes, err);
	if (good && notes.len)
		fprintf(stderr, "left out:\n%s", notes.data);
	buf_release(&text);
	buf_release(&notes);
	return good;
}

// "x/AmazonBedrock.json" -> "AmazonBedrock": a list replaces an earlier one of the same name.
static char *list_name(const char *path)
{
	struct str name = str_after_last(str_of(path), '/'), stem = str_cut(&name, '.');
	char *part = xstrdup(stem);
	for (char *p = part; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *p))
			*p = '_';
	return part;
}

bool price_verb_import(struct command *c, int *ret_status, struct err *err)
{
	struct price_import_options o = {
		.conf = &c->conf, .yes = command_switch(c, "--yes"), .dry = command_switch(c, "--dry-run")};
	bool good = true;
	const int64_t day = 24 * (int64_t)MS_PER_HOUR;
	int64_t from_ms = when_now_ms() / day * day; // LiteLLM's table has no dates: it applies from today on
	(void)ret_status;
	if (!command_time(c, "--from", &from_ms, err) || !command_done(c, 2, -1, err))
		return false;
	const char *source = c->argv[0];
	if (strcmp(source, "pricelist") != 0 && strcmp(source, "litellm") != 0)
		return err_set(err, ERR_CONFIG, "import %s: expected pricelist or litellm, then files", source);
	if (from_ms % MS_PER_HOUR)
		return err_set(err, ERR_CONFIG, "--from: expected a whole hour");
	o.source = source;
	if (!o.dry && !price_import_make_folder(&c->conf, NULL, err))
		return false;
	for (int i = 1; good && i < c->argc; i++) {
		struct buf csv = BUF_INIT, path = BUF_INIT;
		char *part = strcmp(source, "pricelist") == 0 ? list_name(c->argv[i]) : NULL; // there is one LiteLLM
		prices_path(&c->conf, source, part, &path);
		good = price_import_convert(&o, c->argv[i], from_ms, &csv, err) &&
		       price_import_merge(&o, path.data, buf_str(&csv), err);
		free(part);
		buf_release(&csv);
		buf_release(&path);
	}
	return good;
}
