/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/db.h"

/* posting_sql: the statements of posting.c and stream.c, in the order of posting_sql. */
enum posting_stmt {
    TOK_ALL, TOK_SLOT, TOK_COUNT, TOK_PROBE, TOK_NEXT, TOK_NEXT_DESC,
    REF_ALL, REF_SLOT, REF_COUNT, REF_PROBE, REF_NEXT, REF_NEXT_DESC,
    TXT_RANGE, TXT_FROM, TXT_SLOT, TXT_ONE, TXT_PROBE, TXT_NEXT, TXT_NEXT_DESC,
    DAY_RANGE, DAY_SLOT, DAY_NEXT, DAY_NEXT_DESC,
    NUM_RANGE, NUM_SLOT, NUM_COUNT,
    RID_ONE, WORDS_IN, SEQ_RANGE, SEQ_OF, TYPE_NEXT, TYPE_UNDATED, TYPE_UNDATED_DESC,
    NUM_AFTER, DAY_AFTER
};
