/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "store/words.h"

/*
 * A question to the words, read by hand so that nothing a client writes reaches FTS5's own parser:
 * what goes there is written anew from what was understood, every word in quotes.
 */
struct asker {
    struct ctx *cx;
    str name, rest;
    int depth, terms;
};

static err malformed(struct asker *a, const char *what)
{
    return ctx_failf(a->cx, ERR_INVALID, a->name, "%s before \"%.*s\"; write words, \"a phrase\", "
                     "begin*, AND, OR, NOT and ( )", what, STR_ARG(str_slice(a->rest, 0, 40)));
}

static bool ends_word(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '(' || c == ')' || c == '"';
}

/* An operator stands alone, in capitals. */
static bool peek(const struct asker *a, str word)
{
    return str_starts(a->rest, word) &&
           (a->rest.n == word.n || ends_word(a->rest.p[word.n]));
}

static bool take(struct asker *a, str word)
{
    a->rest = str_trim(a->rest);
    if (!peek(a, word))
        return false;
    a->rest = str_trim(str_slice(a->rest, word.n, a->rest.n));
    return true;
}

static const struct words_ask *node(struct asker *a, struct words_ask ask)
{
    struct words_ask *kept = arena_alloc(a->cx->arena, sizeof *kept);
    *kept = ask;
    return kept;
}

static err take_term(struct asker *a, const struct words_ask **out)
{
    str text;
    if (a->rest.n && a->rest.p[0] == '"') {
        size_t end = str_find_char(str_slice(a->rest, 1, a->rest.n), '"');
        if (end == STR_NONE)
            return malformed(a, "a closing quote is missing");
        text = str_slice(a->rest, 1, end + 1);
        a->rest = str_slice(a->rest, end + 2, a->rest.n);
        if (str_starts(a->rest, S("*"))) {
            text = arena_printf(a->cx->arena, "%.*s*", STR_ARG(text));
            a->rest = str_slice(a->rest, 1, a->rest.n);
        }
    } else {
        size_t n = 0;
        while (n < a->rest.n && !ends_word(a->rest.p[n]))
            n++;
        text = str_slice(a->rest, 0, n);
        a->rest = str_slice(a->rest, n, a->rest.n);
    }
    str term = words_fold(a->cx->arena, text);
    if (!term.n)
        return malformed(a, "a word with a letter or digit is missing");
    if (++a->terms > WORDS_TERMS_MAX)
        return ctx_failf(a->cx, ERR_LIMIT, a->name, "at most %d words", WORDS_TERMS_MAX);
    *out = node(a, (struct words_ask){ .kind = WORDS_TERM, .term = term,
                                       .prefix = str_ends(text, S("*")) });
    return ERR_OK;
}

static err any_of(struct asker *a, const struct words_ask **out);

static err one(struct asker *a, const struct words_ask **out)
{
    a->rest = str_trim(a->rest);
    if (peek(a, S("AND")) || peek(a, S("OR")) || peek(a, S("NOT")))
        return malformed(a, "there is nothing for an operator to join");
    if (!str_starts(a->rest, S("(")))
        return take_term(a, out);
    if (++a->depth > WORDS_DEPTH_MAX)
        return ctx_fail(a->cx, ERR_LIMIT, a->name, S("the brackets nest too deep"));
    a->rest = str_slice(a->rest, 1, a->rest.n);
    TRY(any_of(a, out));
    a->rest = str_trim(a->rest);
    if (!str_starts(a->rest, S(")")))
        return malformed(a, "')' is missing");
    a->rest = str_slice(a->rest, 1, a->rest.n);
    a->depth--;
    return ERR_OK;
}

static err all_of(struct asker *a, const struct words_ask **out)
{
    TRY(one(a, out));
    for (;;) {
        const struct words_ask *next;
        enum words_kind kind = WORDS_AND;
        a->rest = str_trim(a->rest);
        if (!a->rest.n || a->rest.p[0] == ')' || peek(a, S("OR")))
            return ERR_OK;
        bool and = take(a, S("AND"));
        if (take(a, S("NOT")))
            kind = WORDS_NOT;
        else if (and && (!a->rest.n || a->rest.p[0] == ')'))
            return malformed(a, "a word is missing after AND");
        TRY(one(a, &next));
        *out = node(a, (struct words_ask){ .kind = kind, .left = *out, .right = next });
    }
}

static err any_of(struct asker *a, const struct words_ask **out)
{
    TRY(all_of(a, out));
    while (take(a, S("OR"))) {
        const struct words_ask *next;
        TRY(all_of(a, &next));
        *out = node(a, (struct words_ask){ .kind = WORDS_OR, .left = *out, .right = next });
    }
    return ERR_OK;
}

err words_parse(struct ctx *cx, str name, str text, const struct words_ask **out)
{
    struct asker a = { .cx = cx, .name = name, .rest = text };
    TRY(any_of(&a, out));
    a.rest = str_trim(a.rest);
    return a.rest.n ? malformed(&a, "'(' is missing") : ERR_OK;
}

/* Both texts have one space between words, so a phrase is a stretch between two spaces. */
static bool has_term(str text, const struct words_ask *ask)
{
    str term = ask->term;
    for (size_t at = 0; at + term.n <= text.n; at++) {
        if (at > 0 && text.p[at - 1] != ' ')
            continue;
        bool ends = at + term.n == text.n || text.p[at + term.n] == ' ';
        if ((ends || ask->prefix) && memcmp(text.p + at, term.p, term.n) == 0)
            return true;
    }
    return false;
}

bool words_answer(const struct words_ask *ask, const struct words *words, bool whole)
{
    switch (ask->kind) {
    case WORDS_TERM:
        return has_term(words->narrative, ask) || (whole && has_term(words->content, ask));
    case WORDS_AND:
        return words_answer(ask->left, words, whole) &&
               words_answer(ask->right, words, whole);
    case WORDS_OR:
        return words_answer(ask->left, words, whole) ||
               words_answer(ask->right, words, whole);
    case WORDS_NOT:
        return words_answer(ask->left, words, whole) &&
               !words_answer(ask->right, words, whole);
    }
    return false;
}

static void write_match(struct buf *out, const struct words_ask *ask)
{
    static const char *const operators[] = { "", " AND ", " OR ", " NOT " };
    if (ask->kind == WORDS_TERM) {
        buf_printf(out, "\"%.*s\"%s", STR_ARG(ask->term), ask->prefix ? " *" : "");
        return;
    }
    buf_char(out, '(');
    write_match(out, ask->left);
    buf_add(out, str_of(operators[ask->kind]));
    write_match(out, ask->right);
    buf_char(out, ')');
}

str words_match_text(struct arena *arena, const struct words_ask *ask, bool whole)
{
    struct buf out = buf_make(arena, 1 << 20);
    buf_add(&out, whole ? S("") : S("narrative : ("));
    write_match(&out, ask);
    buf_add(&out, whole ? S("") : S(")"));
    return buf_str(&out);
}
