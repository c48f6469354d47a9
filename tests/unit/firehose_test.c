// SPDX-License-Identifier: Apache-2.0
// Bodies of deliveries by Firehose, as a table: what is read of each, record by record.
#include "ingest/firehose.h"

#include <stdlib.h>

#include "tests/tap.h"

// `becomes`: the id, the time, and a word for each record: its data in brackets, or ! if there is none.
static const struct {
	const char *name, *body, *becomes;
} rows[] = {
	{"the documented form",
     "{\"requestId\": \"ed4acda5-034f-9f42-bba1-f29aea6d7d8f\", \"timestamp\": 1578090901599, "
     "\"records\": [\n{\"data\": \"aGVsbG8=\"}, {\"data\": \"aGVsbG8gd29ybGQ=\"}]}",
     "ed4acda5-034f-9f42-bba1-f29aea6d7d8f 1578090901599 [hello] [hello world]"},
	{"compact, in another order, with more members",
     "{\"records\":[{\"x\":{\"data\":\"\"},\"data\":\"aGVsbG8=\"}],\"a\":[1,"
     "{\"records\":[]}],\"requestId\":\"q\"}",
     "q 0 [hello]"},
	{"pretty, with line ends everywhere",
     "\n{\n\"requestId\"\n:\n\"q\"\n,\n\"records\"\n:\n[\n{\n\"data\"\n:\n\"aGVsbG8=\"\n}\n]\n}\n",
     "q 0 [hello]"},
	{"empty data", "{\"requestId\":\"q\",\"records\":[{\"data\":\"\"},{\"data\":\"aGVsbG8=\"}]}",
     "q 0 [] [hello]"},
	{"no records", "{\"requestId\":\"q\",\"records\":[]}", "q 0"},
	{"slashes that are escaped", "{\"requestId\":\"q\",\"records\":[{\"data\":\"Pz8\\/\"}]}", "q 0 [?\?\?]"},
	{"records that are none, among others",
     "{\"requestId\":\"q\",\"records\":[7,{\"data\":7},{},{\"data\":\"***\"},{\"data\":{\"a\":1}},null,\"x\","
     "{\"data\":\"aGVsbG8=\"}]}",
     "q 0 ! ! ! ! ! ! ! [hello]"},
	{"commas that are too many hide no record",
     "{\"requestId\":\"q\",\"records\":[,{\"data\":\"aGVsbG8=\"},,{\"data\":\"aGVsbG8=\"},]}",
     "q 0 [hello] [hello]"},
	{"a bracket of the wrong kind spoils its record only",
     "{\"requestId\":\"q\",\"records\":[{\"data\":\"aGVsbG8=\"],{\"data\":\"aGVsbG8=\"}]}", "q 0 ! [hello]"},
	{"cut off in a record", "{\"requestId\":\"q\",\"records\":[{\"data\":\"aGVsbG8=\"},{\"data\":\"aGV",
     "cut off"},
	{"cut off behind the records", "{\"requestId\":\"q\",\"records\":[{\"data\":\"aGVsbG8=\"}]", "cut off"},
	{"more behind the end", "{\"requestId\":\"q\",\"records\":[]}{}", "cut off"},
	{"nothing", "", "cut off"},
	{"a list", "[]", "no JSON object"},
	{"without an id", "{\"records\":[]}", "no requestId"},
	{"an id that is none", "{\"requestId\":\"a b\",\"records\":[]}", "no requestId"},
	{"an id with an escape", "{\"requestId\":\"a\\\"b\",\"records\":[]}", "no requestId"},
	{"without records", "{\"requestId\":\"q\"}", "no list of records"},
	{"records that are no list", "{\"requestId\":\"q\",\"records\":{}}", "no list of records"},
};

static void read_row(size_t i)
{
	struct firehose_body b;
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT, data = BUF_INIT;
	struct str text;
	if (!firehose_body_read(str_of(rows[i].body), &b, &err)) {
		ok(err.kind == ERR_SKIP && strstr(err.msg, rows[i].becomes), "%s: %s", rows[i].name, err.msg);
		return;
	}
	buf_addf(&out, "%.*s %lld", STR_ARG(b.request_id), (long long)b.timestamp_ms);
	while (firehose_record_next(&b, &data, &text, &err))
		buf_addf(&out, err.kind ? " !" : " [%.*s]", STR_ARG(buf_str(&data)));
	is_str(out.data, rows[i].becomes, rows[i].name);
	buf_release(&out);
	buf_release(&data);
}

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		read_row(i);
	return done();
}
