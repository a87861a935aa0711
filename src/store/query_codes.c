/* SPDX-License-Identifier: Apache-2.0 */
#include "store/query.h"
#include "store/terms.h"

/*
 * :in and :not-in become the value set's codes, :above and :below the codes over and under one in
 * its code system, as the terminology engine knows them.
 */
enum { CODES_MOST = 20000 };

struct codes {
    struct ctx *cx;
    const struct query_source *from;
    struct query_criterion *criterion;
    size_t cap;
};

static err add_code(struct codes *codes, str system, str code)
{
    struct query_criterion *criterion = codes->criterion;
    if (criterion->values_count == CODES_MOST)
        return ctx_failf(codes->cx, ERR_LIMIT, criterion->shown,
                         "the value set has more than %d codes", CODES_MOST);
    criterion->values = arena_grow(codes->cx->arena, criterion->values, criterion->values_count,
                                   &codes->cap, sizeof *criterion->values);
    criterion->values[criterion->values_count++] =
        (struct query_value){ .has_system = true, .system = system, .code = code };
    return ERR_OK;
}

/* Systems the set takes codes of that nobody has loaded are taken whole: "not known" is in. */
static err add_value_set(struct codes *codes, str url)
{
    const struct term_set *set;
    struct ctx *cx = codes->cx;
    size_t kept = cx->issues.kept, count = cx->issues.count;
    err found = term_get_set(cx, store_terms(codes->from->store), url, &set);
    if (found == ERR_NOT_FOUND) {
        str why = cx->issues.kept > kept ? cx->issues.list[kept].text : S("nobody has it");
        cx->issues.kept = kept;
        cx->issues.count = count;
        return ctx_failf(cx, ERR_INVALID, codes->criterion->shown,
                         "%.*s. Post the ValueSet and the CodeSystem it draws on, or load the "
                         "package or release they come in by frontline package add or frontline "
                         "term", STR_ARG(why));
    }
    TRY(found);
    for (size_t i = 0; i < set->count; i++)
        TRY(add_code(codes, set->entries[i].system, set->entries[i].code));
    for (size_t i = 0; i < set->open_count; i++)
        TRY(add_code(codes, set->open[i], S("")));
    return ERR_OK;
}

/* The system's concepts over or under the code; none when nobody has the system. */
static err add_relatives(struct codes *codes, const struct query_value *asked)
{
    struct ctx *cx = codes->cx;
    const struct term_system *system;
    size_t kept = cx->issues.kept, count = cx->issues.count;
    err found = term_get_system(cx, store_terms(codes->from->store), asked->system, &system);
    if (found == ERR_NOT_FOUND) {
        cx->issues.kept = kept;
        cx->issues.count = count;
        return ERR_OK;
    }
    TRY(found);
    uint32_t n = term_find(system, asked->code);
    struct term_bits bits = term_bits_make(cx->arena, system);
    if (n != TERM_NONE && codes->criterion->modifier == MOD_BELOW)
        term_add_below(system, n, &bits);
    else if (n != TERM_NONE)
        term_add_above(system, n, &bits);
    for (uint32_t i = 0; i < system->count; i++)
        if (term_bit(&bits, i))
            TRY(add_code(codes, asked->system, system->concepts[i].code));
    return ERR_OK;
}

static err add_tree(struct codes *codes, str text)
{
    struct query_criterion plain = *codes->criterion;
    struct query_value asked = { 0 };
    plain.modifier = MOD_NONE;
    TRY(query_value(codes->cx, codes->from, &plain, text, &asked));
    if (!asked.has_system || !asked.code.n)
        return ctx_fail(codes->cx, ERR_INVALID, codes->criterion->shown,
                        S(":above and :below take system|code"));
    TRY(add_relatives(codes, &asked));
    return add_code(codes, asked.system, asked.code);
}

err query_codes(struct ctx *cx, const struct query_source *from, struct query_criterion *criterion,
                str text)
{
    struct codes codes = { .cx = cx, .from = from, .criterion = criterion };
    bool sets = criterion->modifier == MOD_IN || criterion->modifier == MOD_NOT_IN;
    str rest = text, one;
    if (!from->store)
        return ctx_fail(cx, ERR_RULE, criterion->shown, S("value sets need a record to stand in"));
    while (query_split(&rest, ',', &one))
        TRY(sets ? add_value_set(&codes, query_unescape(cx->arena, one))
                 : add_tree(&codes, one));
    if (criterion->modifier != MOD_NOT_IN)
        criterion->modifier = MOD_NONE; /* from here on codes like any others */
    return ERR_OK;
}
