/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/*
 * random: repeatable numbers for tests and synthetic people, and unguessable ones for secrets.
 *
 * Limits   a struct random belongs to one thread. random_below is exact (no modulo bias).
 */
struct random {
    uint64_t state[2]; /* xoroshiro128+; never all zero */
};
struct random random_seeded(uint64_t seed);
uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t limit); /* 0 to limit-1; limit > 0 */
double random_unit(struct random *random);                    /* 0 <= x < 1 */

/* From the operating system; ends the process if it cannot give any. */
void random_secret(void *out, size_t bytes);
