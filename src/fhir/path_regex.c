/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "fhir/path_regex.h"
#include <pcre2.h>
#include <pthread.h>

enum { KEPT = 8, PATTERN_MAX = 200, MATCH_STEPS_MAX = 1000000, MATCH_DEPTH_MAX = 5000,
       MATCH_HEAP_KIB = 8192, RESULT_MAX = 1 << 20 };

struct kept {
    char pattern[PATTERN_MAX];
    size_t n;
    uint32_t options;
    pcre2_code *code;
};
static _Thread_local struct kept kept[KEPT];
static _Thread_local unsigned kept_next;
static pthread_key_t forget_key;
static pthread_once_t forget_once = PTHREAD_ONCE_INIT;

static void forget(void *all)
{
    struct kept *list = all;
    for (int i = 0; i < KEPT; i++)
        pcre2_code_free(list[i].code);
    memset(list, 0, sizeof *list * KEPT);
}

static void make_key(void)
{
    if (pthread_key_create(&forget_key, forget) != 0)
        abort();
}

static err compile(struct path_machine *m, str pattern, uint32_t options, pcre2_code **out)
{
    int error;
    PCRE2_SIZE at;
    pcre2_compile_context *limits = pcre2_compile_context_create(NULL);
    if (!limits)
        return path_fail(m, ERR_LIMIT, "no memory for a regular expression");
    pcre2_set_parens_nest_limit(limits, 100);
    *out = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, options, &error, &at, limits);
    pcre2_compile_context_free(limits);
    if (*out)
        return ERR_OK;
    char text[120];
    pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof text);
    return path_fail(m, ERR_RULE, "this regular expression is wrong at character %zu: %s",
                     (size_t)at + 1, text);
}

static err code_of(struct path_machine *m, str pattern, uint32_t options, pcre2_code **out)
{
    for (int i = 0; i < KEPT; i++)
        if (kept[i].code && kept[i].n == pattern.n && kept[i].options == options &&
            memcmp(kept[i].pattern, pattern.p, pattern.n) == 0) {
            *out = kept[i].code;
            return ERR_OK;
        }
    TRY(compile(m, pattern, options, out));
    struct kept *slot = &kept[kept_next++ % KEPT];
    pcre2_code_free(slot->code);
    slot->code = *out;
    slot->options = options;
    slot->n = pattern.n > PATTERN_MAX ? (size_t)-1 : pattern.n; /* too long to be found again */
    if (pattern.n && pattern.n <= PATTERN_MAX)
        memcpy(slot->pattern, pattern.p, pattern.n);
    pthread_once(&forget_once, make_key);
    pthread_setspecific(forget_key, kept);
    return ERR_OK;
}

static pcre2_match_context *limits_of_a_match(void)
{
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    if (!limits)
        return NULL;
    pcre2_set_match_limit(limits, MATCH_STEPS_MAX);
    pcre2_set_depth_limit(limits, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(limits, MATCH_HEAP_KIB);
    return limits;
}

static err match_failed(struct path_machine *m, int error)
{
    char text[120];
    pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof text);
    return path_fail(m, ERR_LIMIT, "this regular expression cannot be tried: %s", text);
}

static const uint32_t usual = PCRE2_UTF | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C;

err path_regex_matches(struct path_machine *m, str text, str pattern, bool whole, bool *out)
{
    pcre2_code *code;
    TRY(code_of(m, pattern, usual | (whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0), &code));
    pcre2_match_context *limits = limits_of_a_match();
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int found = data && limits
                    ? pcre2_match(code, (PCRE2_SPTR)text.p, text.n, 0, 0, data, limits)
                    : PCRE2_ERROR_NOMEMORY;
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    if (found < 0 && found != PCRE2_ERROR_NOMATCH)
        return match_failed(m, found);
    *out = found >= 0;
    return ERR_OK;
}

err path_regex_replace(struct path_machine *m, str text, str pattern, str substitution, str *out)
{
    pcre2_code *code;
    size_t room = text.n * 2 + substitution.n * 16 + 64;
    TRY(code_of(m, pattern, usual, &code));
    for (int tries = 0; tries < 2; tries++) {
        room = room > RESULT_MAX ? RESULT_MAX : room;
        TRY(path_text_made(m, room));
        char *p = arena_alloc(m->cx->arena, room);
        PCRE2_SIZE made = room;
        pcre2_match_context *limits = limits_of_a_match();
        int done = pcre2_substitute(code, (PCRE2_SPTR)text.p, text.n, 0,
                                    PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH |
                                        PCRE2_SUBSTITUTE_UNSET_EMPTY | PCRE2_SUBSTITUTE_EXTENDED,
                                    NULL, limits, (PCRE2_SPTR)substitution.p, substitution.n,
                                    (PCRE2_UCHAR *)p, &made);
        pcre2_match_context_free(limits);
        if (done >= 0) {
            *out = (str){ p, made };
            return ERR_OK;
        }
        if (done != PCRE2_ERROR_NOMEMORY || room == RESULT_MAX)
            return match_failed(m, done);
        room = made + 1;
    }
    return path_fail(m, ERR_LIMIT, "replaceMatches() makes too much text");
}
