/* SPDX-License-Identifier: Apache-2.0 */
#include "store/plan.h"
#include <math.h>

enum { EARTH_M = 6371009, NEAR_M = 50000 }; /* mean radius; the distance when none is given */

static double degrees(struct ctx *cx, struct json position, const char *name)
{
    struct value_number number;
    str text = json_string(cx->arena, json_get(position, str_of(name)));
    return value_number(text, &number) ? number.value : NAN;
}

/* Great-circle distance by the haversine formula, in metres. */
static double distance_m(double lat_a, double lon_a, double lat_b, double lon_b)
{
    const double radian = 3.14159265358979323846 / 180;
    double dlat = (lat_b - lat_a) * radian, dlon = (lon_b - lon_a) * radian;
    double h = sin(dlat / 2) * sin(dlat / 2) +
               cos(lat_a * radian) * cos(lat_b * radian) * sin(dlon / 2) * sin(dlon / 2);
    return 2 * EARTH_M * asin(sqrt(h < 1 ? h : 1));
}

static double metres_a(str unit)
{
    static const struct { const char *unit; double metres; } units[] = {
        { "km", 1000 }, { "m", 1 }, { "[mi_us]", 1609.347 }, { "[mi_i]", 1609.344 },
        { "mi", 1609.344 }, { "", 1000 },
    };
    for (size_t i = 0; i < COUNT(units); i++)
        if (str_eq(unit, str_of(units[i].unit)))
            return units[i].metres;
    return 0;
}

/* latitude|longitude[|distance[|unit]] */
err plan_near(struct ctx *cx, const struct query_criterion *criterion, struct json body, bool *out)
{
    struct json position = json_get(body, S("position"));
    double lat = degrees(cx, position, "latitude"), lon = degrees(cx, position, "longitude");
    *out = false;
    for (size_t v = 0; v < criterion->values_count && !*out; v++) {
        str rest = criterion->values[v].text, word[4] = { S(""), S(""), S(""), S("") };
        struct value_number number[3] = { [2] = { .value = NEAR_M / 1000.0 } };
        for (size_t i = 0; i < COUNT(word) && str_next(&rest, '|', &word[i]); i++)
            continue;
        double metres = metres_a(word[3]);
        if (!value_number(word[0], &number[0]) || !value_number(word[1], &number[1]) ||
            (word[2].n && !value_number(word[2], &number[2])) || metres == 0)
            return ctx_fail(cx, ERR_INVALID, criterion->shown,
                            S("near takes latitude|longitude|distance|unit, unit km, m or mi"));
        *out = !isnan(lat) && !isnan(lon) &&
               distance_m(number[0].value, number[1].value, lat, lon) <=
                   number[2].value * metres;
    }
    return ERR_OK;
}
