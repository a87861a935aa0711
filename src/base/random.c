/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"
#include <stdlib.h>
#include <sys/random.h>

static uint64_t mix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct random random_seeded(uint64_t seed)
{
    uint64_t first = mix(&seed), second = mix(&seed);
    return (struct random){ { first, second | 1 } };
}

static uint64_t rotate(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t random_next(struct random *random)
{
    uint64_t a = random->state[0], b = random->state[1], result = a + b;
    b ^= a;
    random->state[0] = rotate(a, 24) ^ b ^ (b << 16);
    random->state[1] = rotate(b, 37);
    return result;
}

uint64_t random_below(struct random *random, uint64_t limit)
{
    uint64_t refuse = (0 - limit) % limit, x;
    do
        x = random_next(random);
    while (x < refuse);
    return x % limit;
}

double random_unit(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1.0p-53;
}

void random_secret(void *out, size_t bytes)
{
    char *at = out;
    while (bytes) {
        ssize_t got = getrandom(at, bytes, 0);
        if (got < 0)
            abort();
        at += got;
        bytes -= (size_t)got;
    }
}
