// SPDX-License-Identifier: Apache-2.0
// Prints the table of keys as a manual page, nowcast.conf(5), in mdoc(7). The text here is what the table
// does not have.
#include "base/conf.h"

#include "base/buf.h"
#include "base/conf_value.h"

static const char man_head[] =
	".\\\" SPDX-License-Identifier: Apache-2.0\n"
	".\\\" Printed by `nowcast check-config --man` out of the table of keys: do not edit.\n"
	".Dd November 22, 2026\n"
	".Dt NOWCAST.CONF 5\n"
	".Os\n"
	".Sh NAME\n"
	".Nm nowcast.conf\n"
	".Nd configuration of nowcast\n"
	".Sh DESCRIPTION\n"
	"The file named by\n"
	".Fl -config\n"
	"or\n"
	".Ev NOWCAST_CONFIG\n"
	"configures all subcommands of\n"
	".Xr nowcast 1 .\n"
	"It consists of lines\n"
	".Ql key = value .\n"
	"White space around key and value has no meaning.\n"
	"A line that begins with\n"
	".Ql #\n"
	"is a comment.\n"
	"A key that does not exist, a key given twice and a value outside of its range\n"
	"are errors.\n"
	".Pp\n"
	"Units are required: a duration ends in\n"
	".Cm ms , s , m , h\n"
	"or\n"
	".Cm d ,\n"
	"a size in\n"
	".Cm B , KiB , MiB\n"
	"or\n"
	".Cm GiB .\n"
	".Pp\n"
	"Each key may also be given as a flag, which is stronger than the environment,\n"
	"which is stronger than the file: the key\n"
	".Ic batch.records\n"
	"is the flag\n"
	".Fl -batch-records\n"
	"and the variable\n"
	".Ev NOWCAST_BATCH_RECORDS .\n"
	"The effective values, and where each comes from, are shown by\n"
	".Ql nowcast check-config .\n"
	".Pp\n"
	"Keys marked\n"
	".Dq reloadable\n"
	"take a new value when the daemon gets a\n"
	".Dv SIGHUP ;\n"
	"others take it at the next start.\n"
	".Ss Keys\n"
	".Bl -tag -width Ds\n";

static const char man_tail[] =
	".It Ic trust . Ns Ar source\n"
	"What a source may carry: a list of\n"
	".Cm cloudtrail ,\n"
	".Cm metrics ,\n"
	".Cm logs ,\n"
	".Cm telemetry ,\n"
	"and of accounts, if it may speak of these only; or\n"
	".Cm none .\n"
	"A source is a topic,\n"
	".Cm file : Ns Ar path\n"
	"or\n"
	".Cm log_group : Ns Ar owner : Ns Ar name ;\n"
	"a * in it stands for any text.\n"
	"An exact name comes before all patterns, of which the first decides.\n"
	"Where there is no rule for topics, every topic may carry everything;\n"
	"where there is one, a topic without a rule carries nothing.\n"
	".It Ic kafka . Ns Ar property\n"
	"Any property of librdkafka, passed on unchanged.\n"
	"Properties that nowcast sets so that no message is lost, such as\n"
	".Ic enable.auto.commit ,\n"
	"cannot be set.\n"
	".Ic kafka.bootstrap.servers\n"
	"is the same as\n"
	".Ic brokers ,\n"
	".Ic kafka.group.id\n"
	"the same as\n"
	".Ic group .\n"
	".El\n"
	".Sh EXAMPLES\n"
	"A daemon on a Kafka with TLS and passwords:\n"
	".Bd -literal -offset indent\n"
	"brokers = kafka-1.example.com:9096,kafka-2.example.com:9096\n"
	"topics = cloudtrail,cloudwatch\n"
	"redis = rediss://nowcast@redis.example.com:6380\n"
	"workers = 2\n"
	"dead_letter.topic = nowcast-dead\n"
	"kafka.security.protocol = SASL_SSL\n"
	"kafka.sasl.mechanisms = SCRAM-SHA-512\n"
	"kafka.sasl.username = nowcast\n"
	".Ed\n"
	".Pp\n"
	"Set the password in\n"
	".Ic secrets.file ,\n"
	"or in the environment, as\n"
	".Ev NOWCAST_KAFKA_SASL_PASSWORD .\n"
	".Sh SEE ALSO\n"
	".Xr nowcast 1\n";

enum { COLUMNS = 76 };

static size_t new_line(FILE *f)
{
	fputc('\n', f);
	return 0;
}

// Fills lines, each sentence on a new one; escapes what mdoc would read as a macro.
static void print_prose(FILE *f, const char *text)
{
	struct str rest = str_of(text);
	size_t column = 0;
	while (rest.len) {
		struct str word = str_cut(&rest, ' ');
		if (column > 0 && column + 1 + word.len > COLUMNS)
			column = new_line(f);
		fputs(column > 0 ? " " : word.len && (word.p[0] == '.' || word.p[0] == '\'') ? "\\&" : "", f);
		column += word.len + (column > 0);
		for (size_t i = 0; i < word.len; i++)
			fputs(word.p[i] == '\\' ? "\\e" : (char[]){word.p[i], 0}, f);
		if (rest.len && word.len && word.p[word.len - 1] == '.')
			column = new_line(f);
	}
	fputc('\n', f);
}

static void print_key(FILE *f, const struct conf_key *key)
{
	struct buf allowed = BUF_INIT;
	conf_value_allowed(key, &allowed);
	fprintf(f, ".It Ic %s\n", key->name);
	print_prose(f, key->sentence);
	fprintf(f, "A value is %s", allowed.data);
	if (*key->init)
		fprintf(f, "; the default is\n.Ql %s", key->init);
	fprintf(f, "%s.\n", *key->init ? " " : "");
	if (key->reloadable)
		fputs("Reloadable.\n", f);
	buf_release(&allowed);
}

void conf_print_man(FILE *f)
{
	fputs(man_head, f);
	for (size_t i = 0; i < conf_nkeys; i++)
		print_key(f, &conf_keys[i]);
	fputs(man_tail, f);
}
