/* SPDX-License-Identifier: Apache-2.0 */
#include "store/plan.h"

/*
 * A composite's components must be answered by one and the same element: the rows of each element
 * the parameter's expression names are taken apart from the rest.
 */
struct composite {
    struct ctx *cx;
    const struct index_layout *layout;
    const struct query_criterion *criterion;
    struct json body;
    struct index_rows whole;
};

/* A component written from %resource looks at all of the resource. */
static bool from_resource(const struct fhir_param *def, size_t component)
{
    return str_starts(def->components[component].expression, S("%resource"));
}

static bool element_answers(const struct composite *c, const struct query_value *value,
                            const struct index_rows *rows)
{
    const struct fhir_param *def = c->criterion->param->def;
    for (size_t i = 0; i < def->components_count; i++) {
        struct query_value *part = &value->parts[i];
        struct query_criterion one = { .param = part->param, .values = part, .values_count = 1,
                                       .type = FHIR_NONE };
        if (!match_rows(c->layout, &one, from_resource(def, i) ? &c->whole : rows,
                        c->cx->now_ms))
            return false;
    }
    return true;
}

static err part_answers(const struct composite *c, const struct index_part *part, bool *out)
{
    struct index_rows rows;
    TRY(index_extract_part(c->cx, c->layout, c->criterion->param->resource, part, &rows));
    for (size_t v = 0; v < c->criterion->values_count && !*out; v++)
        *out = element_answers(c, &c->criterion->values[v], &rows);
    return ERR_OK;
}

/* The element a branch names below the type: "component" of "Observation.component"; else empty. */
static str element_of(str branch)
{
    size_t dot = str_find_char(branch, '.');
    return dot == STR_NONE ? S("") : str_slice(branch, dot + 1, branch.n);
}

/* The element another branch names, which the branch for the type itself leaves out. */
static str other_element(str expression)
{
    str branch, name = S("component");
    while (layout_next_branch(&expression, &branch))
        if (element_of(branch).n)
            name = element_of(branch);
    return name;
}

err plan_composite(struct ctx *cx, const struct index_layout *layout,
                   const struct query_criterion *criterion, struct json body, bool *out)
{
    struct composite c = { .cx = cx, .layout = layout, .criterion = criterion, .body = body };
    str rest = criterion->param->expression, branch;
    *out = false;
    TRY(index_extract(cx, layout, criterion->param->resource, body, &c.whole));
    while (!*out && layout_next_branch(&rest, &branch)) {
        struct index_part part = { .body = body, .name = element_of(branch) };
        if (!part.name.n) {
            part.name = other_element(criterion->param->expression);
            part.without = true;
            TRY(part_answers(&c, &part, out));
            continue;
        }
        struct json value = json_get(body, part.name);
        size_t count = json_is(value, JSON_ARRAY) ? json_count(value)
                                                  : (size_t)json_is(value, JSON_OBJECT);
        for (part.index = 0; part.index < count && !*out; part.index++)
            TRY(part_answers(&c, &part, out));
    }
    return ERR_OK;
}
