/* SPDX-License-Identifier: Apache-2.0 */
#include "store/access.h"
#include "store/store.h"

static bool is_patient(int64_t rid)
{
    return str_eq(fhir_resource_name(store_rid_resource(rid)), S("Patient"));
}

bool access_patient(const struct store_access *access, int64_t rid, int64_t pid)
{
    if (!access || access->any_patient || (pid == rid && !is_patient(rid)))
        return true;
    size_t low = 0, high = access->pids_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (access->pids[middle] < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < access->pids_count && access->pids[low] == pid;
}
