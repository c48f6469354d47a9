// SPDX-License-Identifier: Apache-2.0
// The one C++ file: simdjson behind the C functions of json.h.
//
// simdjson's element and its iterators are each one (document, index) pair; `struct json` is that pair in C.
// They are copied bytewise in both directions; the assertions below check that this works. The text is copied
// once, into a buffer with the padding that simdjson reads past the end. Strings are unescaped into the
// document's own memory, so the caller may free the text when json_parse returns. Exceptions are off: every
// call is made in its checked form.
extern "C" { // the headers of base have no C++ guards
#include "base/buf.h"
#include "ingest/json_repair.h"
}
#include "ingest/json.h"

#include <cstring>
#include <new>
#include <string>
#include <type_traits>

#include <simdjson.h>

namespace dom = simdjson::dom;

static_assert(sizeof(dom::element) == sizeof(struct json) && std::is_trivially_copyable<dom::element>::value,
              "element");
static_assert(sizeof(dom::array::iterator) == sizeof(struct json), "array iterator");
static_assert(sizeof(dom::object::iterator) == sizeof(struct json), "object iterator");

template <class T> static T from_c(struct json v)
{
	T t;
	memcpy(static_cast<void *>(&t), &v, sizeof v);
	return t;
}

template <class T> static struct json to_c(const T &t)
{
	struct json v;
	memcpy(&v, static_cast<const void *>(&t), sizeof v);
	return v;
}

static struct str to_str(std::string_view s)
{
	return {s.data(), s.size()};
}

struct json_parser {
	dom::parser dom;
	struct buf text = {nullptr, 0, 0};
};

struct json_parser *json_parser_new(void)
{
	return new (xmalloc(sizeof(struct json_parser))) json_parser();
}

void json_parser_free(struct json_parser *p)
{
	if (!p)
		return;
	buf_release(&p->text);
	p->~json_parser();
	free(p);
}

void json_parser_shrink(struct json_parser *p, size_t keep)
{
	if (p->dom.capacity() <= keep && p->text.cap <= keep + 4096)
		return;
	buf_release(&p->text);
	p->dom.~parser();
	new (&p->dom) dom::parser();
}

// simdjson 3.12 has an error of its own for an integer beyond 64 bits; 3.0 says NUMBER_ERROR.
template <class E> static auto is_big_integer(E code, int) -> decltype(E::BIGINT_ERROR, true)
{
	return code == E::BIGINT_ERROR;
}
template <class E> static bool is_big_integer(E, long)
{
	return false;
}

// The same sentence for every version: 3.12 begins with the name of the error, and ends that of TAPE_ERROR
// with another one.
static const char *explain_error(simdjson::error_code code)
{
	if (code == simdjson::TAPE_ERROR)
		return "The JSON document has an improper structure: missing or superfluous commas, braces, missing keys, etc.";
	const char *text = simdjson::error_message(code);
	size_t name = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	return name && strncmp(text + name, ": ", 2) == 0 ? text + name + 2 : text;
}

bool json_parse(struct json_parser *p, struct str text, struct json *ret, const char **ret_why)
{
	buf_clear(&p->text);
	buf_reserve(&p->text, text.len + simdjson::SIMDJSON_PADDING);
	if (text.len)
		memcpy(p->text.data, text.p, text.len);
	memset(p->text.data + text.len, 0, simdjson::SIMDJSON_PADDING);
	dom::element root;
	simdjson::error_code code = p->dom.parse(p->text.data, text.len, false).get(root);
	if ((code == simdjson::NUMBER_ERROR || code == simdjson::STRING_ERROR || is_big_integer(code, 0)) &&
	    json_repair(p->text.data, text.len))
		code = p->dom.parse(p->text.data, text.len, false).get(root);
	if (code) {
		*ret_why = explain_error(code);
		return false;
	}
	*ret = to_c(root);
	return true;
}

enum json_type json_type(struct json v)
{
	if (!v.doc)
		return JSON_NONE;
	switch (from_c<dom::element>(v).type()) {
	case dom::element_type::NULL_VALUE:
		return JSON_NULL;
	case dom::element_type::BOOL:
		return JSON_BOOL;
	case dom::element_type::INT64:
		return JSON_INT;
	case dom::element_type::UINT64: // simdjson says so only of what exceeds int64
	case dom::element_type::DOUBLE:
		return JSON_DOUBLE;
	case dom::element_type::STRING:
		return JSON_STRING;
	case dom::element_type::ARRAY:
		return JSON_ARRAY;
	case dom::element_type::OBJECT:
		return JSON_OBJECT;
	}
	return JSON_NONE;
}

const char *json_type_name(enum json_type t)
{
	static const char *const names[] = {"nothing",  "null",     "a boolean", "a number",
	                                    "a number", "a string", "an array",  "an object"};
	return names[t];
}

bool json_str(struct json v, struct str *ret)
{
	std::string_view s;
	if (!v.doc || from_c<dom::element>(v).get(s))
		return false;
	*ret = to_str(s);
	return true;
}

bool json_int(struct json v, int64_t *ret)
{
	int64_t i;
	if (json_type(v) != JSON_INT || from_c<dom::element>(v).get(i))
		return false;
	*ret = i;
	return true;
}

bool json_double(struct json v, double *ret)
{
	double d;
	if (!v.doc || from_c<dom::element>(v).get(d))
		return false;
	*ret = d;
	return true;
}

bool json_bool(struct json v, bool *ret)
{
	bool b;
	if (!v.doc || from_c<dom::element>(v).get(b))
		return false;
	*ret = b;
	return true;
}

struct json json_get(struct json v, struct str key)
{
	dom::object o;
	if (!v.doc || from_c<dom::element>(v).get(o))
		return {nullptr, 0};
	for (auto it = o.begin(), end = o.end(); it != end; ++it)
		if (it.key_equals(std::string_view(key.p, key.len)))
			return to_c(it.value());
	return {nullptr, 0};
}

static size_t bucket_of(const char *p, size_t len)
{
	return len ? (len * 9 + (unsigned char)p[0] * 5 + (unsigned char)p[len - 1] * 3) & 127 : 0;
}

void json_keys_init(struct json_keys *k, const struct str *names, int n)
{
	memset(k, 0, sizeof *k);
	k->names = names;
	k->n = n;
	for (int i = n < JSON_KEYS_MAX ? n : JSON_KEYS_MAX; i > 0; i--) {
		size_t b = bucket_of(names[i - 1].p, names[i - 1].len);
		k->next[i] = k->bucket[b];
		k->bucket[b] = (uint8_t)i;
	}
}

void json_pick(struct json v, const struct json_keys *k, struct json *ret)
{
	dom::object o;
	memset(ret, 0, (size_t)k->n * sizeof *ret);
	if (!v.doc || from_c<dom::element>(v).get(o))
		return;
	for (auto it = o.begin(), end = o.end(); it != end; ++it) {
		std::string_view key = it.key();
		for (int i = k->bucket[bucket_of(key.data(), key.size())]; i; i = k->next[i]) {
			const struct str *name = &k->names[i - 1];
			if (name->len == key.size() && memcmp(name->p, key.data(), name->len) == 0) {
				if (!ret[i - 1].doc)
					ret[i - 1] = to_c(it.value());
				break;
			}
		}
	}
}

struct json_iter json_begin(struct json v)
{
	dom::object o;
	dom::array a;
	if (v.doc && !from_c<dom::element>(v).get(o))
		return {to_c(o.begin()), to_c(o.end()), true};
	if (v.doc && !from_c<dom::element>(v).get(a))
		return {to_c(a.begin()), to_c(a.end()), false};
	return {{nullptr, 0}, {nullptr, 0}, false};
}

bool json_next(struct json_iter *it, struct str *ret_key, struct json *ret)
{
	if (it->next.at == it->end.at)
		return false;
	if (it->object) {
		auto i = from_c<dom::object::iterator>(it->next);
		if (ret_key)
			*ret_key = to_str(i.key());
		*ret = to_c(i.value());
		it->next = to_c(++i);
	} else {
		auto i = from_c<dom::array::iterator>(it->next);
		if (ret_key)
			*ret_key = {nullptr, 0};
		*ret = to_c(*i);
		it->next = to_c(++i);
	}
	return true;
}

void json_print(struct json v, struct buf *out)
{
	if (!v.doc)
		return;
	std::string s = simdjson::minify(from_c<dom::element>(v));
	buf_add(out, s.data(), s.size());
}

void json_library(struct buf *out)
{
	buf_addf(out, "simdjson %d.%d.%d", int(simdjson::SIMDJSON_VERSION_MAJOR),
	         int(simdjson::SIMDJSON_VERSION_MINOR), int(simdjson::SIMDJSON_VERSION_REVISION));
}
