// SPDX-License-Identifier: Apache-2.0
// The objects of a cache, found by a 64-bit key and kept in the order of their last use, so that the least
// recently used ones can be dropped until the rest fits into a number of bytes.
//
//     newest <-> ... <-> oldest       lru_use moves an object to the left, lru_trim drops from the right
//
// A struct lru_entry is the first member of the caller's object. The list owns the object from lru_add on and
// frees it by `free_entry`. Keys are hashes already; two objects with one key are a bug of the caller.
// Where two hashes may be equal by chance, the caller compares the object that it found. For one thread.
#ifndef NOWCAST_BASE_LRU_H
#define NOWCAST_BASE_LRU_H

#include <stddef.h>
#include <stdint.h>

struct lru_entry {
	uint64_t key;
	size_t bytes;                 // that the object takes; lru_resize changes it
	struct lru_entry *newer, *older;
	struct lru_entry *next;       // with the same remainder of its key
};

struct lru {
	void (*free_entry)(struct lru_entry *e);
	struct lru_entry **buckets;   // by remainder of the key
	size_t nbuckets, n;           // nbuckets is a power of two, or 0
	size_t bytes;                 // of all entries
	struct lru_entry *newest, *oldest;
};

#define LRU_INIT(free_fn) {.free_entry = (free_fn)}

// Drops all entries; the list stays usable.
void lru_release(struct lru *l);

// The entry of `key`, or NULL. This is no use of it.
struct lru_entry *lru_find(const struct lru *l, uint64_t key);

void lru_add(struct lru *l, struct lru_entry *e);    // as the newest
void lru_use(struct lru *l, struct lru_entry *e);    // it becomes the newest
void lru_resize(struct lru *l, struct lru_entry *e, size_t bytes);
void lru_remove(struct lru *l, struct lru_entry *e); // and frees it

// Frees the least recently used entries until the others take at most `bytes_max`.
void lru_trim(struct lru *l, size_t bytes_max);

#endif
