/* SPDX-License-Identifier: Apache-2.0 */
#include "db/map.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_OVER = 256 }; /* bytes the engine may look at beyond a damaged page's end */

struct db_map {
    pthread_mutex_t lock;   /* while the first connection maps */
    int64_t most;           /* bytes of address space */
    int file;               /* stays open: closing it would drop the engine's locks on the file */
    const char *base;       /* NULL: not mapped */
    _Atomic int64_t bytes;  /* of the file, when last looked at */
};

struct db_map *db_map_make(int64_t most)
{
    struct db_map *map = calloc(1, sizeof *map);
    if (!map)
        return NULL;
    pthread_mutex_init(&map->lock, NULL);
    map->most = most;
    map->file = -1;
    return map;
}

void db_map_free(struct db_map *map)
{
    if (!map)
        return;
    if (map->base)
        munmap((void *)(uintptr_t)map->base, (size_t)map->most);
    if (map->file >= 0)
        close(map->file);
    pthread_mutex_destroy(&map->lock);
    free(map);
}

static const struct mapped_file *mapped(sqlite3_file *file)
{
    return (const struct mapped_file *)(const void *)file->pMethods;
}

static bool is_within(struct db_map *map, int64_t end)
{
    struct stat info;
    if (end > map->most)
        return false;
    if (end <= atomic_load(&map->bytes))
        return true;
    if (fstat(map->file, &info))
        return false;
    atomic_store(&map->bytes, info.st_size);
    return end <= info.st_size;
}

static int fetch(sqlite3_file *file, sqlite3_int64 at, int bytes, void **out)
{
    struct db_map *map = mapped(file)->map;
    *out = is_within(map, at + bytes + READ_OVER) ? (void *)(uintptr_t)(map->base + at) : NULL;
    return SQLITE_OK;
}

/* Also asked for with no page, after a commit, to take the map down: on Linux a shared map and the
 * file are the same memory, so it may stay. */
static int unfetch(sqlite3_file *file, sqlite3_int64 at, void *page)
{
    (void)file, (void)at, (void)page;
    return SQLITE_OK;
}

static int cut(sqlite3_file *file, sqlite3_int64 bytes)
{
    const struct mapped_file *self = mapped(file);
    atomic_store(&self->map->bytes, 0);
    return self->own->xTruncate(file, bytes);
}

/* The engine's own map is never asked for. */
static int control(sqlite3_file *file, int what, void *argument)
{
    return what == SQLITE_FCNTL_MMAP_SIZE ? SQLITE_OK
                                          : mapped(file)->own->xFileControl(file, what, argument);
}

static bool is_mapped(struct db_map *map, const char *path)
{
    pthread_mutex_lock(&map->lock);
    if (map->file < 0)
        map->file = open(path, O_RDONLY | O_CLOEXEC);
    if (!map->base && map->file >= 0) {
        void *base = mmap(NULL, (size_t)map->most, PROT_READ, MAP_SHARED, map->file, 0);
        map->base = base == MAP_FAILED ? NULL : base;
    }
    bool got = map->base != NULL;
    pthread_mutex_unlock(&map->lock);
    return got;
}

bool map_attach(struct db_map *map, const char *path, sqlite3 *handle, struct mapped_file *out)
{
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK || !file || !file->pMethods || file->pMethods->iVersion < 3 ||
        !is_mapped(map, path))
        return false;
    *out = (struct mapped_file){ .methods = *file->pMethods, .own = file->pMethods, .map = map };
    out->methods.xFetch = fetch;
    out->methods.xUnfetch = unfetch;
    out->methods.xTruncate = cut;
    out->methods.xFileControl = control;
    file->pMethods = &out->methods;
    return true;
}
