// SPDX-License-Identifier: Apache-2.0
// Preloaded, it hides from a program what its group has committed in Kafka, as if the coordinator of the
// group did not answer in time, while the file $TEST_NO_OFFSETS exists.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <unistd.h>

rd_kafka_resp_err_t rd_kafka_committed(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
	const char *file = getenv("TEST_NO_OFFSETS");
	rd_kafka_resp_err_t (*real)(rd_kafka_t *, rd_kafka_topic_partition_list_t *, int);
	*(void **)&real = dlsym(RTLD_NEXT, "rd_kafka_committed");
	return file && access(file, F_OK) == 0 ? RD_KAFKA_RESP_ERR__TIMED_OUT : real(rk, list, timeout_ms);
}
