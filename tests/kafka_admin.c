// SPDX-License-Identifier: Apache-2.0
// What an administrator does to a Kafka: the tests' other hand on it.
//
//     kafka_admin -b BOOTSTRAP delete-records TOPIC PARTITION OFFSET     what is before OFFSET
//     kafka_admin -b BOOTSTRAP delete-topic TOPIC
//     kafka_admin -b BOOTSTRAP create-topic TOPIC PARTITIONS [KEY VALUE]...
//     kafka_admin -b BOOTSTRAP delete-group GROUP                        the group has no members
//     kafka_admin -b BOOTSTRAP set-offset GROUP TOPIC PARTITION OFFSET   the group has no members
#include <getopt.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, const char *why)
{
	fprintf(stderr, "kafka_admin: %s: %s\n", what, why);
	exit(1);
}

static rd_kafka_t *open_client(const char *brokers, const char *group)
{
	char why[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why) ||
	    rd_kafka_conf_set(conf, "group.id", group, why, sizeof why) ||
	    rd_kafka_conf_set(conf, "log_level", "2", why, sizeof why))
		die("configuration", why);
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
	if (!rk)
		die("client", why);
	return rk;
}

// Waits for the answer to an admin request, and returns it.
static rd_kafka_event_t *answer(rd_kafka_queue_t *queue, const char *what)
{
	rd_kafka_event_t *e = rd_kafka_queue_poll(queue, 15000);
	if (!e || rd_kafka_event_error(e))
		die(what, e ? rd_kafka_event_error_string(e) : "no answer");
	return e;
}

static void check_topics(const rd_kafka_topic_result_t **results, size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (rd_kafka_topic_result_error(results[i]))
			die(what, rd_kafka_err2str(rd_kafka_topic_result_error(results[i])));
}

static void delete_records(rd_kafka_t *rk, rd_kafka_queue_t *queue, char **arg)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, arg[1], atoi(arg[2]))->offset = atoll(arg[3]);
	rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(list);
	rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
	const rd_kafka_topic_partition_list_t *done = rd_kafka_DeleteRecords_result_offsets(
		rd_kafka_event_DeleteRecords_result(answer(queue, arg[0])));
	if (done->elems[0].err)
		die(arg[0], rd_kafka_err2str(done->elems[0].err));
}

static void delete_topic(rd_kafka_t *rk, rd_kafka_queue_t *queue, char **arg)
{
	size_t n;
	rd_kafka_DeleteTopic_t *request = rd_kafka_DeleteTopic_new(arg[1]);
	rd_kafka_DeleteTopics(rk, &request, 1, NULL, queue);
	rd_kafka_event_t *e = answer(queue, arg[0]);
	const rd_kafka_topic_result_t **results =
		rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(e), &n);
	check_topics(results, n, arg[0]);
}

static void create_topic(rd_kafka_t *rk, rd_kafka_queue_t *queue, char **arg, int nargs)
{
	size_t n;
	char why[256];
	rd_kafka_NewTopic_t *request = rd_kafka_NewTopic_new(arg[1], atoi(arg[2]), 1, why, sizeof why);
	if (!request)
		die(arg[0], why);
	for (int i = 3; i + 1 < nargs; i += 2)
		rd_kafka_NewTopic_set_config(request, arg[i], arg[i + 1]);
	rd_kafka_CreateTopics(rk, &request, 1, NULL, queue);
	rd_kafka_event_t *e = answer(queue, arg[0]);
	const rd_kafka_topic_result_t **results =
		rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(e), &n);
	check_topics(results, n, arg[0]);
}

static void delete_group(rd_kafka_t *rk, rd_kafka_queue_t *queue, char **arg)
{
	size_t n;
	rd_kafka_DeleteGroup_t *request = rd_kafka_DeleteGroup_new(arg[1]);
	rd_kafka_DeleteGroups(rk, &request, 1, NULL, queue);
	const rd_kafka_group_result_t **results =
		rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(answer(queue, arg[0])), &n);
	if (n != 1 || rd_kafka_group_result_error(results[0]))
		die(arg[0], n ? rd_kafka_error_string(rd_kafka_group_result_error(results[0])) : "no answer");
}

static void set_offset(rd_kafka_t *rk, char **arg)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, arg[2], atoi(arg[3]))->offset = atoll(arg[4]);
	rd_kafka_resp_err_t code = rd_kafka_commit(rk, list, 0);
	if (code || list->elems[0].err)
		die(arg[0], rd_kafka_err2str(code ? code : list->elems[0].err));
}

int main(int argc, char **argv)
{
	const char *brokers = NULL;
	for (int c; (c = getopt(argc, argv, "b:")) != -1;)
		brokers = c == 'b' ? optarg : NULL;
	char **arg = argv + optind;
	int n = argc - optind;
	if (!brokers || n < 2)
		die("usage", "see tests/kafka_admin.c");
	rd_kafka_t *rk = open_client(brokers, strcmp(arg[0], "set-offset") == 0 ? arg[1] : "admin");
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	if (strcmp(arg[0], "delete-records") == 0 && n == 4)
		delete_records(rk, queue, arg);
	else if (strcmp(arg[0], "delete-topic") == 0 && n == 2)
		delete_topic(rk, queue, arg);
	else if (strcmp(arg[0], "delete-group") == 0 && n == 2)
		delete_group(rk, queue, arg);
	else if (strcmp(arg[0], "create-topic") == 0 && n >= 3)
		create_topic(rk, queue, arg, n);
	else if (strcmp(arg[0], "set-offset") == 0 && n == 5)
		set_offset(rk, arg);
	else
		die("usage", "see tests/kafka_admin.c");
	_Exit(0); // what the process holds goes with it
}
