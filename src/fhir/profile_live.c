/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "fhir/package.h"
#include "fhir/profile_in.h"
#include <sys/stat.h>

enum { LOOK_EVERY_MS = 1000, LOAD_BYTES_MAX = 1 << 30 };

struct profile_live {
    pthread_mutex_t lock;
    str data_dir;
    const char *folder;         /* data_dir/packages */
    struct profile_set *set;
    int64_t looked_ms;          /* when the folder was looked at last */
    struct timespec changed;    /* the folder's time when the set was loaded */
};

static struct timespec folder_time(const struct profile_live *live)
{
    struct stat info;
    return stat(live->folder, &info) == 0 ? info.st_mtim : (struct timespec){ 0 };
}

err profile_live_open(struct ctx *cx, str data_dir, struct profile_live **out)
{
    struct profile_live *live = arena_zero(cx->arena, sizeof *live);
    live->data_dir = arena_copy(cx->arena, data_dir);
    live->folder = arena_printf(cx->arena, "%.*s/packages%c", STR_ARG(data_dir), 0).p;
    live->changed = folder_time(live);
    live->looked_ms = clock_monotonic_ms();
    pthread_mutex_init(&live->lock, NULL);
    if (profile_set_load(cx, data_dir, &live->set) != ERR_OK)
        TRY(profile_set_load(cx, (str){ 0 }, &live->set));
    *out = live;
    return ERR_OK;
}

void profile_live_close(struct profile_live *live)
{
    if (!live)
        return;
    profile_set_free(live->set);
    pthread_mutex_destroy(&live->lock);
}

/* The caller holds the lock. */
static void retire(struct profile_set *set)
{
    set->retired = true;
    if (set->users == 0)
        profile_set_free(set);
}

/* The lock is held, so nothing here is allocated from a request's arena, which may jump away. */
static void look_again(struct profile_live *live)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - live->looked_ms < LOOK_EVERY_MS)
        return;
    live->looked_ms = now_ms;
    struct timespec changed = folder_time(live);
    if (changed.tv_sec == live->changed.tv_sec && changed.tv_nsec == live->changed.tv_nsec)
        return;
    live->changed = changed;
    struct arena arena = arena_make(LOAD_BYTES_MAX);
    struct ctx inner = ctx_make(&arena); /* why it cannot be loaded was told who added it */
    struct profile_set *set;
    if (profile_set_load(&inner, live->data_dir, &set) == ERR_OK) {
        retire(live->set);
        live->set = set;
    }
    ctx_release(&inner);
    arena_free(&arena);
}

struct hold {
    struct profile_live *live;
    struct profile_set *set;
};

static void let_go(void *thing)
{
    struct hold *hold = thing;
    pthread_mutex_lock(&hold->live->lock);
    if (--hold->set->users == 0 && hold->set->retired)
        profile_set_free(hold->set);
    pthread_mutex_unlock(&hold->live->lock);
}

struct profile_set *profile_live_use(struct ctx *cx, struct profile_live *live)
{
    struct hold *hold = arena_alloc(cx->arena, sizeof *hold);
    pthread_mutex_lock(&live->lock);
    look_again(live);
    *hold = (struct hold){ live, live->set };
    live->set->users++;
    pthread_mutex_unlock(&live->lock);
    ctx_defer(cx, let_go, hold);
    return hold->set;
}
