/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/profile_in.h"

/* Runs an invariant's program on an item. True when it holds, and when it cannot be evaluated: a
 * rule that fails to run says nothing about the record; *ran tells. An empty answer is no fault:
 * R4's own rules give one where what they speak of is absent (ras-2, que-0). */
static bool holds(struct profile_check *c, const struct path *path,
                  const struct profile_item *item, bool *ran)
{
    struct path_item focus = { .kind = PATH_NODE, .type = item->type, .node = item->value,
                               .extra = item->twin,
                               .name = item->element ? item->element->name : S("") };
    struct path_run run = { .focus = &focus, .input = item->value, .input_type = item->type,
                            .resource = c->resource, .root_resource = c->root, .host = c->own,
                            .lenient = true };
    struct issues before = c->cx->issues;
    struct path_result result;
    bool truth = true;
    *ran = path_eval(c->cx, path, &run, &result) == ERR_OK &&
           path_truth(c->cx, &result, true, &truth) == ERR_OK;
    c->cx->issues = before; /* what went wrong inside is not the sender's */
    return !*ran || truth;
}

void profile_check_rule(struct profile_check *c, const struct profile_rule *rule,
                        const struct profile_item *item, const struct validate_place *place)
{
    bool ran;
    if (holds(c, rule->path, item, &ran)) {
        if (!ran)
            profile_warn(c, place, ISSUE_WARNING, "rule %.*s could not be evaluated: %.*s",
                         STR_ARG(rule->key), STR_ARG(rule->human));
        return;
    }
    if (rule->is_error)
        profile_fault(c, place, "invariant", "breaks rule %.*s: %.*s", STR_ARG(rule->key),
                      STR_ARG(rule->human));
    else
        profile_warn(c, place, ISSUE_WARNING, "breaks rule %.*s: %.*s", STR_ARG(rule->key),
                     STR_ARG(rule->human));
}
