// SPDX-License-Identifier: Apache-2.0
// The few functions of DuckDB's C API that are used, declared here by their published signatures and bound by
// dlsym: the library comes without a header from where it is fetched, and must not be needed for a build.
//
// Results are read a chunk (2,048 rows) at a time, straight out of DuckDB's vectors, as they are made: none
// is ever whole in memory.
#include "reconcile/duckdb.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

enum { COLUMNS_MAX = 32 };

// Types of columns, by DuckDB's numbers.
enum { TYPE_BIGINT = 5, TYPE_VARCHAR = 17, TYPE_DECIMAL = 19 };

// duckdb_result: passed by value to duckdb_fetch_chunk, so its size is part of the interface.
struct result {
	uint64_t unused_counts[3];
	void *unused[2];
	void *internal;
};

// duckdb_string_t: twelve bytes or fewer stand in place, more behind a pointer.
union string {
	struct {
		uint32_t len;
		char bytes[12];
	} here;
	struct {
		uint32_t len;
		char prefix[4];
		const char *p;
	} there;
};

struct wide {
	uint64_t low;
	int64_t high;
};

struct api {
	int (*open_ext)(const char *path, void **ret_database, void *config, char **ret_error);
	void (*close)(void **database);
	int (*connect)(void *database, void **ret_connection);
	void (*disconnect)(void **connection);
	int (*create_config)(void **ret_config);
	int (*set_config)(void *config, const char *name, const char *value);
	void (*destroy_config)(void **config);
	int (*query)(void *connection, const char *sql, struct result *ret);
	int (*prepare)(void *connection, const char *sql, void **ret_statement);
	const char *(*prepare_error)(void *statement);
	int (*execute_prepared_streaming)(void *statement, struct result *ret);
	void (*destroy_prepare)(void **statement);
	void (*destroy_result)(struct result *result);
	const char *(*result_error)(struct result *result);
	uint64_t (*column_count)(struct result *result);
	int (*column_type)(struct result *result, uint64_t column);
	void *(*fetch_chunk)(struct result result);
	void (*destroy_data_chunk)(void **chunk);
	uint64_t (*data_chunk_get_size)(void *chunk);
	void *(*data_chunk_get_vector)(void *chunk, uint64_t column);
	void *(*vector_get_data)(void *vector);
	uint64_t *(*vector_get_validity)(void *vector);
	const char *(*library_version)(void);
	void (*free)(void *p);
};

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	{"duckdb_open_ext", offsetof(struct api, open_ext)},
	{"duckdb_close", offsetof(struct api, close)},
	{"duckdb_connect", offsetof(struct api, connect)},
	{"duckdb_disconnect", offsetof(struct api, disconnect)},
	{"duckdb_create_config", offsetof(struct api, create_config)},
	{"duckdb_set_config", offsetof(struct api, set_config)},
	{"duckdb_destroy_config", offsetof(struct api, destroy_config)},
	{"duckdb_query", offsetof(struct api, query)},
	{"duckdb_prepare", offsetof(struct api, prepare)},
	{"duckdb_prepare_error", offsetof(struct api, prepare_error)},
	{"duckdb_execute_prepared_streaming", offsetof(struct api, execute_prepared_streaming)},
	{"duckdb_destroy_prepare", offsetof(struct api, destroy_prepare)},
	{"duckdb_destroy_result", offsetof(struct api, destroy_result)},
	{"duckdb_result_error", offsetof(struct api, result_error)},
	{"duckdb_column_count", offsetof(struct api, column_count)},
	{"duckdb_column_type", offsetof(struct api, column_type)},
	{"duckdb_fetch_chunk", offsetof(struct api, fetch_chunk)},
	{"duckdb_destroy_data_chunk", offsetof(struct api, destroy_data_chunk)},
	{"duckdb_data_chunk_get_size", offsetof(struct api, data_chunk_get_size)},
	{"duckdb_data_chunk_get_vector", offsetof(struct api, data_chunk_get_vector)},
	{"duckdb_vector_get_data", offsetof(struct api, vector_get_data)},
	{"duckdb_vector_get_validity", offsetof(struct api, vector_get_validity)},
	{"duckdb_library_version", offsetof(struct api, library_version)},
	{"duckdb_free", offsetof(struct api, free)},
};

struct duck {
	void *library;
	struct api api;
	void *database, *connection;
};

struct duck_rows {
	struct duck *duck;
	void *statement;
	struct result result;
	void *chunk;
	int ncolumns;
	uint64_t at, size; // row in hand is at - 1
	void *data[COLUMNS_MAX];
	uint64_t *valid[COLUMNS_MAX]; // NULL: none is NULL
};

// ---- the library --------------------------------------------------------------------------------

// Tries every <folder>/duckdb-*/libduckdb.so; deploy/install-deps makes one.
static void *try_cache(const char *folder)
{
	struct buf path = BUF_INIT;
	void *library = NULL;
	DIR *dir = opendir(folder);
	struct dirent *e;
	while (dir && !library && (e = readdir(dir))) {
		if (strncmp(e->d_name, "duckdb-", 7) != 0)
			continue;
		buf_clear(&path);
		buf_addf(&path, "%s/%s/libduckdb.so", folder, e->d_name);
		library = dlopen(path.data, RTLD_NOW | RTLD_LOCAL);
	}
	if (dir)
		closedir(dir);
	buf_release(&path);
	return library;
}

static void *find_library(void)
{
	static const char *const usual[] = {"libduckdb.so", "/usr/local/lib/libduckdb.so",
	                                    "/usr/local/lib/nowcast/libduckdb.so",
	                                    "/usr/lib/nowcast/libduckdb.so"};
	const char *named = getenv("NOWCAST_LIBDUCKDB"), *cache = getenv("XDG_CACHE_HOME"),
			   *home = getenv("HOME");
	struct buf folder = BUF_INIT;
	if (named && *named)
		return dlopen(named, RTLD_NOW | RTLD_LOCAL);
	if (cache && *cache)
		buf_addf(&folder, "%s/nowcast", cache);
	else
		buf_addf(&folder, "%s/.cache/nowcast", home ? home : "");
	void *library = try_cache(folder.data);
	buf_release(&folder);
	for (size_t i = 0; !library && i < sizeof usual / sizeof *usual; i++)
		library = dlopen(usual[i], RTLD_NOW | RTLD_LOCAL);
	return library;
}

static bool load(struct duck *d, struct err *err)
{
	const char *named = getenv("NOWCAST_LIBDUCKDB");
	d->library = find_library();
	if (!d->library && named && *named)
		return err_set(err, ERR_CONFIG, "NOWCAST_LIBDUCKDB is %s, which cannot be loaded: %s", named,
		               dlerror());
	if (!d->library)
		return err_set(
			err, ERR_CONFIG,
			"reading a bill needs libduckdb.so, and there is none: run deploy/install-deps --duckdb "
			"(/usr/share/nowcast/install-deps of the Debian package), or set NOWCAST_LIBDUCKDB to one of DuckDB 1.2 or later");
	for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
		void *at = dlsym(d->library, symbols[i].name);
		if (!at)
			return err_set(
				err, ERR_CONFIG,
				"libduckdb.so has no %s: DuckDB 1.2 or later is needed (deploy/install-deps --duckdb fetches it)",
				symbols[i].name);
		memcpy((char *)&d->api + symbols[i].offset, &at, sizeof at);
	}
	return true;
}

// ---- statements ---------------------------------------------------------------------------------

static void first_line(const char *text, char *ret, size_t size)
{
	size_t n = 0;
	for (; text && text[n] && text[n] != '\n' && n + 1 < size; n++)
		ret[n] = text[n];
	ret[n] = '\0';
}

static bool start(struct duck *d, int64_t memory_bytes, const char *spill, struct err *err)
{
	char limit[32], line[300];
	void *config = NULL;
	char *why = NULL;
	snprintf(limit, sizeof limit, "%lldB", (long long)memory_bytes);
	if (d->api.create_config(&config) != 0)
		return err_set(err, ERR_FATAL, "DuckDB makes no configuration");
	bool good = d->api.set_config(config, "memory_limit", limit) == 0 &&
	            d->api.set_config(config, "temp_directory", spill) == 0 &&
	            d->api.set_config(config, "autoinstall_known_extensions", "false") == 0 &&
	            d->api.set_config(config, "autoload_known_extensions", "false") == 0 &&
	            d->api.set_config(config, "preserve_insertion_order", "false") == 0;
	if (!good)
		err_set(err, ERR_FATAL, "DuckDB %s does not take its settings (memory_limit %s)",
		        d->api.library_version(), limit);
	else if (d->api.open_ext(NULL, &d->database, config, &why) != 0 ||
	         d->api.connect(d->database, &d->connection) != 0) {
		first_line(why, line, sizeof line);
		good = err_set(err, ERR_FATAL, "DuckDB does not start: %s", line);
	}
	if (why)
		d->api.free(why);
	d->api.destroy_config(&config);
	return good;
}

bool duck_open(struct duck **ret, int64_t memory_bytes, const char *spill, struct err *err)
{
	struct duck *d = xcalloc(1, sizeof *d);
	if (!load(d, err) || !start(d, memory_bytes, spill, err)) {
		duck_close(d);
		return false;
	}
	*ret = d;
	return true;
}

void duck_close(struct duck *d)
{
	if (!d)
		return;
	if (d->connection)
		d->api.disconnect(&d->connection);
	if (d->database)
		d->api.close(&d->database);
	// The library stays loaded: it has threads and thread-local state of its own.
	free(d);
}

static bool failed(const char *why, struct err *err)
{
	char line[400];
	first_line(why, line, sizeof line);
	if (strncmp(line, "Out of Memory", 13) == 0)
		return err_set(err, ERR_CONFIG, "DuckDB: %s: raise reconcile.memory", line);
	if (strstr(line, "Error when sniffing file")) // what it advises is to be less strict
		return err_set(
			err, ERR_FATAL,
			"a CSV file cannot be read: it is cut short, or a row has too many or too few fields; copy it again, or wait for the next delivery");
	return err_set(err, ERR_FATAL, "DuckDB: %s", line);
}

bool duck_run(struct duck *d, const char *sql, struct err *err)
{
	struct result r = {0};
	bool good = d->api.query(d->connection, sql, &r) == 0 || failed(d->api.result_error(&r), err);
	d->api.destroy_result(&r);
	return good;
}

bool duck_query(struct duck *d, const char *sql, struct duck_rows **ret, struct err *err)
{
	struct duck_rows *r = xcalloc(1, sizeof *r);
	r->duck = d;
	bool good = d->api.prepare(d->connection, sql, &r->statement) == 0 ||
	            failed(d->api.prepare_error(r->statement), err);
	good = good && (d->api.execute_prepared_streaming(r->statement, &r->result) == 0 ||
	                failed(d->api.result_error(&r->result), err));
	if (!good) {
		duck_done(r);
		return false;
	}
	r->ncolumns = (int)d->api.column_count(&r->result);
	for (int i = 0; i < r->ncolumns && i < COLUMNS_MAX; i++) {
		int type = d->api.column_type(&r->result, (uint64_t)i);
		if (type == TYPE_BIGINT || type == TYPE_VARCHAR || type == TYPE_DECIMAL)
			continue;
		duck_done(r);
		return err_set(err, ERR_FATAL, "column %d of a query is of DuckDB's type %d, which is not read here",
		               i, type);
	}
	*ret = r;
	return true;
}

// ---- rows ---------------------------------------------------------------------------------------

bool duck_next(struct duck_rows *r, bool *ret_row, struct err *err)
{
	struct api *api = &r->duck->api;
	while (r->at == r->size) {
		if (r->chunk)
			api->destroy_data_chunk(&r->chunk);
		r->chunk = api->fetch_chunk(r->result);
		if (!r->chunk) {
			const char *why = api->result_error(&r->result);
			*ret_row = false;
			return !why || !*why || failed(why, err);
		}
		r->at = 0;
		r->size = api->data_chunk_get_size(r->chunk);
		for (int i = 0; i < r->ncolumns && i < COLUMNS_MAX; i++) {
			void *vector = api->data_chunk_get_vector(r->chunk, (uint64_t)i);
			r->data[i] = api->vector_get_data(vector);
			r->valid[i] = api->vector_get_validity(vector);
		}
	}
	r->at++;
	*ret_row = true;
	return true;
}

static bool is_null(struct duck_rows *r, int column)
{
	uint64_t row = r->at - 1;
	return r->valid[column] && !(r->valid[column][row / 64] >> (row % 64) & 1);
}

struct str duck_text(struct duck_rows *r, int column)
{
	if (is_null(r, column))
		return STR_NONE;
	const union string *s = (const union string *)r->data[column] + (r->at - 1);
	return (struct str){s->here.len <= sizeof s->here.bytes ? s->here.bytes : s->there.p, s->here.len};
}

int64_t duck_int(struct duck_rows *r, int column)
{
	return is_null(r, column) ? 0 : ((const int64_t *)r->data[column])[r->at - 1];
}

usd_pico duck_wide(struct duck_rows *r, int column)
{
	if (is_null(r, column))
		return 0;
	struct wide w = ((const struct wide *)r->data[column])[r->at - 1];
	return (usd_pico)w.high * ((usd_pico)1 << 64) + (usd_pico)w.low;
}

void duck_done(struct duck_rows *r)
{
	if (!r)
		return;
	if (r->chunk)
		r->duck->api.destroy_data_chunk(&r->chunk);
	r->duck->api.destroy_result(&r->result);
	if (r->statement)
		r->duck->api.destroy_prepare(&r->statement);
	free(r);
}
