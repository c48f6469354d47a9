// SPDX-License-Identifier: Apache-2.0
// Writes JSON into a buffer: commas, quotes and escapes are its matter, the order of members is the caller's.
//
//     struct json_writer j = JSON_WRITER(&buf);
//     jw_object(&j, NULL);
//         jw_str(&j, "name", STR("a"));
//         jw_array(&j, "hours");
//             jw_int(&j, NULL, 5);
//         jw_end(&j);
//     jw_end(&j);                          {"name":"a","hours":[5]}
//
// `key` is the name of the member inside an object, and NULL inside an array and for the outermost value. It
// is written as it is, so it holds nothing that needs an escape; jw_key takes names from outside. What is
// nested deeper than JSON_DEPTH_MAX is a bug of the caller.
#ifndef NOWCAST_BASE_JSON_WRITER_H
#define NOWCAST_BASE_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/usd.h"

enum { JSON_DEPTH_MAX = 16, JSON_USD_PLACES = 9 };

struct json_writer {
	struct buf *out;
	int depth;                     // objects and arrays that are open
	bool key_written;              // by jw_key: the next value belongs to it
	bool new_line;                 // by jw_line: the next value begins one
	bool started[JSON_DEPTH_MAX + 1]; // this depth has a value already
	char close[JSON_DEPTH_MAX + 1];   // what ends it
};

#define JSON_WRITER(buf) ((struct json_writer){.out = (buf)})

void jw_object(struct json_writer *j, const char *key);
void jw_array(struct json_writer *j, const char *key);
void jw_end(struct json_writer *j); // of the innermost object or array

// The name of the next value, whose own key is then NULL.
void jw_key(struct json_writer *j, struct str name);

// The next value begins a line: for arrays that people read.
void jw_line(struct json_writer *j);

void jw_str(struct json_writer *j, const char *key, struct str value); // STR_NONE is null
void jw_strz(struct json_writer *j, const char *key, const char *value); // NULL is null
void jw_int(struct json_writer *j, const char *key, int64_t value);
void jw_bool(struct json_writer *j, const char *key, bool value);
void jw_null(struct json_writer *j, const char *key);
void jw_real(struct json_writer *j, const char *key, double value, int places); // not a number is null

// Dollars as a string of nine places, for a double would round them.
void jw_usd(struct json_writer *j, const char *key, struct usd value);

// A moment as "2026-11-02T05:00:00Z".
void jw_time(struct json_writer *j, const char *key, int64_t ms);

// The same where they are known; else null.
void jw_int_if(struct json_writer *j, const char *key, bool known, int64_t value);
void jw_usd_if(struct json_writer *j, const char *key, bool known, struct usd value);
void jw_time_if(struct json_writer *j, const char *key, bool known, int64_t ms);

// A value that is JSON already.
void jw_raw(struct json_writer *j, const char *key, struct str json);

#endif
