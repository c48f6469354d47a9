// SPDX-License-Identifier: Apache-2.0
// `nowcast detect`: the detector alone, as a filter: CSV timestamp,value in; timestamp,anomaly_score out, a line for a line,
// each written before the next is read. A first line that holds no number is the header.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/when.h"
#include "serve/commands.h"
#include "serve/detect.h"

// Fields are cut at commas; quotes around a field are taken off. The second is the value, further ones are passed over.
static struct str unquoted(struct str s)
{
	while (s.len && (s.p[0] == ' ' || s.p[0] == '"'))
		s.p++, s.len--;
	while (s.len && strchr(" \"\r\n", s.p[s.len - 1]))
		s.len--;
	return s;
}

static bool number(struct str s, double *ret)
{
	char text[64], *end;
	if (s.len == 0 || s.len >= sizeof text)
		return false;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	double v = strtod(text, &end);
	if (*end || !isfinite(v))
		return false;
	*ret = v;
	return true;
}

// Seconds or milliseconds since 1970 are taken too, told apart by their size.
static bool moment(struct str s, int64_t *ret_ms)
{
	double v;
	if (when_parse(s, ret_ms))
		return true;
	if (!number(s, &v) || v < 0 || v > 1e14)
		return false;
	*ret_ms = (int64_t)(v < 1e11 ? v * 1000 : v);
	return true;
}

static bool detect_line(struct detector *d, char *line, size_t len, int64_t at, struct err *err)
{
	struct str rest = {line, len}, time = unquoted(str_cut(&rest, ',')), value = unquoted(str_cut(&rest, ','));
	int64_t ms;
	double v;
	if (time.len == 0 && value.len == 0)
		return true;
	bool good_value = number(value, &v), good_time = moment(time, &ms);
	if (at == 1 && !good_value && !good_time)
		return true; // the header
	if (!good_time)
		return err_set(err, ERR_SKIP, "line %lld: expected a time such as 2026-11-02T05:00:00Z before the comma, got \"%.*s\"",
		               (long long)at, STR_ARG(time));
	if (!good_value)
		return err_set(err, ERR_SKIP, "line %lld: expected a number behind the comma, got \"%.*s\"", (long long)at, STR_ARG(value));
	printf("%.*s,%.6f\n", STR_ARG(time), detector_add(d, ms, v));
	return true;
}

static bool detect_all(struct err *err)
{
	struct detector *d = detector_new();
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	bool good = true;
	puts("timestamp,anomaly_score");
	for (int64_t at = 1; good && (len = getline(&line, &cap, stdin)) > 0; at++)
		good = detect_line(d, line, (size_t)len, at, err);
	if (good && ferror(stdin))
		good = err_set(err, ERR_FATAL, "standard input: %s", strerror(errno));
	free(line);
	detector_free(d);
	return good;
}

int cmd_detect(struct command *c)
{
	struct err err = ERR_INIT;
	if (!command_done(c, 0, 0, &err))
		return command_fail(c, &err);
	setvbuf(stdout, NULL, _IOLBF, 1 << 12); // who pipes a live series in wants each score now
	return detect_all(&err) ? STATUS_OK : command_fail(c, &err);
}
