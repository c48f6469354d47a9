// SPDX-License-Identifier: Apache-2.0
// Sheets of the view kept in memory, so that who asks the tenth question about a day does not read it from Redis ten times.
//
// A sheet is kept with the mark under which Redis had it (a digest of its rows, the number of the run that billed it), and is
// given back only to who names the same mark. Names are kept once, rows as the words of their figures that are not zero:
// some 40 bytes a row instead of the 200 of a struct view_row.
//
//     shelf_put(key, mark, rows)      a copy
//     shelf_get(key, mark) -> rows    in the caller's arena; their strings are the shelf's
//     shelf_trim()                    the least recently used go, until what is left fits
//
// For one thread. Strings that shelf_get hands out live until the next shelf_trim.
#ifndef NOWCAST_STORE_MODEL_HOUR_CACHE_H
#define NOWCAST_STORE_MODEL_HOUR_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "store/view.h"

struct shelf;

struct shelf *shelf_new(void);
void shelf_free(struct shelf *s);
void shelf_limit(struct shelf *s, size_t bytes_max); // nothing stays before this is said
bool shelf_is_full(const struct shelf *s);           // nine tenths of that are taken

// What a sheet is apart from its place: one side of it, the estimate's or the bill's.
struct shelf_rows {
	struct str model, foundation; // as the rows name them; none
	const struct view_row *rows;
	int nrows;
};

bool shelf_has(const struct shelf *s, uint64_t key, uint64_t mark);
bool shelf_get(struct shelf *s, uint64_t key, uint64_t mark, struct arena *arena, struct shelf_rows *ret);
void shelf_put(struct shelf *s, uint64_t key, uint64_t mark, const struct shelf_rows *rows);
void shelf_trim(struct shelf *s);

// Everybody in rows that were put since names were last dropped, numbered from 0 in the order of their coming.
int32_t shelf_callers(const struct shelf *s);
void shelf_caller(const struct shelf *s, int32_t i, struct str *ret_principal, struct str *ret_tagset);

size_t shelf_bytes(const struct shelf *s);

#endif
