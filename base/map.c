// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void map_release(struct map *m)
{
	free(m->slots);
	*m = (struct map)MAP_INIT;
}

void map_clear(struct map *m)
{
	if (m->slots)
		memset(m->slots, 0, (m->mask + 1) * sizeof *m->slots);
	m->count = 0;
}

static struct map_slot *find_slot(const struct map *m, uint64_t key)
{
	size_t i = (size_t)(key ^ key >> 32) & m->mask;
	while (m->slots[i].used && m->slots[i].key != key)
		i = (i + 1) & m->mask;
	return &m->slots[i];
}

int32_t *map_find(const struct map *m, uint64_t key)
{
	if (!m->slots)
		return NULL;
	struct map_slot *s = find_slot(m, key);
	return s->used ? &s->value : NULL;
}

static void grow_map(struct map *m)
{
	struct map was = *m;
	size_t size = was.slots ? (was.mask + 1) * 2 : 64;
	m->slots = xcalloc(size, sizeof *m->slots);
	m->mask = size - 1;
	for (size_t i = 0; was.slots && i <= was.mask; i++)
		if (was.slots[i].used)
			*find_slot(m, was.slots[i].key) = was.slots[i];
	free(was.slots);
}

int32_t *map_add(struct map *m, uint64_t key, int32_t value, bool *ret_added)
{
	if (!m->slots || (m->count + 1) * 3 > (m->mask + 1) * 2)
		grow_map(m);
	struct map_slot *s = find_slot(m, key);
	*ret_added = !s->used;
	if (!s->used) {
		*s = (struct map_slot){key, value, true};
		m->count++;
	}
	return &s->value;
}
