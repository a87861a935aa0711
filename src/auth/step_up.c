/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/step_up.h"

#define SOURCE "staff-identity 4.2"
/* clang-format off: a table that is reviewed and signed. */
const struct step_up_row step_up_rows[] = {
    { "break_glass",     "Emergency access to a patient",         5, "2026-01-01", SOURCE },
    { "label_change",    "Change of what is hidden from whom",    5, "2026-01-01", SOURCE },
    { "role_change",     "Change of a person's role",             5, "2026-01-01", SOURCE },
    { "export",          "Export of the record in bulk",          5, "2026-01-01", SOURCE },
    { 0 },
};
/* clang-format on */

const struct step_up_row *step_up_find(const char *act)
{
    for (const struct step_up_row *row = step_up_rows; row->act; row++)
        if (strcmp(row->act, act) == 0)
            return row;
    return NULL;
}

bool step_up_is_fresh(const char *act, int64_t proved_ms, int64_t now_ms)
{
    const struct step_up_row *row = step_up_find(act);
    return !row || (proved_ms > 0 && now_ms - proved_ms <= row->minutes * 60000LL);
}

err step_up_refuse(struct ctx *cx, const char *act)
{
    const struct step_up_row *row = step_up_find(act);
    return ctx_failf(cx, ERR_FORBIDDEN, (str){ 0 }, "%s needs proof, no older than %d minutes, of "
                     "who you are: go to /step-up, or sign in again, and repeat it", row->title,
                     row->minutes);
}
