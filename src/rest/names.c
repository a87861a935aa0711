/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/names.h"
#include "store/value.h"

enum { NAME_MAX_BYTES = 200 };

str names_fold(struct arena *arena, str text)
{
    str folded = value_fold(arena, text);
    char kept[NAME_MAX_BYTES];
    size_t count = 0;
    for (size_t i = 0; i < folded.n && count < sizeof kept; i++)
        if ((folded.p[i] >= 'a' && folded.p[i] <= 'z') || (unsigned char)folded.p[i] >= 0x80)
            kept[count++] = folded.p[i];
    return arena_copy(arena, (str){ kept, count });
}

static size_t matches_of(str a, str b, bool *taken_a, bool *taken_b)
{
    size_t reach = (a.n > b.n ? a.n : b.n) / 2, count = 0;
    reach = reach ? reach - 1 : 0;
    for (size_t i = 0; i < a.n; i++) {
        size_t from = i > reach ? i - reach : 0, to = i + reach + 1 < b.n ? i + reach + 1 : b.n;
        for (size_t k = from; k < to; k++)
            if (!taken_b[k] && a.p[i] == b.p[k]) {
                taken_a[i] = taken_b[k] = true;
                count++;
                break;
            }
    }
    return count;
}

double names_jaro_winkler(str a, str b)
{
    bool taken_a[NAME_MAX_BYTES] = { 0 }, taken_b[NAME_MAX_BYTES] = { 0 };
    if (a.n == 0 || b.n == 0 || a.n > NAME_MAX_BYTES || b.n > NAME_MAX_BYTES)
        return 0;
    size_t count = matches_of(a, b, taken_a, taken_b), moved = 0, k = 0, prefix = 0;
    if (count == 0)
        return 0;
    for (size_t i = 0; i < a.n; i++) {
        if (!taken_a[i])
            continue;
        while (!taken_b[k])
            k++;
        moved += a.p[i] != b.p[k++];
    }
    double m = (double)count;
    double jaro = (m / (double)a.n + m / (double)b.n + (m - (double)moved / 2) / m) / 3;
    while (prefix < 4 && prefix < a.n && prefix < b.n && a.p[prefix] == b.p[prefix])
        prefix++;
    return jaro + (double)prefix * 0.1 * (1 - jaro);
}

/* An initial agrees with a name it could stand for, though not as well as the name. */
static double given_likeness(str a, str b)
{
    if (a.n == 1 || b.n == 1)
        return a.p[0] == b.p[0] ? 0.85 : 0;
    return names_jaro_winkler(a, b);
}

double names_likeness(struct arena *arena, struct json a, struct json b)
{
    str family_a = names_fold(arena, json_string(arena, json_get(a, S("family"))));
    str family_b = names_fold(arena, json_string(arena, json_get(b, S("family"))));
    str given_a = names_fold(arena, json_string(arena, json_at(json_get(a, S("given")), 0)));
    str given_b = names_fold(arena, json_string(arena, json_at(json_get(b, S("given")), 0)));
    bool family = family_a.n && family_b.n, given = given_a.n && given_b.n;
    if (!family && !given)
        return -1;
    double straight = (family ? 2 * names_jaro_winkler(family_a, family_b) : 0) +
                      (given ? given_likeness(given_a, given_b) : 0);
    straight /= (family ? 2 : 0) + (given ? 1 : 0);
    if (!family || !given)
        return straight;
    double crossed = (names_jaro_winkler(family_a, given_b) +
                      names_jaro_winkler(given_a, family_b)) / 2 * 0.9;
    return straight > crossed ? straight : crossed;
}
