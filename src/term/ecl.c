/* SPDX-License-Identifier: Apache-2.0 */
#include "term/ecl.h"

enum { DEPTH_MAX = 50, TEXT_MAX = 10000 };

struct ecl {
    struct ctx *cx;
    struct arena *arena;
    const struct term_system *system;
    str text;
    size_t at;
    int depth;
};

static err constraint(struct ecl *e, struct term_bits *out);

static err fail(struct ecl *e, const char *expected)
{
    return ctx_failf(e->cx, ERR_RULE, S("ecl"), "ECL, character %zu: expected %s", e->at + 1,
                     expected);
}

/* ---- words ---- */

/* White space and comments. */
static void skip(struct ecl *e)
{
    for (;;) {
        while (e->at < e->text.n && strchr(" \t\r\n", e->text.p[e->at]))
            e->at++;
        str rest = str_slice(e->text, e->at, e->text.n);
        size_t end = str_starts(rest, S("/*")) ? str_find(rest, S("*/")) : STR_NONE;
        if (end == STR_NONE)
            return;
        e->at += end + 2;
    }
}

static bool take(struct ecl *e, const char *mark)
{
    skip(e);
    if (!str_starts(str_slice(e->text, e->at, e->text.n), str_of(mark)))
        return false;
    e->at += strlen(mark);
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A keyword in any case, not the beginning of a longer word. */
static bool take_word(struct ecl *e, const char *word)
{
    skip(e);
    size_t n = strlen(word);
    if (!str_eq_nocase(str_slice(e->text, e->at, e->at + n), str_of(word)))
        return false;
    if (e->at + n < e->text.n && is_letter(e->text.p[e->at + n]))
        return false;
    e->at += n;
    return true;
}

static err take_code(struct ecl *e, uint32_t *out)
{
    skip(e);
    size_t from = e->at;
    while (e->at < e->text.n && e->text.p[e->at] >= '0' && e->text.p[e->at] <= '9')
        e->at++;
    if (e->at == from)
        return fail(e, "a concept id, *, or (");
    *out = term_find(e->system, str_slice(e->text, from, e->at));
    if (take(e, "|")) {
        size_t bar = str_find_char(str_slice(e->text, e->at, e->text.n), '|');
        if (bar == STR_NONE)
            return fail(e, "| after the term");
        e->at += bar + 1;
    }
    return ERR_OK;
}

/* ---- sets ---- */

static struct term_bits none(struct ecl *e)
{
    return term_bits_make(e->arena, e->system);
}

static void fill(struct term_bits *bits)
{
    for (uint32_t n = 0; n < bits->count; n++)
        term_bit_set(bits, n);
}

enum combine { COMBINE_AND, COMBINE_OR, COMBINE_MINUS };

static void combine(struct term_bits *into, const struct term_bits *other, enum combine how)
{
    for (uint32_t i = 0; i <= into->count / 64; i++) {
        uint64_t word = other->words[i];
        into->words[i] = how == COMBINE_AND  ? into->words[i] & word
                         : how == COMBINE_OR ? into->words[i] | word
                                             : into->words[i] & ~word;
    }
}

static void add_next(const struct term_system *system, uint32_t n, bool down,
                     struct term_bits *out)
{
    const struct term_concept *c = &system->concepts[n];
    const uint32_t *next = system->links + (down ? c->children : c->parents);
    for (uint32_t i = 0; i < (down ? c->children_count : c->parents_count); i++)
        term_bit_set(out, next[i]);
}

/* ^: what is a member of one of these reference sets. */
static void members(const struct term_system *system, const struct term_bits *refsets,
                    struct term_bits *out)
{
    uint32_t member = term_find(system, S("900000000000455006"));
    for (size_t i = 0; i < system->attributes_count; i++) {
        const struct term_attribute *a = &system->attributes[i];
        if (a->type == member && term_bit(refsets, a->target))
            term_bit_set(out, a->source);
    }
}

/* ---- operators before a focus ---- */

static const struct {
    const char *mark;
    bool down, all, self, is_member;
} marks[] = { /* longest first, ^ last */
    { "<<!", true, false, true, false },  { ">>!", false, false, true, false },
    { "<<", true, true, true, false },    { ">>", false, true, true, false },
    { "<!", true, false, false, false },  { ">!", false, false, false, false },
    { "<", true, true, false, false },    { ">", false, true, false, false },
    { "^", false, false, false, true },
};

static void apply(struct ecl *e, size_t mark, const struct term_bits *focus, struct term_bits *out)
{
    if (marks[mark].is_member) {
        members(e->system, focus, out);
        return;
    }
    for (uint32_t n = 0; n < focus->count; n++) {
        if (!term_bit(focus, n))
            continue;
        if (!marks[mark].all)
            add_next(e->system, n, marks[mark].down, out);
        else if (marks[mark].down)
            term_add_below(e->system, n, out);
        else
            term_add_above(e->system, n, out);
    }
    if (marks[mark].self)
        combine(out, focus, COMBINE_OR);
}

static err focus(struct ecl *e, struct term_bits *out)
{
    uint32_t concept = TERM_NONE;
    if (take(e, "(")) {
        TRY(constraint(e, out));
        return take(e, ")") ? ERR_OK : fail(e, ")");
    }
    if (take(e, "*")) {
        fill(out);
        return ERR_OK;
    }
    TRY(take_code(e, &concept));
    if (concept != TERM_NONE)
        term_bit_set(out, concept);
    return ERR_OK;
}

/* One operator, or one and then ^: "< ^ 700043003". More needs brackets. */
static err sub_constraint_from(struct ecl *e, size_t first_mark, struct term_bits *out)
{
    for (size_t i = first_mark; i < COUNT(marks); i++) {
        if (!take(e, marks[i].mark))
            continue;
        struct term_bits inner = none(e);
        TRY(sub_constraint_from(e, marks[i].is_member ? COUNT(marks) : COUNT(marks) - 1, &inner));
        apply(e, i, &inner, out);
        return ERR_OK;
    }
    return focus(e, out);
}

static err sub_constraint(struct ecl *e, struct term_bits *out)
{
    return sub_constraint_from(e, 0, out);
}

/* ---- refinement ---- */

static void having(struct ecl *e, const struct term_bits *names, const struct term_bits *values,
                   bool equal, struct term_bits *out)
{
    for (size_t i = 0; i < e->system->attributes_count; i++) {
        const struct term_attribute *a = &e->system->attributes[i];
        if (term_bit(names, a->type) && term_bit(values, a->target) == equal)
            term_bit_set(out, a->source);
    }
}

static err attribute(struct ecl *e, struct term_bits *out)
{
    struct term_bits names = none(e), values = none(e);
    TRY(sub_constraint(e, &names));
    bool differs = take(e, "!=");
    if (!differs && !take(e, "="))
        return fail(e, "= or != after the attribute");
    TRY(sub_constraint(e, &values));
    having(e, &names, &values, !differs, out);
    return ERR_OK;
}

/* A group in braces selects here as its attributes do without them: by source, not by group. */
static err attributes(struct ecl *e, struct term_bits *out)
{
    bool group = take(e, "{");
    TRY(attribute(e, out));
    for (;;) {
        bool both = take(e, ",") || take_word(e, "AND"), either = !both && take_word(e, "OR");
        if (!both && !either)
            break;
        struct term_bits next = none(e);
        if (!group && take(e, "{")) {
            e->at--;
            TRY(attributes(e, &next));
        } else {
            TRY(attribute(e, &next));
        }
        combine(out, &next, both ? COMBINE_AND : COMBINE_OR);
    }
    return !group || take(e, "}") ? ERR_OK : fail(e, "}");
}

static err refined(struct ecl *e, struct term_bits *out)
{
    TRY(sub_constraint(e, out));
    if (!take(e, ":"))
        return ERR_OK;
    struct term_bits wanted = none(e);
    TRY(attributes(e, &wanted));
    combine(out, &wanted, COMBINE_AND);
    return ERR_OK;
}

static bool take_operator(struct ecl *e, enum combine *how)
{
    static const struct { const char *word; enum combine how; } words[] = {
        { "AND", COMBINE_AND }, { "OR", COMBINE_OR }, { "MINUS", COMBINE_MINUS },
    };
    for (size_t i = 0; i < COUNT(words); i++)
        if (take_word(e, words[i].word)) {
            *how = words[i].how;
            return true;
        }
    *how = COMBINE_AND;
    return take(e, ",");
}

static err constraint(struct ecl *e, struct term_bits *out)
{
    enum combine how;
    if (++e->depth > DEPTH_MAX)
        return fail(e, "less nesting");
    TRY(refined(e, out));
    while (take_operator(e, &how)) {
        struct term_bits next = none(e);
        TRY(refined(e, &next));
        combine(out, &next, how);
    }
    e->depth--;
    return ERR_OK;
}

err term_ecl(struct ctx *cx, struct arena *arena, const struct term_system *system, str text,
             struct term_bits *out)
{
    struct ecl e = { .cx = cx, .arena = arena, .system = system, .text = text };
    if (text.n > TEXT_MAX)
        return ctx_fail(cx, ERR_LIMIT, S("ecl"), S("the expression is too long"));
    TRY(constraint(&e, out));
    skip(&e);
    return e.at == text.n ? ERR_OK : fail(&e, "AND, OR, MINUS or the end");
}
