/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_program.h"

/* Source   FHIRPath 2.0.0 section 5.1 to 5.5, 5.8 and 7; sort, coalesce, defineVariable: 3.0. */

#define ARG(call, i) path_arg((call)->code, (i))

/* ---- existence ---- */

static err run_empty(struct path_machine *m, struct path_call *call)
{
    return path_push_bool(m, call->in.count == 0);
}

static err run_count(struct path_machine *m, struct path_call *call)
{
    return path_push_int(m, call->in.count);
}

/* Runs a criterion on item i: 1, 0, or -1 for empty. Leaves the stack as it was. */
static err criterion(struct path_machine *m, struct path_call *call, uint32_t i, int *truth)
{
    struct path_item self = m->stack[call->in.from + i];
    struct path_span span;
    uint32_t top = m->top;
    TRY(path_exec_on(m, ARG(call, 0), &self, i, &span));
    m->now = call->code;
    TRY(path_span_truth(m, span, truth));
    m->top = top;
    return ERR_OK;
}

static err run_exists(struct path_machine *m, struct path_call *call)
{
    int truth = 0;
    if (call->code->args_count == 0)
        return path_push_bool(m, call->in.count > 0);
    for (uint32_t i = 0; i < call->in.count && truth != 1; i++)
        TRY(criterion(m, call, i, &truth));
    return path_push_bool(m, truth == 1);
}

static err run_all(struct path_machine *m, struct path_call *call)
{
    int truth = 1;
    for (uint32_t i = 0; i < call->in.count && truth == 1; i++)
        TRY(criterion(m, call, i, &truth));
    return path_push_bool(m, truth == 1);
}

/* allTrue, anyTrue, allFalse, anyFalse: how many are `wanted`. */
static err count_bools(struct path_machine *m, struct path_call *call, bool wanted, uint32_t *out)
{
    *out = 0;
    for (uint32_t i = 0; i < call->in.count; i++) {
        struct path_item value;
        if (!path_value(m->cx, &m->stack[call->in.from + i], &value) ||
            value.kind != PATH_BOOLEAN)
            return path_fail(m, ERR_RULE, "%s() works on Booleans only",
                             call->code->function->name);
        *out += value.boolean == wanted;
    }
    return ERR_OK;
}

static err run_bools(struct path_machine *m, struct path_call *call)
{
    str name = call->code->name;
    uint32_t count;
    TRY(count_bools(m, call, str_ends(name, S("True")), &count));
    return path_push_bool(m, str_starts(name, S("all")) ? count == call->in.count : count > 0);
}

static err run_not(struct path_machine *m, struct path_call *call)
{
    int truth;
    TRY(path_span_truth(m, call->in, &truth));
    return truth < 0 ? ERR_OK : path_push_bool(m, !truth);
}

/* ---- sets ---- */

static bool span_has(struct path_machine *m, struct path_span span, const struct path_item *item)
{
    for (uint32_t i = 0; i < span.count; i++)
        if (path_equal(m->cx, &m->stack[span.from + i], item) == 1)
            return true;
    return false;
}

static err all_in(struct path_machine *m, struct path_span few, struct path_span many, bool *out)
{
    TRY(path_step(m, (int64_t)few.count * many.count));
    *out = true;
    for (uint32_t i = 0; i < few.count && *out; i++)
        *out = span_has(m, many, &m->stack[few.from + i]);
    return ERR_OK;
}

static err run_subset(struct path_machine *m, struct path_call *call)
{
    struct path_span other;
    bool sub = str_eq(call->code->name, S("subsetOf")), truth;
    TRY(path_exec_span(m, ARG(call, 0), &other));
    TRY(all_in(m, sub ? call->in : other, sub ? other : call->in, &truth));
    call->out = m->top;
    return path_push_bool(m, truth);
}

static err run_distinct(struct path_machine *m, struct path_call *call)
{
    return path_push_distinct(m, call->in, call->out);
}

static err run_is_distinct(struct path_machine *m, struct path_call *call)
{
    TRY(path_push_distinct(m, call->in, call->out));
    bool distinct = m->top - call->out == call->in.count;
    m->top = call->out;
    return path_push_bool(m, distinct);
}

static err run_union(struct path_machine *m, struct path_call *call)
{
    struct path_span other;
    TRY(path_exec_span(m, ARG(call, 0), &other));
    call->out = m->top;
    TRY(path_push_distinct(m, call->in, call->out));
    return path_push_distinct(m, other, call->out);
}

static err run_combine(struct path_machine *m, struct path_call *call)
{
    struct path_span other;
    TRY(path_exec_span(m, ARG(call, 0), &other));
    call->out = call->in.from; /* both stand side by side already */
    return ERR_OK;
}

static err run_intersect(struct path_machine *m, struct path_call *call)
{
    struct path_span other;
    TRY(path_exec_span(m, ARG(call, 0), &other));
    TRY(path_step(m, (int64_t)call->in.count * other.count));
    uint32_t from = m->top;
    for (uint32_t i = 0; i < call->in.count; i++) {
        struct path_item item = m->stack[call->in.from + i];
        if (span_has(m, other, &item))
            TRY(path_push(m, item));
    }
    call->out = m->top;
    return path_push_distinct(m, (struct path_span){ from, call->out - from }, call->out);
}

static err run_exclude(struct path_machine *m, struct path_call *call)
{
    struct path_span other;
    TRY(path_exec_span(m, ARG(call, 0), &other));
    TRY(path_step(m, (int64_t)call->in.count * other.count));
    call->out = m->top;
    for (uint32_t i = 0; i < call->in.count; i++) {
        struct path_item item = m->stack[call->in.from + i];
        if (!span_has(m, other, &item))
            TRY(path_push(m, item));
    }
    return ERR_OK;
}

/* ---- filtering and projection ---- */

static err run_where(struct path_machine *m, struct path_call *call)
{
    for (uint32_t i = 0; i < call->in.count; i++) {
        int truth;
        TRY(criterion(m, call, i, &truth));
        if (truth == 1)
            TRY(path_push(m, m->stack[call->in.from + i]));
    }
    return ERR_OK;
}

static err run_select(struct path_machine *m, struct path_call *call)
{
    for (uint32_t i = 0; i < call->in.count; i++) {
        struct path_item self = m->stack[call->in.from + i];
        struct path_span span;
        TRY(path_exec_on(m, ARG(call, 0), &self, i, &span));
    }
    return ERR_OK;
}

/* Runs the projection on one item and keeps what was not found before. */
static err repeat_on(struct path_machine *m, struct path_call *call, uint32_t at, bool all)
{
    struct path_item self = m->stack[at];
    struct path_span span;
    TRY(path_exec_on(m, ARG(call, 0), &self, 0, &span));
    uint32_t kept = span.from;
    for (uint32_t i = 0; i < span.count; i++) {
        struct path_span found = { call->out, kept - call->out };
        TRY(path_step(m, 1 + (found.count >> 3)));
        if (all || !span_has(m, found, &m->stack[span.from + i]))
            m->stack[kept++] = m->stack[span.from + i];
    }
    m->top = kept;
    return ERR_OK;
}

static err run_repeat(struct path_machine *m, struct path_call *call)
{
    bool all = str_eq(call->code->name, S("repeatAll"));
    for (uint32_t i = 0; i < call->in.count; i++)
        TRY(repeat_on(m, call, call->in.from + i, all));
    for (uint32_t at = call->out; at < m->top; at++)
        TRY(repeat_on(m, call, at, all));
    return ERR_OK;
}

static err run_children(struct path_machine *m, struct path_call *call)
{
    for (uint32_t i = 0; i < call->in.count; i++) {
        struct path_item item = m->stack[call->in.from + i];
        TRY(path_push_all_children(m, &item));
    }
    return ERR_OK;
}

static err run_descendants(struct path_machine *m, struct path_call *call)
{
    TRY(run_children(m, call));
    for (uint32_t at = call->out; at < m->top; at++) {
        struct path_item item = m->stack[at];
        TRY(path_push_all_children(m, &item));
    }
    return ERR_OK;
}

/* ---- subsetting ---- */

static err push_range(struct path_machine *m, struct path_call *call, int64_t from, int64_t to)
{
    for (int64_t i = from < 0 ? 0 : from; i < to && i < call->in.count; i++)
        TRY(path_push(m, m->stack[call->in.from + (uint32_t)i]));
    return ERR_OK;
}

static err run_single(struct path_machine *m, struct path_call *call)
{
    return push_range(m, call, 0, 1);
}

static err run_last(struct path_machine *m, struct path_call *call)
{
    return push_range(m, call, (int64_t)call->in.count - 1, call->in.count);
}

static err run_tail(struct path_machine *m, struct path_call *call)
{
    return push_range(m, call, 1, call->in.count);
}

static err run_skip(struct path_machine *m, struct path_call *call)
{
    int64_t count = 0;
    bool given;
    TRY(path_arg_int(m, call, 0, &count, &given));
    return given ? push_range(m, call, count, call->in.count) : ERR_OK;
}

static err run_take(struct path_machine *m, struct path_call *call)
{
    int64_t count = 0;
    bool given;
    TRY(path_arg_int(m, call, 0, &count, &given));
    return given ? push_range(m, call, 0, count) : ERR_OK;
}

/* ---- choosing, folding, naming ---- */

static const struct path_item *only_input(struct path_machine *m, struct path_call *call,
                                          struct path_item *copy)
{
    if (call->in.count != 1)
        return NULL;
    *copy = m->stack[call->in.from];
    return copy;
}

static err run_iif(struct path_machine *m, struct path_call *call)
{
    struct path_item copy, value;
    struct path_span span;
    bool truth = false;
    const struct path_item *self = only_input(m, call, &copy);
    TRY(path_exec_on(m, ARG(call, 0), self, m->index, &span));
    m->now = call->code;
    if (span.count > 1)
        return path_fail(m, ERR_RULE, "the criterion of iif() must be one Boolean, found %u items",
                         span.count);
    if (span.count == 1) {
        if (!path_value(m->cx, &m->stack[span.from], &value) || value.kind != PATH_BOOLEAN)
            return path_fail(m, ERR_RULE, "the criterion of iif() must be a Boolean");
        truth = value.boolean;
    }
    m->top = span.from;
    if (!truth && call->code->args_count < 3)
        return ERR_OK;
    return path_exec_on(m, ARG(call, truth ? 1 : 2), self, m->index, &span);
}

static err fold(struct path_machine *m, struct path_call *call)
{
    for (uint32_t i = 0; i < call->in.count; i++) {
        struct path_item self = m->stack[call->in.from + i];
        struct path_span span;
        uint32_t top = m->top;
        TRY(path_exec_on(m, ARG(call, 0), &self, i, &span));
        m->total = path_keep(m, span);
        m->top = top;
    }
    return ERR_OK;
}

static err run_aggregate(struct path_machine *m, struct path_call *call)
{
    struct path_result outer = m->total;
    struct path_span first = { 0 };
    if (call->code->args_count == 2)
        TRY(path_exec_span(m, ARG(call, 1), &first));
    m->total = path_keep(m, first);
    m->top -= first.count;
    err error = fold(m, call);
    struct path_result total = m->total;
    m->total = outer;
    TRY(error);
    for (size_t i = 0; i < total.count; i++)
        TRY(path_push(m, total.items[i]));
    return ERR_OK;
}

static err run_trace(struct path_machine *m, struct path_call *call)
{
    str name = S("");
    bool given;
    TRY(path_arg_string(m, call, 0, &name, &given));
    const struct path_host *host = m->run->host;
    if (call->code->args_count == 2) {
        uint32_t from = m->top;
        for (uint32_t i = 0; i < call->in.count; i++) {
            struct path_item self = m->stack[call->in.from + i];
            struct path_span span;
            TRY(path_exec_on(m, ARG(call, 1), &self, i, &span));
        }
        struct path_result shown = { m->stack + from, m->top - from };
        if (host && host->trace)
            host->trace(m->cx, host, name, &shown);
        m->top = from;
    } else if (host && host->trace) {
        struct path_result shown = { m->stack + call->in.from, call->in.count };
        host->trace(m->cx, host, name, &shown);
    }
    call->out = call->in.from;
    return ERR_OK;
}

static bool is_taken(const struct path_machine *m, str name)
{
    static const char *const own[] = { "context", "resource", "rootResource", "ucum", "sct",
                                       "loinc" };
    for (uint32_t i = 0; i < m->defined_count; i++)
        if (str_eq(m->defined[i].name, name))
            return true;
    for (size_t i = 0; i < COUNT(own); i++)
        if (str_eq(name, str_of(own[i])))
            return true;
    for (size_t i = 0; i < m->run->variables_count; i++)
        if (str_eq(m->run->variables[i].name, name))
            return true;
    return false;
}

/* Whether an expression's value depends on what it stands on. */
static bool looks_at_self(const struct path_code *code)
{
    if (code->op == PATH_OP_NAME || code->op == PATH_OP_THIS ||
        (code->op == PATH_OP_CALL && !code->left))
        return true;
    if (code->left && looks_at_self(code->left))
        return true;
    for (size_t i = 0; i < code->args_count; i++)
        if (path_arg(code, i) && looks_at_self(path_arg(code, i)))
            return true;
    return false;
}

/* The variable is seen by what follows in the same chain; the input passes through. */
static err run_define_variable(struct path_machine *m, struct path_call *call)
{
    struct path_span value = call->in;
    str name = S("");
    bool given;
    TRY(path_arg_string(m, call, 0, &name, &given));
    if (!given || is_taken(m, name))
        return path_fail(m, ERR_RULE, "%%%.*s is defined already, or has no name", STR_ARG(name));
    if (m->defined_count == PATH_VARIABLES_MAX)
        return path_fail(m, ERR_LIMIT, "too many variables");
    if (!m->defined)
        m->defined = arena_array(m->cx->arena, PATH_VARIABLES_MAX, sizeof *m->defined);
    uint32_t top = m->top;
    if (call->code->args_count == 2) {
        value = (struct path_span){ top, 0 };
        uint32_t times = looks_at_self(ARG(call, 1)) ? call->in.count : 1;
        for (uint32_t i = 0; i < times; i++) {
            struct path_item self;
            const struct path_item *at = only_input(m, call, &self);
            if (!at && call->in.count) {
                self = m->stack[call->in.from + i];
                at = &self;
            }
            struct path_span one;
            TRY(path_exec_on(m, ARG(call, 1), at, i, &one));
            value.count += one.count;
        }
    }
    m->defined[m->defined_count++] = (struct path_defined){ name, path_keep(m, value) };
    m->top = top;
    call->out = call->in.from;
    return ERR_OK;
}

static err run_coalesce(struct path_machine *m, struct path_call *call)
{
    for (size_t i = 0; i < call->code->args_count; i++) {
        struct path_span span;
        TRY(path_exec_span(m, ARG(call, i), &span));
        if (span.count)
            break;
    }
    return ERR_OK;
}

/* ---- sort ---- */

struct sorted {
    struct path_item item;
    struct path_item keys[PATH_ARGS_MAX];
    bool given[PATH_ARGS_MAX];
};

/* A leading minus on a key means descending. */
static err sort_keys(struct path_machine *m, struct path_call *call, uint32_t at,
                     struct sorted *out)
{
    out->item = m->stack[call->in.from + at];
    if (call->code->args_count == 0)
        out->given[0] = path_value(m->cx, &out->item, &out->keys[0]);
    for (size_t i = 0; i < call->code->args_count; i++) {
        const struct path_code *key = ARG(call, i);
        struct path_span span;
        uint32_t top = m->top;
        key = key->op == PATH_OP_NEGATE ? key->args[0] : key;
        TRY(path_exec_on(m, key, &out->item, at, &span));
        m->now = call->code;
        TRY(path_span_value(m, span, &out->keys[i], &out->given[i]));
        m->top = top;
    }
    return ERR_OK;
}

static err sort_order(struct path_machine *m, struct path_call *call, const struct sorted *a,
                      const struct sorted *b, int *out)
{
    size_t count = call->code->args_count ? call->code->args_count : 1;
    *out = 0;
    for (size_t i = 0; i < count && *out == 0; i++) {
        bool down = call->code->args_count && ARG(call, i)->op == PATH_OP_NEGATE;
        enum path_order order = PATH_ORDER_SAME;
        if (a->given[i] != b->given[i]) { /* nothing stands first, whatever the direction */
            *out = a->given[i] ? 1 : -1;
            return ERR_OK;
        }
        if (a->given[i])
            order = path_order(&a->keys[i], &b->keys[i]);
        if (order == PATH_ORDER_WRONG)
            return path_fail(m, ERR_RULE, "sort() met values that have no order");
        *out = order == PATH_ORDER_UNKNOWN ? 0 : down ? -(int)order : (int)order;
    }
    return ERR_OK;
}

/* Merges the sorted halves [0, half) and [half, count) through `spare`. */
static err merge(struct path_machine *m, struct path_call *call, struct sorted **list, size_t count,
                 struct sorted **spare)
{
    size_t half = count / 2, i = 0, j = half;
    for (size_t at = 0; at < count; at++) {
        int order = j >= count ? -1 : i >= half ? 1 : 0;
        if (!order) {
            TRY(sort_order(m, call, list[i], list[j], &order));
            order = order <= 0 ? -1 : 1;
        }
        spare[at] = order < 0 ? list[i++] : list[j++];
    }
    memcpy(list, spare, count * sizeof *list);
    return ERR_OK;
}

static err sort_list(struct path_machine *m, struct path_call *call, struct sorted **list,
                     size_t count, struct sorted **spare)
{
    if (count < 2)
        return ERR_OK;
    TRY(path_step(m, (int64_t)count));
    TRY(sort_list(m, call, list, count / 2, spare));
    TRY(sort_list(m, call, list + count / 2, count - count / 2, spare));
    return merge(m, call, list, count, spare);
}

static err run_sort(struct path_machine *m, struct path_call *call)
{
    uint32_t count = call->in.count;
    struct sorted *rows = arena_array(m->cx->arena, count + 1, sizeof *rows);
    struct sorted **list = arena_array(m->cx->arena, 2 * (size_t)count + 1, sizeof *list);
    TRY(path_text_made(m, count * sizeof *rows));
    for (uint32_t i = 0; i < count; i++) {
        list[i] = &rows[i];
        TRY(sort_keys(m, call, i, &rows[i]));
    }
    TRY(sort_list(m, call, list, count, list + count));
    for (uint32_t i = 0; i < count; i++)
        TRY(path_push(m, list[i]->item));
    return ERR_OK;
}

/* clang-format off */
const struct path_function path_functions_collection[] = {
    { "empty", 0, 0, run_empty, 0, "Boolean" },
    { "exists", 0, 1, run_exists, PATH_LAMBDA, "Boolean" },
    { "all", 1, 1, run_all, PATH_LAMBDA, "Boolean" },
    { "allTrue", 0, 0, run_bools, 0, "Boolean" },
    { "anyTrue", 0, 0, run_bools, 0, "Boolean" },
    { "allFalse", 0, 0, run_bools, 0, "Boolean" },
    { "anyFalse", 0, 0, run_bools, 0, "Boolean" },
    { "not", 0, 0, run_not, PATH_SINGLE, "Boolean" },
    { "count", 0, 0, run_count, 0, "Integer" },
    { "subsetOf", 1, 1, run_subset, 0, "Boolean" },
    { "supersetOf", 1, 1, run_subset, 0, "Boolean" },
    { "distinct", 0, 0, run_distinct, 0, "in" },
    { "isDistinct", 0, 0, run_is_distinct, 0, "Boolean" },
    { "union", 1, 1, run_union, 0, "any" },
    { "combine", 1, 2, run_combine, 0, "any" },
    { "intersect", 1, 1, run_intersect, 0, "in" },
    { "exclude", 1, 1, run_exclude, 0, "in" },
    { "where", 1, 1, run_where, PATH_LAMBDA, "in" },
    { "select", 1, 1, run_select, PATH_LAMBDA, "arg" },
    { "repeat", 1, 1, run_repeat, PATH_LAMBDA, "any" },
    { "repeatAll", 1, 1, run_repeat, PATH_LAMBDA, "any" },
    { "children", 0, 0, run_children, PATH_UNORDERED_OUT, "any" },
    { "descendants", 0, 0, run_descendants, PATH_UNORDERED_OUT, "any" },
    { "single", 0, 0, run_single, PATH_SINGLE, "in" },
    { "first", 0, 0, run_single, PATH_ORDERED, "in" },
    { "last", 0, 0, run_last, PATH_ORDERED, "in" },
    { "tail", 0, 0, run_tail, PATH_ORDERED, "in" },
    { "skip", 1, 1, run_skip, PATH_ORDERED, "in" },
    { "take", 1, 1, run_take, PATH_ORDERED, "in" },
    { "iif", 2, 3, run_iif, PATH_LAMBDA | PATH_SINGLE, "any" },
    { "aggregate", 1, 2, run_aggregate, PATH_LAMBDA, "any" },
    { "trace", 1, 2, run_trace, PATH_LAMBDA, "in" },
    { "defineVariable", 1, 2, run_define_variable, PATH_LAMBDA, "in" },
    { "coalesce", 1, PATH_ARGS_MAX, run_coalesce, 0, "any" },
    { "sort", 0, PATH_ARGS_MAX, run_sort, PATH_LAMBDA, "in" },
    { 0 },
};
