// SPDX-License-Identifier: Apache-2.0
// `nowcast setup`: which switches of AWS are on, and the command that turns on each of the others. It changes
// nothing by itself.
//
// green: on. amber: off, and figures are less exact or later for it. red: off or refused, and what is spent,
// or who spends it, is not seen.
#include <stdio.h>
#include <stdlib.h>

#include "aws/cloudtrail.h"
#include "aws/iam.h"
#include "aws/inventory.h"
#include "base/embed.h"
#include "base/text.h"
#include "base/when.h"
#include "run/commands.h"
#include "run/profile_flag.h"
#include "run/streams.h"

enum light { GREEN, AMBER, RED, LIGHTS };

struct setup {
	const char *team_tag;
	struct streams streams;  // for its places: nothing is read by them
	struct stream_place *first; // the first Region in use, or the first of all
	struct buf used;         // Regions in use
	size_t metrics;
	bool mantle;             // bedrock-mantle is called
	struct err refused;      // the metrics of one namespace are, in some Region
	int lights[LIGHTS];
};

EMBED(policy, "deploy/aws/policy.json")

static const char logging_command[] =
	"aws bedrock put-model-invocation-logging-configuration --region %s --logging-config \\\n"
	"  '{\"cloudWatchConfig\":{\"logGroupName\":\"/aws/bedrock/invocations\",\"roleArn\":\"ROLE\"},\"textDataDeliveryEnabled\":false}'";
static const char trail_command[] =
	"aws cloudtrail create-trail --region %s --name nowcast --s3-bucket-name BUCKET --is-multi-region-trail\n"
	"aws cloudtrail start-logging --region %s --name nowcast";
static const char mantle_command[] =
	"# replaces all selectors of the trail: add those that `aws cloudtrail get-event-selectors --trail-name TRAIL` shows\n"
	"aws cloudtrail put-event-selectors --trail-name TRAIL --advanced-event-selectors '[\n"
	"  {\"Name\":\"management\",\"FieldSelectors\":[{\"Field\":\"eventCategory\",\"Equals\":[\"Management\"]}]},\n"
	"  {\"Name\":\"mantle\",\"FieldSelectors\":[{\"Field\":\"eventCategory\",\"Equals\":[\"Data\"]},{\"Field\":\"resources.type\",\"Equals\":[\"AWS::BedrockMantle::Project\"]}]}]'";
static const char stream_command[] =
	"aws cloudwatch put-metric-stream --region %s --name bedrock --firehose-arn FIREHOSE --role-arn ROLE --output-format json \\\n"
	"  --include-filters Namespace=AWS/Bedrock Namespace=AWS/BedrockMantle";
static const char export_command[] =
	"aws bcm-data-exports create-export --region us-east-1 --export '{\"Name\":\"nowcast\",\"DataQuery\":{\"QueryStatement\":\n"
	"  \"SELECT bill_billing_entity, bill_invoice_id, line_item_usage_account_id, line_item_usage_start_date, line_item_usage_end_date,\n"
	"   line_item_usage_type, line_item_usage_amount, line_item_unblended_cost, line_item_currency_code, line_item_line_item_type,\n"
	"   line_item_line_item_description, line_item_product_code, line_item_resource_id, line_item_iam_principal, pricing_unit, product,\n"
	"   product_region_code, product_servicecode, product_product_family, tags FROM COST_AND_USAGE_REPORT\",\n"
	"  \"TableConfigurations\":{\"COST_AND_USAGE_REPORT\":{\"TIME_GRANULARITY\":\"HOURLY\",\"INCLUDE_RESOURCES\":\"TRUE\",\"INCLUDE_IAM_PRINCIPAL_DATA\":\"TRUE\"}}},\n"
	"  \"DestinationConfigurations\":{\"S3Destination\":{\"S3Bucket\":\"BUCKET\",\"S3Prefix\":\"exports\",\"S3Region\":\"us-east-1\",\n"
	"  \"S3OutputConfigurations\":{\"OutputType\":\"CUSTOM\",\"Format\":\"PARQUET\",\"Compression\":\"PARQUET\",\"Overwrite\":\"OVERWRITE_REPORT\"}}},\n"
	"  \"RefreshCadence\":{\"Frequency\":\"SYNCHRONOUS\"}}'";

// ---- printing -----------------------------------------------------------------------------------

static void print_light(struct setup *s, enum light light, const char *what, const char *fmt, ...)
	NC_PRINTF(4, 5);
static void print_light(struct setup *s, enum light light, const char *what, const char *fmt, ...)
{
	static const char *const words[LIGHTS] = {"green", "amber", "red"};
	struct buf b = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	text_make_plain_lines(b.data, b.len);
	printf("%-6s %-14s %s\n", words[light], what, b.data);
	s->lights[light]++;
	buf_release(&b);
}

// The lines of a command, indented, with the argument where it has a %s.
static void print_command(const char *fmt, const char *argument)
{
	struct str rest = str_of(fmt);
	fputs("                      ", stdout);
	while (rest.len) {
		if (str_starts(rest, STR("%s"))) {
			fputs(argument, stdout);
			rest.p += 2, rest.len -= 2;
			continue;
		}
		putchar(rest.p[0]);
		if (rest.p[0] == '\n')
			fputs("                      ", stdout);
		rest.p++, rest.len--;
	}
	putchar('\n');
}

static void print_switch(struct setup *s, const char *what, const struct inventory_switch *x,
                         enum light if_off, const char *effect, const char *command, const char *argument)
{
	if (x->state == SWITCH_ON)
		print_light(s, GREEN, what, "%s", x->found.len ? x->found.data : "on");
	else if (x->state == SWITCH_UNKNOWN)
		print_light(s, if_off, what, "not known: %s", x->why.msg);
	else
		print_light(s, if_off, what, "%s%s%s", x->state == SWITCH_PART ? x->found.data : "off",
		            x->state == SWITCH_PART ? ": " : "; ", effect);
	if (x->state == SWITCH_OFF || x->state == SWITCH_PART)
		print_command(command, argument);
}

// ---- what is asked ------------------------------------------------------------------------------

static struct aws_place place_of(const struct stream_place *p)
{
	return (struct aws_place){&p->account->credentials, p->region, p->account->id};
}

static bool list_metrics(struct setup *s, struct stream_place *p, struct err *err)
{
	const struct aws_place at = place_of(p);
	struct cloudwatch_metrics metrics = {0};
	struct aws_answer answer = {.body = BUF_INIT};
	struct buf token = BUF_INIT;
	int answered = 0;
	for (int i = 0; cloudwatch_namespaces[i]; i++) {
		enum aws_fault fault;
		buf_clear(&token);
		do
			fault = cloudwatch_list(&at, cloudwatch_namespaces[i], false, &metrics, &token, &answer, err);
		while (fault == AWS_NONE && token.len);
		answered += fault == AWS_NONE;
	}
	if (answered && err->kind != ERR_NONE) // one namespace is refused, and the other not
		s->refused = *err;
	p->used = metrics.n > 0;
	s->metrics += metrics.n;
	for (size_t i = 0; i < metrics.n; i++)
		s->mantle |= strcmp(metrics.v[i].namespace, "AWS/BedrockMantle") == 0;
	cloudwatch_metrics_release(&metrics);
	buf_release(&token);
	buf_release(&answer.body);
	return answered > 0;
}

static void ask_logging(struct setup *s, struct stream_place *p)
{
	const struct aws_place at = place_of(p);
	struct bedrock_logging logging = {0};
	struct aws_answer answer = {.body = BUF_INIT};
	struct err err = ERR_INIT;
	if (bedrock_logging_get(&at, &logging, &answer, &err) != AWS_NONE)
		print_light(s, AMBER, "logs", "%s: not known: %s", p->region, err.msg);
	else if (logging.group.len)
		print_light(s, GREEN, "logs", "%s: invocation logs go to the log group %s", p->region,
		            logging.group.data);
	else if (logging.bucket.len)
		print_light(s, GREEN, "logs", "%s: invocation logs go to s3://%s, whose files are listed each minute",
		            p->region, logging.bucket.data);
	else
		print_light(
			s, AMBER, "logs",
			"%s: off; what each call used is a share of the metrics, and request metadata is not known",
			p->region);
	if (err.kind == ERR_NONE && !logging.group.len && !logging.bucket.len)
		print_command(logging_command, p->region);
	bedrock_logging_release(&logging);
	buf_release(&answer.body);
}

static void ask_calls(struct setup *s)
{
	const struct aws_place at = place_of(s->first);
	struct aws_answer answer = {.body = BUF_INIT};
	struct buf token = BUF_INIT;
	struct err err = ERR_INIT;
	int n = 0;
	int64_t now = when_now_ms();
	const struct cloudtrail_query q = {
		.event_source = "bedrock.amazonaws.com", .from_ms = now - MS_PER_HOUR, .to_ms = now};
	if (cloudtrail_lookup(&at, &q, &answer, &token, &n, &err) == AWS_NONE)
		print_light(s, GREEN, "calls",
		            "CloudTrail's event history answers: %s%d calls of the last hour in %s",
		            token.len ? "more than " : "", n, s->first->region);
	else
		print_light(s, RED, "calls", "who calls is not known: %s", err.msg);
	buf_release(&answer.body);
	buf_release(&token);
}

static void ask_tags(struct setup *s)
{
	const struct aws_place at = place_of(s->first);
	struct aws_answer answer = {.body = BUF_INIT};
	struct buf json = BUF_INIT, token = BUF_INIT;
	struct err err = ERR_INIT;
	if (iam_list_tags(&at, STR_NONE, &json, &token, &answer, &err) == AWS_NONE)
		print_light(s, GREEN, "tags",
		            "the tags of roles and users can be read; the team is the tag `%s` (team.tag)",
		            s->team_tag);
	else
		print_light(s, AMBER, "tags", "teams are not known: %s", err.msg);
	buf_release(&answer.body);
	buf_release(&json);
	buf_release(&token);
}

// An account that is in no organisation lacks nothing.
static void ask_account_tags(struct setup *s)
{
	const struct aws_place at = place_of(s->first);
	struct aws_answer answer = {.body = BUF_INIT};
	struct organization *o = organization_new(NULL, 0);
	struct buf json = BUF_INIT;
	struct err err = ERR_INIT;
	bool more;
	if (organization_next(o, &at, &json, &more, &answer, &err) == AWS_NONE)
		print_light(s, GREEN, "account tags", "the tags of the accounts of the organisation can be read");
	else if (strcmp(answer.code, ORGANIZATION_NONE) != 0)
		print_light(s, AMBER, "account tags",
		            "not read; only the account that manages the organisation may: %s", err.msg);
	organization_free(o);
	buf_release(&answer.body);
	buf_release(&json);
}

// Which Regions are used. Those that do not answer are passed over, unless none does.
static bool find_regions(struct setup *s, struct err *err)
{
	struct err first = ERR_INIT;
	int answered = 0;
	s->first = &s->streams.places[0];
	for (int i = s->streams.nplaces - 1; i >= 0; i--) {
		struct stream_place *p = &s->streams.places[i];
		struct err why = ERR_INIT;
		if (!aws_account_open(p->account, err))
			return false;
		if (list_metrics(s, p, &why))
			answered++;
		else if (first.kind == ERR_NONE)
			first = why;
		if (p->used)
			s->first = p;
	}
	for (int i = 0; i < s->streams.nplaces; i++)
		if (s->streams.places[i].used)
			buf_addf(&s->used, "%s%s", s->used.len ? ", " : "", s->streams.places[i].region);
	printf("nowcast setup: account %s, credentials from the %s; nothing is changed\n\n",
	       s->streams.accounts[0].id, s->streams.accounts[0].credentials.origin);
	if (!answered)
		print_light(s, RED, "metrics", "what is spent is not known: %s", first.msg);
	else if (!s->used.len)
		print_light(s, AMBER, "metrics",
		            "no metrics of Bedrock in %d Regions: nothing has called it in two weeks", answered);
	else
		print_light(s, GREEN, "metrics", "%zu metrics of Bedrock in %s", s->metrics, s->used.data);
	if (s->refused.kind != ERR_NONE)
		print_light(s, AMBER, "metrics", "some are not known: %s", s->refused.msg);
	return true;
}

static void ask_all(struct setup *s)
{
	const struct aws_place at = place_of(s->first);
	struct inventory_switch trail = {0}, mantle = {0}, stream = {0}, bill = {0}, tag = {0};
	ask_calls(s);
	ask_tags(s);
	ask_account_tags(s);
	for (int i = 0; i < s->streams.nplaces; i++)
		if (s->streams.places[i].used)
			ask_logging(s, &s->streams.places[i]);
	inventory_trails(&at, &trail, &mantle);
	inventory_metric_streams(&at, &stream);
	inventory_export(&at, &bill);
	inventory_cost_tag(&at, s->team_tag, &tag);
	print_switch(s, "trail", &trail, AMBER, "needed for bedrock-mantle, and from some 25 calls a second on",
	             trail_command, s->first->region);
	print_switch(s, "mantle calls", &mantle, s->mantle ? RED : AMBER,
	             s->mantle
	                 ? "bedrock-mantle is called, and by whom is not known: a trail needs its data events"
	                 : "needed once bedrock-mantle is called",
	             mantle_command, "");
	print_switch(s, "metric stream", &stream, AMBER, "needed only to bring metrics into Kafka",
	             stream_command, s->first->region);
	print_switch(s, "bill", &bill, AMBER,
	             "figures stay estimates: no CUR 2.0 export by the hour, with principals", export_command,
	             "");
	print_switch(
		s, "cost tag", &tag, AMBER, "the bill does not have the team of a principal",
		"aws ce update-cost-allocation-tags-status --cost-allocation-tags-status TagKey=iamPrincipal/%s,Status=Active",
		s->team_tag);
	inventory_switch_release(&trail);
	inventory_switch_release(&mantle);
	inventory_switch_release(&stream);
	inventory_switch_release(&bill);
	inventory_switch_release(&tag);
}

int cmd_setup(struct command *c)
{
	struct err err = ERR_INIT;
	struct setup s = {.team_tag = c->conf.team_tag};
	const struct streams_options o = {.conf = &c->conf, .wanted = {[STREAM_METRICS] = true}, .since_ms = 1};
	bool good = profile_flags(c, &err) && command_done(c, 0, 0, &err) && streams_init(&s.streams, &o, &err);
	good = good && find_regions(&s, &err);
	if (good) {
		ask_all(&s);
		printf("\nLeave out what should not be read; what is in capitals is yours. The policy of what nowcast "
		       "reads:\n\n%.*s\n%d green, %d amber, %d red\n",
		       STR_ARG(policy()), s.lights[GREEN], s.lights[AMBER], s.lights[RED]);
	}
	streams_release(&s.streams);
	buf_release(&s.used);
	return !good ? command_fail(c, &err) : s.lights[RED] ? STATUS_THRESHOLD : STATUS_OK;
}
