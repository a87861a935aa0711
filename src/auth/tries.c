/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/tries.h"
#include "base/random.h"
#include <stdatomic.h>

/* A minute's number in the high half, refusals within it in the low half. */
struct tries {
    int64_t per_minute;
    uint64_t seed;            /* so that nobody can choose whom they are counted with */
    _Atomic uint64_t places[TRIES_PLACES];
};

struct tries *tries_make(struct arena *arena, int64_t per_minute)
{
    struct tries *tries = arena_zero(arena, sizeof *tries);
    tries->per_minute = per_minute;
    random_secret(&tries->seed, sizeof tries->seed);
    return tries;
}

/* FNV-1a from a secret start. */
static _Atomic uint64_t *place_of(struct tries *tries, str address)
{
    uint64_t hash = tries->seed ^ 0xcbf29ce484222325u;
    for (size_t i = 0; i < address.n; i++)
        hash = (hash ^ (unsigned char)address.p[i]) * 0x100000001b3u;
    return &tries->places[(hash >> 32) % TRIES_PLACES];
}

static uint64_t minute_of(int64_t now_ms)
{
    return (uint64_t)(now_ms / TRIES_WINDOW_MS) & 0xffffffffu;
}

int64_t tries_note(struct tries *tries, str address, int64_t now_ms)
{
    _Atomic uint64_t *place = place_of(tries, address);
    uint64_t minute = minute_of(now_ms), seen = atomic_load(place), next;
    do
        next = seen >> 32 == minute ? seen + 1 : minute << 32 | 1;
    while (!atomic_compare_exchange_weak(place, &seen, next));
    return (int64_t)(next & 0xffffffffu);
}

bool tries_over(struct tries *tries, str address, int64_t now_ms)
{
    uint64_t seen = atomic_load(place_of(tries, address));
    return tries->per_minute > 0 && seen >> 32 == minute_of(now_ms) &&
           (int64_t)(seen & 0xffffffffu) >= tries->per_minute;
}
