/* SPDX-License-Identifier: Apache-2.0 */
#include "store/plan.h"
#include "fhir/ucum.h"
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

/* A UCUM length, or what people write for one. 0: neither. */
static double metres_a(str unit)
{
    static const struct { const char *unit; double metres; } words[] = {
        { "mi", 1609.344 }, { "mile", 1609.344 }, { "miles", 1609.344 }, { "", 1000 },
    };
    struct ucum asked, metre;
    struct decimal one, metres;
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq(unit, str_of(words[i].unit)))
            return words[i].metres;
    if (!ucum_parse(unit, &asked) || !ucum_parse(S("m"), &metre) ||
        !ucum_comparable(&asked, &metre) || !decimal_parse(S("1"), &one) ||
        !ucum_convert(one, &asked, &metre, &metres))
        return 0;
    return decimal_to_double(metres);
}

struct around {
    double latitude, longitude, metres;
};

/* latitude|longitude[|distance[|unit]] */
static err read_around(struct ctx *cx, str name, str text, struct around *out)
{
    str rest = text, word[4] = { S(""), S(""), S(""), S("") };
    struct value_number number[3] = { [2] = { .value = NEAR_M / 1000.0 } };
    for (size_t i = 0; i < COUNT(word) && str_next(&rest, '|', &word[i]); i++)
        continue;
    double metres = metres_a(word[3]);
    if (!value_number(word[0], &number[0]) || !value_number(word[1], &number[1]) ||
        (word[2].n && !value_number(word[2], &number[2])) || metres == 0 || rest.p)
        return ctx_failf(cx, ERR_INVALID, name, "\"%.*s\": near takes latitude|longitude|distance"
                         "|unit, unit a UCUM length such as km, m or [mi_i]; km when not given",
                         STR_ARG(text));
    if (fabs(number[0].value) > 90 || fabs(number[1].value) > 180 || number[2].value < 0)
        return ctx_failf(cx, ERR_INVALID, name, "\"%.*s\": latitude goes from -90 to 90, longitude "
                         "from -180 to 180, and a distance is not negative", STR_ARG(text));
    *out = (struct around){ number[0].value, number[1].value, number[2].value * metres };
    return ERR_OK;
}

err query_near_check(struct ctx *cx, str name, str text)
{
    struct around around;
    return read_around(cx, name, text, &around);
}

err plan_near(struct ctx *cx, const struct query_criterion *criterion, struct json body, bool *out)
{
    struct json position = json_get(body, S("position"));
    double lat = degrees(cx, position, "latitude"), lon = degrees(cx, position, "longitude");
    *out = false;
    for (size_t v = 0; v < criterion->values_count && !*out; v++) {
        struct around around;
        TRY(read_around(cx, criterion->shown, criterion->values[v].text, &around));
        *out = !isnan(lat) && !isnan(lon) &&
               distance_m(around.latitude, around.longitude, lat, lon) <= around.metres;
    }
    return ERR_OK;
}
