/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/test.h"
#include "store/commit.h"
#include <dirent.h>
#include <unistd.h>

/*
 * test_record: an empty record in a folder of its own, for the tests of the store and above.
 */
static inline str record_folder(struct ctx *cx)
{
    return test_folder(cx);
}

static inline struct store *record_open(struct ctx *cx, str folder)
{
    struct store_options options = { .folder = folder, .create = true };
    struct store *store = NULL;
    err wrong = store_open(cx, &options, &store);
    cr_assert(wrong == ERR_OK, "store_open: %s: %.*s", err_name(wrong),
              STR_ARG(cx->issues.kept ? cx->issues.list[0].text : S("")));
    return store;
}

static inline void record_remove(struct ctx *cx, str folder)
{
    DIR *dir = opendir(arena_cstr(cx->arena, folder));
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlink(arena_printf(cx->arena, "%.*s/%s", STR_ARG(folder), entry->d_name).p);
    if (dir)
        closedir(dir);
    rmdir(arena_cstr(cx->arena, folder));
}

static inline struct json record_json(struct ctx *cx, const char *text)
{
    struct json json = { 0 };
    cr_assert(json_parse(cx, str_of(text), &json) == ERR_OK, "test JSON: %s", text);
    return json;
}

/* One operation, waited for. */
static inline err record_do(struct ctx *cx, struct store *store, struct commit_op *op)
{
    struct commit commit = { .ops = op, .ops_count = 1 };
    return commit_run(cx, store, &commit);
}

static inline struct commit_op record_op(struct ctx *cx, enum commit_verb verb, const char *type,
                                         const char *id, const char *body)
{
    return (struct commit_op){ .verb = verb, .resource = fhir_resource_find(str_of(type)),
                               .id = id ? str_of(id) : S(""),
                               .body = body ? record_json(cx, body) : (struct json){ 0 } };
}
