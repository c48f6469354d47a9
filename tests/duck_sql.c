// SPDX-License-Identifier: Apache-2.0
// Runs SQL statements in DuckDB, as nowcast loads it: tests make their Parquet files with it.
//
//     duck_sql 'COPY (SELECT ...) TO ''x.parquet'' (FORMAT parquet)'
//
// Exit status 2: there is no libduckdb.so.
#include <stdio.h>

#include "reconcile/duckdb.h"

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct duck *d;
	bool good = duck_open(&d, (int64_t)1 << 30, "/tmp/nowcast-duck-sql", &err);
	if (!good) {
		fprintf(stderr, "duck_sql: %s\n", err.msg);
		return 2;
	}
	for (int i = 1; good && i < argc; i++)
		good = duck_run(d, argv[i], &err);
	if (!good)
		fprintf(stderr, "duck_sql: %s\n", err.msg);
	duck_close(d);
	return !good;
}
