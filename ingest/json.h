// SPDX-License-Identifier: Apache-2.0
// JSON in C: a thin layer over simdjson's DOM. Its C++ stays in json.cc.
//
// A `struct json` is a value: a reference into the parser's tape. The value, and every string read from it,
// lives until the same parser parses again or is freed. {NULL, 0} means "absent"; every reader accepts it and
// returns false.
//
// Readers are strict: a number in a string is a string. If an object has a key twice, the first one counts.
#ifndef NOWCAST_INGEST_JSON_H
#define NOWCAST_INGEST_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

enum json_type {
	JSON_NONE, // absent
	JSON_NULL,
	JSON_BOOL,
	JSON_INT,
	JSON_DOUBLE, // also integers beyond int64
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json {
	const void *doc;
	size_t at;
};

#define JSON_ABSENT ((struct json){NULL, 0})

// ---- parsing ----

struct json_parser;

struct json_parser *json_parser_new(void);
void json_parser_free(struct json_parser *p);

// Parses one document. `text` needs no padding, and may be freed afterwards. A number beyond 64 bits is read
// as a string that is no number (json_repair.h). On false *ret_why is a static sentence. The parser keeps
// memory for its largest document so far; json_parser_shrink frees it if that document was larger than `keep`
// bytes.
bool json_parse(struct json_parser *p, struct str text, struct json *ret, const char **ret_why) NC_CHECK;
void json_parser_shrink(struct json_parser *p, size_t keep);

// ---- reading ----

enum json_type json_type(struct json v);
const char *json_type_name(enum json_type t);

static inline bool json_missing(struct json v) // absent or null: CloudTrail writes either for "no value"
{
	return json_type(v) <= JSON_NULL;
}

static inline struct json json_present(struct json a, struct json b) // a, or b if a is missing
{
	return json_missing(a) ? b : a;
}

// True, and *ret set, only if the value is of that type. json_double takes both kinds of number.
bool json_str(struct json v, struct str *ret);
bool json_int(struct json v, int64_t *ret);
bool json_double(struct json v, double *ret);
bool json_bool(struct json v, bool *ret);

// The value of `key`; absent if there is none, or if `v` is no object.
struct json json_get(struct json v, struct str key);

// Many keys in one walk over the object: ret[i] becomes the value of names[i], or absent.
enum { JSON_KEYS_MAX = 96 };
struct json_keys {
	const struct str *names;
	int n;
	uint8_t bucket[128], next[JSON_KEYS_MAX + 1]; // chains of 1-based indexes, 0 ends
};

void json_keys_init(struct json_keys *k, const struct str *names, int n); // `names` must outlive it
void json_pick(struct json v, const struct json_keys *k, struct json *ret);

// ---- walking ----
//
//     struct json_iter it = json_begin(v);
//     while (json_next(&it, &key, &item)) ...       key is empty in arrays, and may be NULL
//
// Anything but an array or an object is empty.
struct json_iter {
	struct json next, end;
	bool object;
};

struct json_iter json_begin(struct json v);
bool json_next(struct json_iter *it, struct str *ret_key, struct json *ret);

// Appends the value as JSON text, without white space.
void json_print(struct json v, struct buf *out);

// Appends the library and its version, as it was built with: "simdjson 3.0.1".
void json_library(struct buf *out);

#ifdef __cplusplus
}
#endif

#endif
