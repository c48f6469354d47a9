#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same as redis_cluster.sh, with the calls of each account and Region over eight slots of the three masters.
# Done: what redis_cluster does to masters, with 8 shards
# Compared: figures with those of one Redis and one shard, byte for byte; the replay that has lost something says so
exec env SHARDS=8 "$(dirname "$0")/redis_cluster.sh"
