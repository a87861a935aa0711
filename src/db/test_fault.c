/* SPDX-License-Identifier: Apache-2.0 */
#include "db/test_fault.h"
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

struct fault_file {
    sqlite3_file base;
    sqlite3_file *real;
};
static sqlite3_vfs *below, layer;
static sqlite3_mem_methods plain_memory;
static _Atomic int64_t calls[FAULT_KINDS];
static _Atomic int64_t fail_at[FAULT_KINDS];
static _Atomic int code_of[FAULT_KINDS], always[FAULT_KINDS], happened;

/* SQLITE_OK, or the code this call must fail with. */
static int verdict(enum fault_kind kind)
{
    int64_t call = atomic_fetch_add(&calls[kind], 1), at = fail_at[kind];
    if (at < 0 || call < at || (call > at && !always[kind]))
        return SQLITE_OK;
    atomic_fetch_add(&happened, 1);
    return code_of[kind];
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct fault_file *)file)->real;
}

static int x_close(sqlite3_file *f)
{
    int code = real_of(f)->pMethods ? real_of(f)->pMethods->xClose(real_of(f)) : SQLITE_OK;
    free(real_of(f));
    return code;
}
static int x_read(sqlite3_file *f, void *to, int bytes, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), to, bytes, at);
}
static int x_write(sqlite3_file *f, const void *from, int bytes, sqlite3_int64 at)
{
    int code = verdict(FAULT_WRITE);
    return code ? code : real_of(f)->pMethods->xWrite(real_of(f), from, bytes, at);
}
static int x_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int code = verdict(FAULT_TRUNCATE);
    return code ? code : real_of(f)->pMethods->xTruncate(real_of(f), size);
}
static int x_sync(sqlite3_file *f, int flags)
{
    int code = verdict(FAULT_SYNC);
    return code ? code : real_of(f)->pMethods->xSync(real_of(f), flags);
}
static int x_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), size);
}
static int x_lock(sqlite3_file *f, int how)
{
    return real_of(f)->pMethods->xLock(real_of(f), how);
}
static int x_unlock(sqlite3_file *f, int how)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), how);
}
static int x_check_lock(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}
static int x_control(sqlite3_file *f, int op, void *argument)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, argument);
}
static int x_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}
static int x_device(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
static int x_shm_map(sqlite3_file *f, int page, int bytes, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, bytes, extend, out);
}
static int x_shm_lock(sqlite3_file *f, int at, int count, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), at, count, flags);
}
static void x_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}
static int x_shm_unmap(sqlite3_file *f, int drop)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), drop);
}

/* Version 2: no memory mapping, so every read and write passes through here. */
static const sqlite3_io_methods methods = {
    2, x_close, x_read, x_write, x_truncate, x_sync, x_size, x_lock, x_unlock, x_check_lock,
    x_control, x_sector, x_device, x_shm_map, x_shm_lock, x_shm_barrier, x_shm_unmap, NULL, NULL,
};

static int x_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    int code = verdict(FAULT_OPEN);
    if (code)
        return code;
    struct fault_file *f = (struct fault_file *)file;
    f->real = calloc(1, (size_t)below->szOsFile);
    if (!f->real)
        return SQLITE_NOMEM;
    code = below->xOpen(below, name, f->real, flags, out);
    if (code)
        free(f->real);
    f->base.pMethods = code ? NULL : &methods;
    return code;
}

static void *m_malloc(int bytes)
{
    return verdict(FAULT_MEMORY) ? NULL : plain_memory.xMalloc(bytes);
}
static void *m_realloc(void *at, int bytes)
{
    return verdict(FAULT_MEMORY) ? NULL : plain_memory.xRealloc(at, bytes);
}

void fault_install(void)
{
    fault_disarm();
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain_memory);
    sqlite3_mem_methods memory = plain_memory;
    memory.xMalloc = m_malloc;
    memory.xRealloc = m_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
    below = sqlite3_vfs_find(NULL);
    layer = *below;
    layer.szOsFile = (int)sizeof(struct fault_file);
    layer.zName = "fault";
    layer.xOpen = x_open;
    sqlite3_vfs_register(&layer, 1);
}

void fault_arm(enum fault_kind kind, int64_t after, int code, int for_ever)
{
    happened = 0;
    code_of[kind] = code;
    always[kind] = for_ever;
    fail_at[kind] = calls[kind] + after;
}

void fault_disarm(void)
{
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        fail_at[kind] = -1;
}

int64_t fault_calls(enum fault_kind kind)
{
    return calls[kind];
}

int fault_happened(void)
{
    return happened;
}
