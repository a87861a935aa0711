/* SPDX-License-Identifier: Apache-2.0 */
#include "store/plan.h"
#include <stdlib.h>

/*
 * Clinical dates: where those that can answer begin and end, and a type's resources by them. Rows
 * lie by how long a date lasts (span class) and its start, so one that asks what began before may
 * end within looks back no further than the class lasts.
 */
enum { RANGES_MOST = 16, CLASSES = 5 };
enum { DAY_ANY };
static const struct stmt date_sql[] = {
    [DAY_ANY] = { "is there a date so long", "SELECT 1 FROM day WHERE slot=?1 AND span=?2 LIMIT 1",
        "SEARCH day USING PRIMARY KEY (slot=? AND span=?)" },
    { 0 },
};

/* The longest a clinical date of the type can last, by the span classes that have any. */
static err longest_ms(struct ctx *cx, const struct layout_type *type, int64_t *out)
{
    for (int class = CLASSES - 1; class >= 0; class--)
        for (uint16_t s = 0; s < type->at_slots_count; s++) {
            struct db_stmt *stmt = db_use(cx, cx->db, date_sql, DAY_ANY);
            bool row;
            db_bind_int(stmt, 1, type->at_slots[s]);
            db_bind_int(stmt, 2, class);
            TRY(db_step(cx, stmt, &row));
            db_reset(stmt);
            *out = value_class_ms(class);
            if (row)
                return ERR_OK;
        }
    return ERR_OK;
}

struct range {
    int64_t least, most; /* at-keys */
};

static bool looks_back(const struct query_value *value)
{
    return value->prefix == PREFIX_GE || value->prefix == PREFIX_GT;
}

/* Where dates that last at most `longest` can begin and answer the value. */
static struct range range_of(const struct query_value *value, int64_t longest)
{
    struct range all = { INT64_MIN, INT64_MAX };
    switch (value->prefix) {
    case PREFIX_EQ: return (struct range){ value->span.lo * 8, value->span.hi * 8 + 7 };
    case PREFIX_SA: return (struct range){ (value->span.hi + 1) * 8, INT64_MAX };
    case PREFIX_LT:
    case PREFIX_EB: return (struct range){ INT64_MIN, value->span.lo * 8 - 1 };
    case PREFIX_LE: return (struct range){ INT64_MIN, value->span.hi * 8 + 7 };
    case PREFIX_GE:
    case PREFIX_GT:
        if (longest != INT64_MAX)
            all.least = (value->span.lo - longest) * 8;
        return all;
    case PREFIX_NE:
    case PREFIX_PO:
    case PREFIX_AP: break;
    }
    return all;
}

err plan_bound_dates(struct ctx *cx, struct plan *plan, const struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    int64_t longest = INT64_MAX;
    bool back = false;
    if (!clause->dated || criterion->modifier != MOD_NONE || !criterion->values_count)
        return ERR_OK;
    for (size_t v = 0; v < criterion->values_count; v++)
        back = back || looks_back(&criterion->values[v]);
    if (back)
        TRY(longest_ms(cx, &plan->layout->types[plan->query->resource], &longest));
    struct range hull = range_of(&criterion->values[0], longest);
    for (size_t v = 1; v < criterion->values_count; v++) {
        struct range one = range_of(&criterion->values[v], longest);
        hull.least = one.least < hull.least ? one.least : hull.least;
        hull.most = one.most > hull.most ? one.most : hull.most;
    }
    plan->at_min = hull.least > plan->at_min ? hull.least : plan->at_min;
    plan->at_max = hull.most < plan->at_max ? hull.most : plan->at_max;
    return ERR_OK;
}

static int compare_ranges(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return (x->least > y->least) - (x->least < y->least);
}

/* The stretches of one span class that the driver's values ask for, apart and in order. */
static size_t ranges_of(const struct plan *plan, int class, struct range *out)
{
    const struct query_criterion *criterion = plan->driver ? plan->driver->criterion : NULL;
    size_t count = 0, kept = 0;
    out[0] = (struct range){ plan->at_min, plan->at_max };
    if (!criterion || criterion->modifier != MOD_NONE || criterion->values_count > RANGES_MOST)
        return 1;
    for (size_t v = 0; v < criterion->values_count; v++) {
        struct range one = range_of(&criterion->values[v], value_class_ms(class));
        one.least = one.least > plan->at_min ? one.least : plan->at_min;
        one.most = one.most < plan->at_max ? one.most : plan->at_max;
        if (one.least <= one.most)
            out[count++] = one;
    }
    if (count > 1)
        qsort(out, count, sizeof *out, compare_ranges);
    for (size_t i = 1; i < count; i++) {
        if (out[i].least > out[kept].most)
            out[++kept] = out[i];
        else if (out[i].most > out[kept].most)
            out[kept].most = out[i].most;
    }
    return count ? kept + 1 : 0;
}

/* What must end here or later to be an answer. */
static int64_t least_end(const struct plan *plan)
{
    const struct query_criterion *criterion = plan->driver ? plan->driver->criterion : NULL;
    if (!criterion || criterion->values_count != 1 || criterion->modifier != MOD_NONE)
        return DAY_MIN;
    const struct query_value *value = &criterion->values[0];
    return value->prefix == PREFIX_GE   ? value->span.lo
           : value->prefix == PREFIX_GT ? value->span.hi + 1
                                        : DAY_MIN;
}

void plan_stream_dates(struct ctx *cx, const struct plan *plan, const struct hit *after,
                       struct stream *out)
{
    const struct layout_type *type = &plan->layout->types[plan->query->resource];
    struct range ranges[RANGES_MOST];
    size_t count = 0;
    struct stream *parts = arena_array(
        cx->arena, (size_t)type->at_slots_count * CLASSES * RANGES_MOST + 1, sizeof *parts);
    for (uint8_t class = 0; class < CLASSES; class++) {
        size_t ranges_count = ranges_of(plan, class, ranges);
        for (size_t i = 0; i < ranges_count * type->at_slots_count; i++) {
            const struct range *range = &ranges[i % ranges_count];
            struct posting posting = { .kind = POSTING_DAY, .span = class, .prefix = PREFIX_GE,
                                       .slot = type->at_slots[i / ranges_count],
                                       .asked = { .lo = least_end(plan) } };
            parts[count] = stream_of_posting(&posting, plan->order, after);
            parts[count].at_min = range->least;
            parts[count++].at_max = range->most;
        }
    }
    if (!plan->driver) { /* no criterion on the date: the undated are answers, too */
        bool within = after && after->at == AT_NONE;
        parts[count] = stream_of_type(plan->query->resource, within ? after : NULL);
        parts[count].order = plan->order;
        parts[count++].undated = true;
    }
    *out = stream_of_merge(parts, count, plan->order);
}
