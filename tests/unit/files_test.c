// SPDX-License-Identifier: Apache-2.0
// Files to messages, and the frame that kcat puts around them. Each case writes a file and says which
// messages come out, as "line:bytes" joined by "|"; "!" before it marks one that is reported as broken.
#include "ingest/files.h"

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "ingest/origin.h"
#include "tests/tap.h"

enum { LIMIT = 4096 };

static char folder[] = "/tmp/nowcast-files-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, struct str data)
{
	FILE *f = fopen(path_of(name), "we");
	if (!f || fwrite(data.p ? data.p : "", 1, data.len, f) != data.len)
		exit(1);
	fclose(f);
}

static void add_gzip(struct buf *b, struct str data)
{
	z_stream z = {0};
	deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	buf_reserve(b, deflateBound(&z, data.len));
	z.next_in = (unsigned char *)(uintptr_t)data.p;
	z.avail_in = (unsigned)data.len;
	z.next_out = (unsigned char *)b->data + b->len;
	z.avail_out = (unsigned)(b->cap - b->len - 1);
	deflate(&z, Z_FINISH);
	b->len += z.total_out;
	deflateEnd(&z);
}

static bool on_message(void *user, const struct files_message *m, struct err *err)
{
	struct buf *b = user;
	(void)err;
	buf_addf(b, "%s%s%lld:", b->len ? "|" : "", m->broken ? "!" : "", (long long)m->line);
	if (m->data.len > 60)
		buf_addf(b, "(%zu bytes)", m->data.len);
	else
		buf_addstr(b, m->data);
	return true;
}

static void reads_as(const char *what, struct str data, const char *want)
{
	struct err err = ERR_INIT;
	struct buf got = BUF_INIT;
	struct files files;
	char *paths[] = {NULL, NULL};
	write_file("one", data);
	paths[0] = xstrdup(str_of(path_of("one")));
	bool good = files_list(&files, paths, &err) && files.n == 1 &&
	            files_read(&files, 0, LIMIT, on_message, &got, &err);
	if (!good)
		diag("%s", err.msg);
	is_str(good && got.data ? got.data : "", want, what);
	files_release(&files);
	buf_release(&got);
	free(paths[0]);
}

static void gzip_cases(void)
{
	struct buf b = BUF_INIT;
	add_gzip(&b, STR("{\"a\":1}\n{\"b\":"));
	add_gzip(&b, STR("2}\n"));
	reads_as("members of a gzip follow each other, even within a line", buf_str(&b),
	         "1:{\"a\":1}|2:{\"b\":2}");
	b.len -= 4;
	reads_as("a cut gzip gives what came, and says so", buf_str(&b), "1:{\"a\":1}|2:{\"b\":2}|!3:");
	buf_clear(&b);
	add_gzip(&b, STR("{\"a\":1}\n"));
	buf_adds(&b, "behind");
	reads_as("what is behind a gzip is damage, not data", buf_str(&b), "1:{\"a\":1}|!2:");
	buf_release(&b);
}

static void long_lines(void)
{
	struct buf b = BUF_INIT;
	buf_adds(&b, "{\"a\":1}\n");
	for (int i = 0; i < 300000; i++)
		buf_addc(&b, 'x');
	buf_adds(&b, "\n{\"b\":2}");
	reads_as("a line over the limit is one fault, and the next line is read", buf_str(&b),
	         "1:{\"a\":1}|!2:(4096 bytes)|3:{\"b\":2}");
	buf_clear(&b);
	buf_adds(&b, "{\n");
	for (int i = 0; i < 600; i++)
		buf_addf(&b, "\"k%d\":1,\n", i);
	struct err err = ERR_INIT;
	struct buf got = BUF_INIT;
	struct files files;
	write_file("one", buf_str(&b));
	char *path = xstrdup(str_of(path_of("one"))), *paths[] = {path, NULL};
	ok(files_list(&files, paths, &err) && files_read(&files, 0, LIMIT, on_message, &got, &err) &&
	       strstr(got.data, "1:{|2:"),
	   "an indented value over the limit is read line by line");
	files_release(&files);
	buf_release(&got);
	buf_release(&b);
	free(path);
}

static void folders(void)
{
	struct err err = ERR_INIT;
	struct files files;
	write_file("b", STR("1"));
	write_file(".hidden", STR("1"));
	mkdir(path_of("a"), 0700);
	write_file("a/z", STR("1"));
	char *paths[] = {folder, NULL};
	ok(files_list(&files, paths, &err) && files.n == 2,
	   "a folder gives what is below it, without hidden files");
	if (files.n == 2)
		ok(strstr(files.entries[0].path, "/a/z") && strstr(files.entries[1].path, "/b"), "in order of name");
	files_release(&files);
	char missing[] = "/nonexistent/file", *none[] = {missing, NULL};
	ok(!files_list(&files, none, &err) && err.kind == ERR_CONFIG && strstr(err.msg, missing),
	   "a missing path is named: %s", err.msg);
	files_release(&files);
}

static void is_framed(const char *line, const char *want)
{
	struct buf scratch = BUF_INIT, got = BUF_INIT;
	struct origin origin = {0};
	struct str payload;
	if (kcat_line(str_of(line), &scratch, &origin, &payload))
		buf_addf(&got, "%.*s/%d/%lld %.*s", STR_ARG(origin.topic), origin.partition, (long long)origin.offset,
		         STR_ARG(payload));
	else
		buf_adds(&got, "no");
	is_str(got.data, want, line);
	buf_release(&scratch);
	buf_release(&got);
}

static void kcat_cases(void)
{
	is_framed(
		"{\"topic\":\"t\",\"partition\":3,\"offset\":17,\"tstype\":\"create\",\"ts\":1,\"broker\":0,\"key\":null,\"payload\":\"{\\\"a\\\":\\\"\\\\n\\u00e9\\ud83d\\ude00\\\"}\"}",
		"t/3/17 {\"a\":\"\\n\xc3\xa9\xf0\x9f\x98\x80\"}");
	is_framed(
		"{\"topic\":\"t\",\"partition\":0,\"offset\":1,\"headers\":[\"a\",\"}\"],\"key\":\"k\",\"payload\":{\"x\":[1,2]}}",
		"t/0/1 {\"x\":[1,2]}");
	is_framed("{\"topic\":\"t\",\"partition\":0,\"offset\":1,\"payload\":null}", "t/0/1 ");
	is_framed("{\"topic\":\"t\",\"partition\":0,\"offset\":1,\"payload\":\"cut", "no");
	is_framed("{\"topic\":\"t\",\"partition\":0,\"offset\":1,\"payload\":\"\\u12\"}", "no");
	is_framed("{\"topic\":\"t\",\"partition\":0,\"offset\":1,\"payload\":\"\\\"}", "no");
	is_framed("{\"topic\":\"t\",\"partition\":0,\"offset\":1,\"payload\":\"a\"} \t\r\n", "t/0/1 a");
	is_framed(
		"{\"topic\":\"t\",\"partition\":0,\"offset\":1,\"payload\":\"a\"}{\"topic\":\"t\",\"partition\":0,\"offset\":2,\"payload\":\"b\"}",
		"no");
	is_framed("{\"eventVersion\":\"1.11\",\"topic\":\"t\"}", "no");
	is_framed("{\"reason\":\"r\",\"topic\":\"t\",\"partition\":1,\"offset\":2,\"records\":[]}", "no");
	is_framed("[]", "no");
	is_framed("", "no");
}

// What is read from a line: its data, printable, and its origin.
static void reads_dead_letter(const char *line, const char *want)
{
	struct buf scratch = BUF_INIT, got = BUF_INIT;
	struct origin o = {.partition = 0};
	struct str data;
	if (dead_letter_read(str_of(line), &scratch, &o, &data)) {
		for (size_t i = 0; i < data.len; i++)
			buf_addf(&got, data.p[i] >= ' ' && data.p[i] <= '~' ? "%c" : "\\x%02x", (unsigned char)data.p[i]);
		buf_addf(&got, ", of %.*s/%d/%lld", STR_ARG(o.topic), o.partition, (long long)o.offset);
	} else {
		buf_adds(&got, "no");
	}
	is_str(got.data, want, line);
	buf_release(&scratch);
	buf_release(&got);
}

static void is_letter(const char *headers, const char *want)
{
	struct buf line = BUF_INIT, got = BUF_INIT;
	struct origin o = {.topic = STR("dead"), .partition = 1, .offset = 2};
	buf_addf(&line, "{\"topic\":\"dead\",\"partition\":1,\"offset\":2,%s", headers);
	buf_adds(&line, "\"key\":null,\"payload\":\"x\"}");
	bool good = kcat_letter_origin(buf_str(&line), &o);
	buf_addf(&got, "%s %.*s/%d/%lld", good ? "yes" : "no", STR_ARG(o.topic), o.partition,
	         (long long)o.offset);
	is_str(got.data, want, *headers ? headers : "no headers");
	buf_release(&line);
	buf_release(&got);
}

static void letters_of_a_topic(void)
{
	is_letter("\"headers\":[\"reason\",\"a, \\\"b\\\"]\",\"topic\",\"raw\",\"partition\",\"3\",\"offset\",\"17\",\"index\",\"-1\"],",
	          "yes raw/3/17");
	is_letter("\"headers\":[\"reason\",\"r\",\"topic\",\"\",\"partition\",\"0\",\"offset\",\"0\",\"file\",\"aws:logs/1/us-east-1\"],",
	          "yes /0/0");
	is_letter("\"headers\":[\"reason\",\"r\",\"topic\",null,\"partition\",\"0\",\"offset\",\"0\"],", "yes /0/0");
	is_letter("\"headers\":[\"topic\",\"raw\"],", "no dead/1/2");
	is_letter("\"headers\":[],", "no dead/1/2");
	is_letter("\"headers\":[\"reason\"],", "no dead/1/2");
	is_letter("", "no dead/1/2");
}

static void dead_letters(void)
{
	struct buf b = BUF_INIT;
	struct dead_letter d = {.origin = {.topic = STR("t\"x"), .partition = 2, .offset = 9},
	                        .kind = FAULT_RECORD,
	                        .index = 4,
	                        .reason = "bad\n\xff",
	                        .data = STR("any carnal pleas")};
	dead_letter_line(&d, &b);
	is_str(
		b.data,
		"{\"kind\":\"record\",\"reason\":\"bad\\n\xef\xbf\xbd\",\"topic\":\"t\\\"x\",\"partition\":2,\"offset\":9,\"index\":4,\"records\":[{\"data\":\"YW55IGNhcm5hbCBwbGVhcw==\"}]}\n",
		"a dead letter is one line of JSON, its data in base64");
	reads_dead_letter(b.data, "any carnal pleas, of t\\\"x/2/9");
	reads_dead_letter(
		"{\"reason\": \"r\", \"file\": \"f\", \"line\": 7, \"index\": -1, \"records\": [{\"data\": \"AP8=\"}]}",
		"\\x00\\xff, of /0/0");
	reads_dead_letter("{\"reason\":\"r\",\"index\":0,\"records\":[{\"data\":\"*\"}]}", "no");
	reads_dead_letter("{\"reason\":\"r\",\"index\":0,\"records\":[{\"data\":\"AA==\"},{\"data\":\"AA==\"}]}",
	                  "no");
	reads_dead_letter("{\"reason\":\"r\",\"records\":[{\"data\":\"AA==\"}]}", "no");
	reads_dead_letter("{\"requestId\":\"q\",\"index\":0,\"records\":[{\"data\":\"AA==\"}]}", "no");
	reads_dead_letter("", "no");
	buf_release(&b);
}

int main(void)
{
	if (!mkdtemp(folder))
		return 1;
	folders();
	reads_as("nothing", STR(""), "");
	reads_as("blank lines", STR("\n \r\n\n"), "2: ");
	reads_as("lines", STR("{\"a\":1}\r\n\n[2]\n{\"c\""), "1:{\"a\":1}|3:[2]|4:{\"c\"");
	reads_as("one line without an end", STR("{\"Records\":[{}]}"), "1:{\"Records\":[{}]}");
	reads_as("an indented object", STR("{\n \"a\": 1\n}\n"), "0:{\n \"a\": 1\n}");
	reads_as("an array broken behind its bracket", STR("[\n{},\n{}\n]"), "0:[\n{},\n{}\n]");
	reads_as("a first record cut off does not hide the others", STR("{\"a\":{\"b\n{\"c\":1}\n"),
	         "1:{\"a\":{\"b|2:{\"c\":1}");
	reads_as("brackets and quotes in strings", STR("{\"a\":\"}{[\\\"\"}\n{}"), "1:{\"a\":\"}{[\\\"\"}|2:{}");
	reads_as("binary data", STR("\x0a\x03\x01zz\nqq"), "0:\x0a\x03\x01zz\nqq");
	gzip_cases();
	long_lines();
	kcat_cases();
	dead_letters();
	letters_of_a_topic();
	char remove[300];
	snprintf(remove, sizeof remove, "rm -rf '%s'", folder);
	return system(remove) == 0 ? done() : 1;
}
