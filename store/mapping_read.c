// SPDX-License-Identifier: Apache-2.0
// The columns with a meaning are rows of one table, each with the function that reads a field of it; every
// other column is a key. A line is read field by field first. What concerns several fields comes after that.
#include <stdlib.h>

#include "base/arn.h"
#include "base/buf.h"
#include "base/cache_ttl.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/pattern.h"
#include "base/text.h"
#include "base/when.h"
#include "store/mapping_priv.h"

enum { COLUMNS_MAX = MAPPING_KEYS_MAX + 8, KEY_MAX = 64 };

struct file_reader {
	struct mapping *m;
	struct pseudonyms *pseudonyms;
	struct map seen;         // hash of subject and time -> line of the file
	const struct column *columns[COLUMNS_MAX]; // NULL: a key
	int key[COLUMNS_MAX];    // which one
	int ncolumns;
	struct mapping_line line; // in hand
	const char *file;
	int number;              // of the line in hand, from 1
	int at[COLUMNS_MAX];     // where its fields begin, from 1
	int cap;
	struct err *err;
};

static bool refuse(struct file_reader *r, int at, const char *what, struct str got)
{
	int shown = (int)(got.len < 80 ? got.len : 80);
	return err_set(r->err, ERR_CONFIG, "%s:%d:%d: %s, got \"%.*s\"; the file is not used", r->file, r->number,
	               at, what, shown, got.p ? got.p : "");
}

// ---- fields -------------------------------------------------------------------------------------

static bool read_kind(struct file_reader *r, int at, struct str s)
{
	for (int i = 0; i < MAPPING_KINDS; i++)
		if (str_is(s, mapping_kind_names[i])) {
			r->line.kind = (enum mapping_kind)i;
			return true;
		}
	return refuse(r, at, "kind: expected account, role, user, session or profile", s);
}

static bool read_name(struct file_reader *r, int at, struct str s)
{
	r->line.name = s;
	return s.len || refuse(r, at, "name: expected a name or a pattern", s);
}

static bool read_account(struct file_reader *r, int at, struct str s)
{
	r->line.account = s;
	return !s.len || arn_is_account(s) || refuse(r, at, "account: expected 12 digits or nothing", s);
}

static bool read_from(struct file_reader *r, int at, struct str s)
{
	int64_t ms = 0;
	if (s.len && (!when_parse(s, &ms) || ms % MS_PER_HOUR != 0))
		return refuse(r, at, "from: expected a whole hour such as 2026-11-01 or 2026-11-01T05:00:00Z", s);
	r->line.from = s.len ? ms / MS_PER_HOUR : 0;
	return true;
}

static bool read_note(struct file_reader *r, int at, struct str s)
{
	(void)r, (void)at, (void)s;
	return true;
}

static const struct column {
	const char *name;
	bool (*read)(struct file_reader *r, int at, struct str field); // into r->line
	bool required;
} columns[] = {
	{"kind", read_kind, true},   {"name", read_name, true},  {"account", read_account, false},
	{"from", read_from, false},  {"note", read_note, false},
};

static int find_column(const struct file_reader *r, const char *name)
{
	for (int i = 0; i < r->ncolumns; i++)
		if (r->columns[i] && strcmp(r->columns[i]->name, name) == 0)
			return i;
	return -1;
}

static int place_of(const struct file_reader *r, const char *name)
{
	int i = find_column(r, name);
	return i < 0 ? 1 : r->at[i];
}

// Cuts the next field off `rest`, which begins after a comma, and takes its quotes off. *ret_more: another
// one follows.
static bool cut_field(struct file_reader *r, const char *start, struct str *rest, struct str *ret,
                      bool *ret_more)
{
	struct buf text = BUF_INIT;
	int at = (int)(rest->p - start) + 1;
	struct str trimmed = str_trim_start(*rest);
	if (!str_starts(trimmed, STR("\""))) {
		const char *comma = rest->len ? memchr(rest->p, ',', rest->len) : NULL;
		*ret = arena_str(&r->m->arena, str_trim(str_cut(rest, ',')));
		*ret_more = comma != NULL;
		return true;
	}
	size_t i = 1;
	for (; i < trimmed.len && (trimmed.p[i] != '"' || (i + 1 < trimmed.len && trimmed.p[i + 1] == '"'));
	     i++) {
		i += trimmed.p[i] == '"';
		buf_addc(&text, trimmed.p[i]);
	}
	struct str after = i < trimmed.len ? (struct str){trimmed.p + i + 1, trimmed.len - i - 1} : STR_NONE;
	*ret = arena_str(&r->m->arena, str_trim(buf_str(&text)));
	buf_release(&text);
	if (i >= trimmed.len)
		return refuse(r, at, "expected a quote at the end of the field", trimmed);
	after = str_trim_start(after);
	*ret_more = after.len > 0;
	if (after.len && after.p[0] != ',')
		return refuse(r, (int)(after.p - start) + 1, "expected a comma after the quote", after);
	*rest = after.len ? (struct str){after.p + 1, after.len - 1} : STR_NONE;
	return true;
}

// Cuts a line into its fields, and notes where they begin. *ret_n: how many there are, COLUMNS_MAX at most.
static bool cut_line(struct file_reader *r, struct str line, struct str *ret, int *ret_n)
{
	const char *start = line.p;
	bool more = true;
	for (size_t i = 0; i < line.len; i++)
		if (line.p[i] != '\t' && text_control(line, i))
			return refuse(r, (int)i + 1, "expected no control characters", STR_NONE);
	for (*ret_n = 0; more; (*ret_n)++) {
		if (*ret_n == COLUMNS_MAX)
			return refuse(r, (int)(line.p - start) + 1, "expected at most 24 columns", line);
		r->at[*ret_n] = (int)(line.p - start) + 1;
		if (!cut_field(r, start, &line, &ret[*ret_n], &more))
			return false;
	}
	return true;
}

// ---- the first line -----------------------------------------------------------------------------

static bool is_key(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		      c == '-' || c == '.'))
			return false;
	}
	return s.len > 0 && s.len <= KEY_MAX;
}

static bool read_column(struct file_reader *r, struct str name)
{
	int i = r->ncolumns, at = r->at[i];
	struct mapping *m = r->m;
	r->columns[i] = NULL;
	for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
		if (str_is(name, columns[k].name))
			r->columns[i] = &columns[k];
	if (r->columns[i] && find_column(r, r->columns[i]->name) >= 0)
		return refuse(r, at, "expected each column once", name);
	r->ncolumns++;
	if (r->columns[i])
		return true;
	if (!is_key(name))
		return refuse(r, at, memchr(name.p, ';', name.len) || memchr(name.p, '\t', name.len)
		                        ? "columns are separated by commas"
		                        : "expected the name of a column: up to 64 letters, digits, and _ - .",
		              name);
	if (mapping_find_key(m, name) >= 0)
		return refuse(r, at, "expected each column once, letters in either case", name);
	if (m->nkeys == MAPPING_KEYS_MAX)
		return refuse(r, at, "expected at most 16 columns beside kind, name, account, from and note", name);
	r->key[i] = m->nkeys;
	m->keys[m->nkeys++] = name;
	return true;
}

static bool read_head(struct file_reader *r, struct str line)
{
	struct str names[COLUMNS_MAX];
	int n;
	if (!cut_line(r, line, names, &n))
		return false;
	for (int i = 0; i < n; i++)
		if (!read_column(r, names[i]))
			return false; // without a head, nothing is known of the lines
	for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
		if (columns[k].required && find_column(r, columns[k].name) < 0)
			return refuse(r, 1, "expected a first line with the columns kind and name", line);
	return true;
}

// ---- lines --------------------------------------------------------------------------------------

// Takes an ARN apart: "arn:aws:iam::111122223333:role/path/NAME".
static bool read_arn(struct file_reader *r, int at)
{
	static const char *const types[MAPPING_KINDS][3] = {
		{0}, {"role"}, {"user", "federated-user"}, {"assumed-role"}, {"application-inference-profile"}};
	struct mapping_line *l = &r->line;
	struct str rest = l->name, part[5];
	bool known = false;
	for (int i = 0; i < 5; i++)
		part[i] = str_cut(&rest, ':');
	struct str type = str_cut(&rest, '/');
	for (int i = 0; i < 3 && types[l->kind][i]; i++)
		known |= str_is(type, types[l->kind][i]);
	if (!known || !rest.len || !arn_is_account(part[4]))
		return refuse(r, at, "name: expected the ARN of what the kind says", l->name);
	if (l->account.len && !str_eq(l->account, part[4]))
		return refuse(r, place_of(r, "account"), "account: expected that of the ARN, or nothing", l->account);
	l->account = part[4];
	l->name = l->kind == MAPPING_SESSION ? rest : str_after_last(rest, '/');
	return true;
}

// Names that Redis has as hashes are looked up by them. A pattern cannot match a hash.
static bool hash_name(struct file_reader *r, int at)
{
	struct mapping_line *l = &r->line;
	struct arena *a = &r->m->arena;
	if (l->kind != MAPPING_SESSION && l->kind != MAPPING_USER)
		return true;
	struct str arn = l->kind == MAPPING_USER
	                     ? arena_text(a, "arn:aws:iam::000000000000:user/%.*s", STR_ARG(l->name))
	                     : arena_text(a, "arn:aws:sts::000000000000:assumed-role/r/%.*s", STR_ARG(l->name));
	struct str hashed = pseudonym_asked(r->pseudonyms, a, arn);
	if (str_eq(hashed, arn) || str_is(l->name, "*"))
		return true;
	if (!pattern_is_plain(l->name))
		return refuse(r, at, "name: expected no pattern, for names.hash keeps these names as hashes",
		              l->name);
	l->name = str_after_last(hashed, '/');
	return true;
}

static bool finish_name(struct file_reader *r)
{
	struct mapping_line *l = &r->line;
	int at = place_of(r, "name");
	if (l->kind == MAPPING_ACCOUNT) {
		if (!arn_is_account(l->name) && !str_is(l->name, "*"))
			return refuse(r, at, "name: expected an account of 12 digits, or *", l->name);
		return !l->account.len || refuse(r, place_of(r, "account"),
		                                 "account: expected nothing, the name is the account", l->account);
	}
	if (str_starts(l->name, STR("arn:")) && !read_arn(r, at))
		return false;
	if (l->kind == MAPPING_SESSION) {
		struct str rest = l->name;
		l->role = str_cut(&rest, '/');
		if (!l->role.len || !rest.len || memchr(rest.p, '/', rest.len))
			return refuse(r, at, "name: expected ROLE/SESSION", l->name);
		l->name = rest;
	} else if (memchr(l->name.p, '/', l->name.len)) {
		return refuse(r, at, "name: expected a name without its path, or an ARN", l->name);
	}
	return hash_name(r, at);
}

static bool add_line(struct file_reader *r, struct str whole)
{
	struct mapping *m = r->m;
	const struct mapping_line *l = &r->line;
	char what[64];
	bool added;
	uint64_t h =
		mapping_hash(l->kind, l->account, l->role, l->name) ^ ((uint64_t)l->from + 1) * 0x9e3779b97f4a7c15u;
	int32_t first = *map_add(&r->seen, h, r->number, &added);
	snprintf(what, sizeof what, "expected a line once, and line %d says the same", first);
	if (!added)
		return refuse(r, place_of(r, "name"), what, whole);
	if (m->nlines == MAPPING_LINES_MAX)
		return refuse(r, 1, "expected at most 20000 lines", whole);
	if (m->nlines == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 64;
		m->lines = xrealloc(m->lines, (size_t)r->cap, sizeof *m->lines);
	}
	m->lines[m->nlines++] = *l;
	return true;
}

static bool read_value(struct file_reader *r, int column, struct str s)
{
	int32_t permille;
	r->line.value[r->key[column]] = s;
	if (r->key[column] == mapping_find_key(r->m, STR(CACHE_TTL_COLUMN)) && s.len && !str_is(s, "-") &&
	    !cache_ttl_parse(s, &permille))
		return refuse(r, r->at[column],
		              "cache_ttl: expected 5m, 1h, a share such as 30%, unknown, - or nothing", s);
	return s.len <= MAPPING_VALUE_MAX || refuse(r, r->at[column], "expected a value of up to 256 bytes", s);
}

static bool read_line(struct file_reader *r, struct str line)
{
	struct str fields[COLUMNS_MAX];
	size_t before = err_listed(r->err);
	int n;
	r->line = (struct mapping_line){.number = r->number};
	if (!cut_line(r, line, fields, &n))
		return false;
	if (n != r->ncolumns) {
		char what[64];
		snprintf(what, sizeof what, "expected %d fields as in the first line, there are %d", r->ncolumns, n);
		return refuse(r, r->at[n - 1], what, fields[n - 1]);
	}
	for (int i = 0; i < n; i++) {
		bool good =
			r->columns[i] ? r->columns[i]->read(r, r->at[i], fields[i]) : read_value(r, i, fields[i]);
		if (!good && !err_collect(r->err))
			return false;
	}
	// the mistakes of its fields are collected: what follows from them is none of its own
	return err_listed(r->err) > before || (finish_name(r) && add_line(r, line));
}

static bool read_text(struct file_reader *r, struct str rest)
{
	bool headed = false;
	if (str_starts(rest, STR("\xef\xbb\xbf"))) // spreadsheets write a byte order mark
		rest = (struct str){rest.p + 3, rest.len - 3};
	while (rest.len) {
		struct str line = str_cut(&rest, '\n');
		r->number++;
		if (str_ends(line, STR("\r")))
			line.len--;
		struct str trimmed = str_trim(line);
		if (!trimmed.len || trimmed.p[0] == '#')
			continue;
		if (headed ? !read_line(r, line) && !err_collect(r->err) : !read_head(r, line))
			return false;
		headed = true;
	}
	r->number = headed ? r->number : 1;
	return headed || refuse(r, 1, "expected a first line with the columns kind and name", STR_NONE);
}

bool mapping_read(struct mapping **ret, struct str text, const char *file, struct pseudonyms *pseudonyms,
                  struct err *err)
{
	struct mapping *m = xcalloc(1, sizeof *m);
	struct file_reader r = {.m = m, .pseudonyms = pseudonyms, .file = file, .err = err};
	size_t before = err_listed(err);
	bool good = read_text(&r, text) && err_check(err, before);
	map_release(&r.seen);
	if (!good) {
		mapping_free(m);
		return false;
	}
	m->digest = hash64(text.p, text.len) | 1;
	mapping_index(m);
	*ret = m;
	return true;
}

// ---- the file -----------------------------------------------------------------------------------

// Every map:KEY in the sources of a team or user needs its column; `map` alone is that of the same name.
static bool check_sources(const struct mapping *m, const struct conf *conf, struct err *err)
{
	const struct caller_sources from = conf_sources(conf);
	const struct {
		const char *key, *name;
		struct str sources;
	} all[] = {{"team.from", "team", from.team}, {"user.from", "user", from.user}};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		for (struct str rest = all[i].sources; rest.len;) {
			struct str key = str_trim(str_cut(&rest, ',')), kind = str_cut(&key, ':');
			key = key.len ? key : str_of(all[i].name);
			if (str_is(kind, "map") && mapping_find_key(m, key) < 0)
				return err_set(err, ERR_CONFIG, "%s: %s has no column %.*s", all[i].key, conf->map_file,
				               STR_ARG(key));
		}
	return true;
}

static bool load(struct mapping **ret, const struct conf *conf, uint64_t unless, struct err *err)
{
	struct buf text = BUF_INIT;
	struct pseudonyms *p = NULL;
	struct mapping *m = NULL;
	bool good = file_read(conf->map_file, MAPPING_BYTES_MAX, &text, err);
	if (good && unless && (hash64(text.data, text.len) | 1) == unless) {
		buf_release(&text);
		return true;
	}
	good = good && (pseudonyms_open(&p, conf, err) || err_collect(err)) &&
	       mapping_read(&m, buf_str(&text), conf->map_file, p, err) && check_sources(m, conf, err);
	pseudonyms_close(p);
	buf_release(&text);
	if (!good) {
		mapping_free(m);
		err_prefix(err, "map.file");
		return conf_blame(conf, "map.file", err);
	}
	*ret = m;
	return true;
}

bool mapping_load(struct mapping **ret, const struct conf *conf, struct err *err)
{
	*ret = NULL;
	return !*conf->map_file || load(ret, conf, 0, err);
}

bool mapping_refresh(struct mapping **m, const struct conf *conf, struct err *err)
{
	struct mapping *fresh = NULL;
	if (!*m)
		return true;
	if (!load(&fresh, conf, (*m)->digest, err)) {
		uint64_t why = hash64(err->msg, strlen(err->msg)) | 1;
		bool told = why == (*m)->refused;
		(*m)->refused = why;
		if (told)
			err_clear(err);
		return told;
	}
	(*m)->refused = 0;
	if (fresh) {
		mapping_free(*m);
		*m = fresh;
	}
	return true;
}
