// SPDX-License-Identifier: Apache-2.0
// A set of 64-bit keys, each with a 32-bit value: open addressing, linear probing, never more than two thirds
// full. Keys are hashes already and are taken as they are; distinct keys stay distinct.
#ifndef NOWCAST_BASE_MAP_H
#define NOWCAST_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map {
	struct map_slot {
		uint64_t key;
		int32_t value;
		bool used;
	} *slots;
	size_t mask, count; // mask: slots - 1
};

#define MAP_INIT {0}

void map_release(struct map *m);
void map_clear(struct map *m); // empties, keeps the memory

// The value of `key`, or NULL. Valid until the next map_add.
int32_t *map_find(const struct map *m, uint64_t key);

// The value of `key`, added with `value` if it was not there; *ret_added tells.
int32_t *map_add(struct map *m, uint64_t key, int32_t value, bool *ret_added);

#endif
