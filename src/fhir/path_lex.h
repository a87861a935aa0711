/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/* path_lex: cuts a FHIRPath expression into words. For path_parse.c. */
enum path_token_kind {
    PATH_TOKEN_END, PATH_TOKEN_NAME, PATH_TOKEN_QUOTED_NAME, PATH_TOKEN_STRING, PATH_TOKEN_NUMBER,
    PATH_TOKEN_DATE, PATH_TOKEN_DATE_TIME, PATH_TOKEN_TIME, PATH_TOKEN_EXTERNAL, PATH_TOKEN_DOLLAR,
    PATH_TOKEN_SYMBOL
};
struct path_token {
    enum path_token_kind kind;
    uint32_t at;
    str text;      /* content with escapes resolved; of symbols the symbol itself */
};
struct path_lexer {
    struct ctx *cx;
    str text;
    size_t at;
    struct path_token token; /* the current one */
};

/* Reads the next token into lexer->token; ERR_INVALID with its place when there is none. */
err path_lex(struct path_lexer *lexer) MUST_USE;
err path_lex_fail(struct path_lexer *lexer, size_t at, const char *what);
/* Adds an issue "line L, column C: ..." */
err path_fail_at(struct ctx *cx, err kind, str text, size_t at, const char *what);
