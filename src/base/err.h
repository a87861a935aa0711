/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * err: the twelve ways a piece of work can go wrong, and the macro that passes one up.
 *
 * Errors   ERR_OK is 0. One table (issues.c) maps each kind to its HTTP status and FHIR issue code;
 *          nothing else writes a status. `assert` is for our own bugs, `err` for the world's.
 */
typedef enum err {
    ERR_OK,
    ERR_INVALID,     /* 400 the request itself is malformed */
    ERR_RULE,        /* 422 well formed, but breaks a rule of FHIR or of the ward */
    ERR_NOT_FOUND,   /* 404 */
    ERR_GONE,        /* 410 was deleted */
    ERR_CONFLICT,    /* 409 somebody else holds or changed it */
    ERR_PRECONDITION,/* 412 If-Match, If-None-Match or a condition did not hold */
    ERR_LOGIN,       /* 401 */
    ERR_FORBIDDEN,   /* 403 */
    ERR_LIMIT,       /* 413 larger, deeper or costlier than configuration allows */
    ERR_BUSY,        /* 503 try again */
    ERR_IO,          /* 503 disk or network failed */
    ERR_BUG,         /* 500 ours */
    ERR_COUNT
} err;

#define MUST_USE __attribute__((warn_unused_result))

/* Returns the error of `call` from the calling function; safe because nothing needs cleaning. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        err try_error_ = (call);                                                                   \
        if (try_error_ != ERR_OK)                                                                  \
            return try_error_;                                                                     \
    } while (0)
