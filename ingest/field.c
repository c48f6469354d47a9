// SPDX-License-Identifier: Apache-2.0
#include "ingest/field.h"

#include "base/when.h"

struct shown field_show(struct str s)
{
	struct shown out;
	size_t n = s.len < 60 ? s.len : 60, at = 0;
	out.z[at++] = '"';
	for (size_t i = 0; i < n; i++)
		out.z[at++] = s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '?';
	memcpy(out.z + at, n < s.len ? "...\"" : "\"", n < s.len ? 5 : 2);
	return out;
}

bool field_opt_type(struct json v, enum json_type type, const char *name, struct err *err)
{
	return json_missing(v) || json_type(v) == type ||
	       err_set(err, ERR_SKIP, "%s should be %s, and is %s", name, json_type_name(type),
	               json_type_name(json_type(v)));
}

bool field_opt_str(struct json v, const char *name, struct str *ret, struct err *err)
{
	struct str s;
	if (!json_str(v, &s)) {
		if (!json_missing(v))
			return field_opt_type(v, JSON_STRING, name, err);
		*ret = STR_NONE;
		return true;
	}
	if (s.len > FIELD_STRING_MAX)
		return err_set(err, ERR_SKIP, "%s is %zu bytes long, of at most %d: %s", name, s.len,
		               FIELD_STRING_MAX, field_show(s).z);
	*ret = s;
	return true;
}

bool field_str(struct json v, const char *name, struct str *ret, struct err *err)
{
	struct str s;
	if (!field_opt_str(v, name, &s, err))
		return false;
	if (!s.len)
		return err_set(err, ERR_SKIP, "%s is missing", name);
	*ret = s;
	return true;
}

bool field_time(struct json v, const char *name, int64_t *ret_ms, struct err *err)
{
	struct str s;
	if (!field_str(v, name, &s, err))
		return false;
	if (!when_parse(s, ret_ms))
		return err_set(err, ERR_SKIP, "%s is no time such as 2026-11-02T05:00:00Z: %s", name,
		               field_show(s).z);
	return true;
}

bool field_account(struct str s, const char *name, struct err *err)
{
	bool good = s.len >= 1 && s.len <= 12;
	for (size_t i = 0; good && i < s.len; i++)
		good = s.p[i] >= '0' && s.p[i] <= '9';
	return good ||
	       err_set(err, ERR_SKIP, "%s is no account number of at most 12 digits: %s", name, field_show(s).z);
}

bool field_region(struct str s, const char *name, struct err *err)
{
	bool good = s.len >= 1 && s.len <= 32;
	for (size_t i = 0; good && i < s.len; i++)
		good = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-';
	return good || err_set(err, ERR_SKIP, "%s is no region such as us-east-1: %s", name, field_show(s).z);
}

static bool parse_digits(struct str s, int64_t *ret)
{
	int64_t v = 0;
	if (s.len < 1 || s.len > 15)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*ret = v;
	return true;
}

bool field_tokens(struct json v, const char *name, bool *known, uint32_t *ret, struct err *err)
{
	int64_t n = -1;
	double d;
	struct str s;
	if (json_missing(v))
		return true;
	if (json_str(v, &s)) {
		if (!parse_digits(s, &n) || n > UINT32_MAX)
			return err_set(err, ERR_SKIP, "%s is no count of tokens: %s", name, field_show(s).z);
	} else if (!json_int(v, &n)) {
		if (!json_double(v, &d))
			return err_set(err, ERR_SKIP, "%s should be a number, and is %s", name,
			               json_type_name(json_type(v)));
		n = d >= 0 && d <= UINT32_MAX && d == (double)(int64_t)d ? (int64_t)d : -1;
	}
	if (n < 0 || n > UINT32_MAX)
		return err_set(err, ERR_SKIP,
		               "%s is no count of tokens: it is not a whole number from 0 to 4294967295", name);
	*known = true;
	*ret = (uint32_t)n;
	return true;
}

bool field_sum(double sum, const char *name, int64_t *ret, struct err *err)
{
	// Written so that NaN fails too.
	if (!(sum >= 0 && sum <= FIELD_SUM_MAX) || sum != (double)(int64_t)sum)
		return err_set(err, ERR_SKIP, "%s is no count of tokens: %g is not a whole number from 0 to 2^40",
		               name, sum);
	*ret = (int64_t)sum;
	return true;
}
