/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit_log.h"
#include "base/clock.h"
#include "jobs/bulk_work.h"

enum { MARK_BITS = 64 };

/* A patient's own bit, in marks that grow with the highest number seen. */
static uint64_t *mark_of(struct bulk_told *told, int64_t pid)
{
    size_t number = (size_t)(pid & (((int64_t)1 << STORE_RID_BITS) - 1)), at = number / MARK_BITS;
    if (at >= told->marks_count) {
        size_t count = 2 * (at + 1);
        uint64_t *marks = arena_array(told->arena, count, sizeof *marks);
        if (told->marks_count)
            memcpy(marks, told->marks, told->marks_count * sizeof *marks);
        told->marks = marks;
        told->marks_count = count;
    }
    return &told->marks[at];
}

static err note(struct ctx *cx, struct bulk_told *told, uint64_t *ticket)
{
    str url = told->spec->url;
    size_t from = str_find(url, S("/fhir/"));
    struct audit_entry entry = {
        .at_ms = clock_now_ms(), .who = told->spec->who, .act = AUDIT_EXPORT,
        .what = from == STR_NONE ? url : str_slice(url, from + sizeof "/fhir/" - 1, url.n) };
    return audit_note_seen(cx, told->bulk->audit, &entry, &told->seen, ticket);
}

err bulk_note(struct ctx *cx, struct bulk_told *told, int64_t pid)
{
    uint64_t ticket;
    if (!told->bulk->audit || store_rid_resource(pid) != fhir_resource_find(S("Patient")))
        return ERR_OK;
    uint64_t *mark = mark_of(told, pid), bit = (uint64_t)1 << (pid % MARK_BITS);
    if (*mark & bit)
        return ERR_OK;
    *mark |= bit;
    told->seen.pids = arena_grow(told->arena, told->seen.pids, told->seen.count, &told->seen.cap,
                                 sizeof pid);
    told->seen.pids[told->seen.count++] = pid;
    return told->seen.count < AUDIT_PIDS_MAX ? ERR_OK : note(cx, told, &ticket);
}

err bulk_note_end(struct ctx *cx, struct bulk_told *told)
{
    uint64_t ticket;
    if (!told->bulk->audit || !told->seen.count)
        return ERR_OK;
    TRY(note(cx, told, &ticket));
    return audit_settle(cx, told->bulk->audit, ticket);
}
