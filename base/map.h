// SPDX-License-Identifier: Apache-2.0
// A hash map of 64-bit keys to 32-bit values: open addressing, linear probing, at most two thirds full. Keys
// are hashes already and are used unchanged; the map does not confuse distinct keys.
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

// The value of `key`; if the key is new it is added with `value`, and *ret_added is true. Valid until the
// next map_add.
int32_t *map_add(struct map *m, uint64_t key, int32_t value, bool *ret_added);

#endif
