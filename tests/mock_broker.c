// SPDX-License-Identifier: Apache-2.0
// A broker for machines that cannot have Apache Kafka: librdkafka's own mock cluster, alone in a process.
//
//     mock_broker [PARTITIONS [TOPIC...]]
//
// Prints its bootstrap servers on one line and serves until it is killed. The topics named have PARTITIONS
// partitions (1); any other comes into being when first asked for, with librdkafka's own number of them (4).
// SIGUSR1 takes the broker down (connections break, new ones are refused), SIGUSR2 brings it back with all it
// had. Messages are held in memory, 5 MB a partition, so it is for short tests.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static rd_kafka_mock_cluster_t *start(int partitions, int ntopics, char **topics)
{
	char errstr[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_set(conf, "log_level", "2", NULL, 0);
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, errstr, sizeof errstr);
	if (!rk) {
		fprintf(stderr, "mock_broker: librdkafka does not start: %s\n", errstr);
		return NULL;
	}
	rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, 1);
	if (!cluster) {
		fprintf(stderr, "mock_broker: no mock cluster in this librdkafka (%s)\n", rd_kafka_version_str());
		return NULL;
	}
	for (int i = 0; i < ntopics; i++)
		rd_kafka_mock_topic_create(cluster, topics[i], partitions, 1);
	return cluster;
}

int main(int argc, char **argv)
{
	int partitions = argc > 1 ? atoi(argv[1]) : 1;
	if (partitions < 1) {
		fprintf(stderr, "usage: mock_broker [PARTITIONS [TOPIC...]]\n");
		return 2;
	}
	sigset_t set; // blocked before librdkafka starts its threads, so that only sigwait below sees them
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);

	rd_kafka_mock_cluster_t *cluster = start(partitions, argc - 2, argv + 2);
	if (!cluster)
		return 1;
	printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
	fflush(stdout);
	for (int sig; sigwait(&set, &sig) == 0;) {
		if (sig == SIGUSR1)
			rd_kafka_mock_broker_set_down(cluster, 1);
		else if (sig == SIGUSR2)
			rd_kafka_mock_broker_set_up(cluster, 1);
		else
			break;
	}
	return 0; // the process goes, and all with it
}
