/* SPDX-License-Identifier: Apache-2.0 */
#include "store/plan.h"

/* Does some word of the text begin like the folded one? */
static bool has_word(str folded, str word)
{
    for (size_t at = 0; at + word.n <= folded.n; at++) {
        bool start = at == 0 || !(folded.p[at - 1] >= 'a' && folded.p[at - 1] <= 'z');
        if (start && memcmp(folded.p + at, word.p, word.n) == 0)
            return true;
    }
    return false;
}

/* Folds a long text piece by piece and looks for the word in each. */
static bool text_has(struct ctx *cx, str text, str word)
{
    enum { PIECE = INDEX_TEXT_MAX - 100, OVERLAP = 80 };
    for (size_t at = 0; at < text.n || at == 0; at += PIECE - OVERLAP)
        if (has_word(value_fold(cx->arena, str_slice(text, at, at + PIECE)), word))
            return true;
    return false;
}

static bool strings_have(struct ctx *cx, struct json value, str word)
{
    if (json_is(value, JSON_STRING))
        return text_has(cx, json_string(cx->arena, value), word);
    for (struct json_walk w = json_walk(value); json_next(&w);)
        if (strings_have(cx, w.value, word))
            return true;
    return false;
}

/* The narrative without its tags. */
static str narrative(struct ctx *cx, struct json body)
{
    str div = json_string(cx->arena, json_get(json_get(body, S("text")), S("div")));
    char *plain = arena_alloc(cx->arena, div.n + 1);
    size_t n = 0;
    bool tag = false;
    for (size_t i = 0; i < div.n; i++) {
        tag = tag || div.p[i] == '<';
        plain[n++] = tag ? ' ' : div.p[i];
        tag = tag && div.p[i] != '>';
    }
    return (str){ plain, n };
}

/* _text in the narrative, _content anywhere: all words of one of the values. */
bool plan_words(struct ctx *cx, const struct query_criterion *criterion, struct json body)
{
    bool whole = criterion->what == QUERY_CONTENT;
    str text = whole ? S("") : narrative(cx, body);
    for (size_t v = 0; v < criterion->values_count; v++) {
        str rest = value_fold(cx->arena, criterion->values[v].text), word;
        bool all = true;
        while (all && str_next(&rest, ' ', &word))
            all = whole ? strings_have(cx, body, word) : text_has(cx, text, word);
        if (all)
            return true;
    }
    return false;
}
