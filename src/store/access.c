/* SPDX-License-Identifier: Apache-2.0 */
#include "store/access.h"
#include "store/store.h"

static bool is_patient(int64_t rid)
{
    static const char name[] = "Patient";
    return str_eq(fhir_resource_name(store_rid_resource(rid)), S(name));
}

static bool has_pid(const int64_t *pids, size_t count, int64_t pid)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pids[middle] < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && pids[low] == pid;
}

/* Dissents are few: those of the patients who made any. */
static bool dissents(const struct store_access *access, int64_t rid, int64_t pid)
{
    for (size_t i = 0; i < access->dissents_count && access->dissents[i].pid <= pid; i++) {
        uint16_t type = access->dissents[i].resource;
        if (access->dissents[i].pid == pid &&
            (type == FHIR_NONE || type == store_rid_resource(rid)))
            return true;
    }
    return false;
}

bool access_patient(const struct store_access *access, int64_t rid, int64_t pid)
{
    uint16_t type = store_rid_resource(rid);
    if (!access)
        return true;
    if (pid == rid && !is_patient(rid))
        return !(access->alone[type / 64] >> (type % 64) & 1);
    if (access->dissents_count && dissents(access, rid, pid))
        return false;
    return access->any_patient || has_pid(access->pids, access->pids_count, pid);
}

bool access_lifts(const struct store_access *access, int64_t pid)
{
    return access->lifted_count && has_pid(access->lifted, access->lifted_count, pid);
}

bool access_narrowed(const struct store_access *access, uint16_t resource)
{
    for (size_t i = 0; access && i < access->narrows_count; i++)
        if (access->narrows[i].resource == resource)
            return true;
    return false;
}

bool access_hides(const struct store_access *access)
{
    return access && (!access->any_patient || access->hidden_count || access->dissents_count ||
                      access->narrows_count);
}

void access_see(const struct store_access *access, int64_t pid)
{
    if (!access || !access->seen || !is_patient(pid))
        return;
    struct access_seen *seen = access->seen;
    if (seen->count && seen->pids[seen->count - 1] == pid)
        return;
    seen->more = seen->more || seen->count == ACCESS_SEEN_MAX;
    if (seen->more)
        return;
    seen->pids = arena_grow(seen->arena, seen->pids, seen->count, &seen->cap, sizeof pid);
    seen->pids[seen->count++] = pid;
}

void access_refuse(const struct store_access *access, int64_t pid)
{
    if (!access || !access->seen)
        return;
    access->seen->refused = true;
    access->seen->refused_pid = is_patient(pid) ? pid : 0;
}

void access_miss(const struct store_access *access)
{
    if (access && access->seen)
        access->seen->missed++;
}

static void *copy(struct arena *arena, const void *list, size_t count, size_t bytes)
{
    char *kept = arena_array(arena, count + 1, bytes);
    if (count)
        memcpy(kept, list, count * bytes);
    return kept;
}

struct store_access *access_copy(struct arena *arena, const struct store_access *access)
{
    if (!access)
        return NULL;
    struct store_access *kept = arena_alloc(arena, sizeof *kept);
    *kept = *access;
    kept->lifted_count = kept->narrows_count = 0;
    kept->seen = NULL;
    for (size_t i = 0; i < access->narrows_count; i++) {
        uint16_t resource = access->narrows[i].resource;
        kept->types[resource / 64] &= ~((uint64_t)1 << (resource % 64));
    }
    struct access_label *hidden = copy(arena, access->hidden, access->hidden_count, sizeof *hidden);
    for (size_t i = 0; i < access->hidden_count; i++)
        hidden[i] = (struct access_label){ arena_copy(arena, hidden[i].system),
                                           arena_copy(arena, hidden[i].code), false };
    kept->hidden = hidden;
    kept->pids = copy(arena, access->pids, access->pids_count, sizeof *kept->pids);
    kept->dissents = copy(arena, access->dissents, access->dissents_count, sizeof *kept->dissents);
    return kept;
}
