/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "store/state.h"
#include <zdict.h>
#include <zstd.h>

/*
 * Bodies are a few hundred bytes to a few KB of very similar JSON: without a dictionary zstd finds
 * little to save in one. Each dictionary stays for ever, under its number, beside the bodies that
 * need it. A checksum on each frame tells a damaged body from a good one when it is read.
 */
enum {
    LEVEL = 3,
    DICT_BYTES = 110 * 1024,   /* zstd's own recommendation */
    SAMPLES_MAX = 20000,
    SAMPLES_BYTES = 12 << 20,  /* a hundred times the dictionary */
    SAMPLES_LEAST = 500
};

struct dict {
    ZSTD_CDict *pack;
    ZSTD_DDict *unpack;
};
struct packer {
    struct packer *next;
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
};

static void free_packer(struct packer *packer)
{
    ZSTD_freeCCtx(packer->pack);
    ZSTD_freeDCtx(packer->unpack);
    free(packer);
}

static struct packer *make_packer(void)
{
    struct packer *packer = calloc(1, sizeof *packer);
    if (!packer)
        return NULL;
    packer->pack = ZSTD_createCCtx();
    packer->unpack = ZSTD_createDCtx();
    if (packer->pack && packer->unpack) {
        ZSTD_CCtx_setParameter(packer->pack, ZSTD_c_compressionLevel, LEVEL);
        ZSTD_CCtx_setParameter(packer->pack, ZSTD_c_checksumFlag, 1);
        ZSTD_CCtx_setParameter(packer->pack, ZSTD_c_dictIDFlag, 0);
        return packer;
    }
    free_packer(packer);
    return NULL;
}

static struct packer *take(struct ctx *cx, struct dicts *dicts)
{
    pthread_mutex_lock(&dicts->lock);
    struct packer *packer = dicts->idle;
    if (packer)
        dicts->idle = packer->next;
    pthread_mutex_unlock(&dicts->lock);
    if (!packer)
        packer = make_packer();
    if (!packer)
        (void)ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("out of memory; try again in a moment"));
    return packer;
}

static void give_back(struct dicts *dicts, struct packer *packer)
{
    pthread_mutex_lock(&dicts->lock);
    packer->next = dicts->idle;
    dicts->idle = packer;
    pthread_mutex_unlock(&dicts->lock);
}

static void free_dict(struct dict *dict)
{
    ZSTD_freeCDict(dict->pack);
    ZSTD_freeDDict(dict->unpack);
    free(dict);
}

static err load(struct ctx *cx, struct dicts *dicts, int64_t id, str bytes)
{
    if (id < 1 || id >= DICTS_MAX)
        return ctx_failf(cx, ERR_IO, (str){ 0 },
                         "dictionary %lld is out of range; restore a backup", (long long)id);
    struct dict *dict = calloc(1, sizeof *dict), *expected = NULL;
    if (dict) {
        dict->pack = ZSTD_createCDict(bytes.p, bytes.n, LEVEL);
        dict->unpack = ZSTD_createDDict(bytes.p, bytes.n);
    }
    if (!dict || !dict->pack || !dict->unpack) {
        if (dict)
            free_dict(dict);
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("out of memory for a body dictionary"));
    }
    if (!atomic_compare_exchange_strong(&dicts->list[id], &expected, dict))
        free_dict(dict); /* another reader was first */
    int current = atomic_load(&dicts->current);
    while (current < id && !atomic_compare_exchange_weak(&dicts->current, &current, (int)id))
        ;
    return ERR_OK;
}

static err load_from(struct ctx *cx, struct dicts *dicts, struct db *db, int after)
{
    struct db_stmt *stmt = db_use(cx, db, store_sql, SQL_DICT_GET);
    db_bind_int(stmt, 1, after);
    for (;;) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        err wrong = load(cx, dicts, db_int(stmt, 0), db_blob(stmt, 1));
        if (wrong) {
            db_reset(stmt);
            return wrong;
        }
    }
}

err dict_open(struct ctx *cx, struct dicts *dicts, struct db *db)
{
    pthread_mutex_init(&dicts->lock, NULL);
    return load_from(cx, dicts, db, 0);
}

void dict_close(struct dicts *dicts)
{
    for (size_t i = 0; i < DICTS_MAX; i++) {
        struct dict *dict = atomic_load(&dicts->list[i]);
        if (dict)
            free_dict(dict);
    }
    while (dicts->idle) {
        struct packer *packer = dicts->idle;
        dicts->idle = packer->next;
        free_packer(packer);
    }
    pthread_mutex_destroy(&dicts->lock);
}

err dict_pack(struct ctx *cx, struct dicts *dicts, str text, struct packed *out)
{
    size_t room = ZSTD_compressBound(text.n);
    char *to = arena_alloc(cx->arena, room);
    struct packer *packer = take(cx, dicts);
    if (!packer)
        return ERR_BUSY;
    int id = atomic_load(&dicts->current);
    struct dict *dict = id ? atomic_load(&dicts->list[id]) : NULL;
    ZSTD_CCtx_refCDict(packer->pack, dict ? dict->pack : NULL);
    size_t got = ZSTD_compress2(packer->pack, to, room, text.p, text.n);
    give_back(dicts, packer);
    if (ZSTD_isError(got))
        return ctx_failf(cx, ERR_BUSY, (str){ 0 }, "a body could not be packed: %s",
                         ZSTD_getErrorName(got));
    *out = (struct packed){ dict ? id : 0, { to, got } };
    return ERR_OK;
}

static err damaged(struct ctx *cx, const char *why)
{
    return ctx_failf(cx, ERR_IO, (str){ 0 },
                     "a stored body is damaged (%s); run frontline check and restore a backup",
                     why);
}

err dict_unpack(struct ctx *cx, struct dicts *dicts, struct db *db, struct packed packed,
                str *out)
{
    unsigned long long size = ZSTD_getFrameContentSize(packed.bytes.p, packed.bytes.n);
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
        size > STORE_BODY_MAX)
        return damaged(cx, "no size");
    if (packed.dict < 0 || packed.dict >= DICTS_MAX)
        return damaged(cx, "unknown dictionary");
    if (packed.dict && !atomic_load(&dicts->list[packed.dict])) /* newer than this process */
        TRY(load_from(cx, dicts, db, packed.dict - 1));
    struct dict *dict = packed.dict ? atomic_load(&dicts->list[packed.dict]) : NULL;
    if (packed.dict && !dict)
        return damaged(cx, "its dictionary is missing");
    char *to = arena_alloc(cx->arena, (size_t)size + 1);
    struct packer *packer = take(cx, dicts);
    if (!packer)
        return ERR_BUSY;
    ZSTD_DCtx_refDDict(packer->unpack, dict ? dict->unpack : NULL);
    size_t got = ZSTD_decompressDCtx(packer->unpack, to, (size_t)size, packed.bytes.p,
                                     packed.bytes.n);
    give_back(dicts, packer);
    if (ZSTD_isError(got))
        return damaged(cx, ZSTD_getErrorName(got));
    *out = (str){ to, got };
    return ERR_OK;
}

/* Every body of the first ones, one after the other in *text, with their sizes. */
static err gather(struct ctx *cx, struct store *store, struct db *db, struct buf *text,
                  size_t *sizes, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, db, store_sql, SQL_SAMPLES);
    db_bind_int(stmt, 1, SAMPLES_MAX);
    for (;;) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        struct arena_mark mark = arena_mark(cx->arena);
        struct packed packed = { (int)db_int(stmt, 0), db_blob(stmt, 1) };
        str body;
        err wrong = dict_unpack(cx, &store->dicts, db, packed, &body);
        if (wrong || text->n + body.n > SAMPLES_BYTES || *count == SAMPLES_MAX) {
            db_reset(stmt);
            return wrong;
        }
        buf_add(text, body);
        sizes[(*count)++] = body.n;
        arena_rewind(cx->arena, mark);
    }
}

err dict_train(struct ctx *cx, struct store *store, struct db *db, str *out)
{
    struct buf text = buf_make(cx->arena, SAMPLES_BYTES);
    size_t *sizes = arena_array(cx->arena, SAMPLES_MAX, sizeof *sizes), count = 0;
    (void)buf_room(&text, SAMPLES_BYTES); /* all its room now: below, the arena is rewound */
    TRY(gather(cx, store, db, &text, sizes, &count));
    *out = (str){ 0 };
    if (count < SAMPLES_LEAST)
        return ERR_OK;
    char *bytes = arena_alloc(cx->arena, DICT_BYTES);
    size_t got = ZDICT_trainFromBuffer(bytes, DICT_BYTES, text.p, sizes, (unsigned)count);
    if (!ZDICT_isError(got))
        *out = (str){ bytes, got };
    return ERR_OK;
}

err dict_add(struct ctx *cx, struct dicts *dicts, struct db *db, str bytes)
{
    struct db_stmt *stmt = db_use(cx, db, store_sql, SQL_DICT_PUT);
    db_bind_blob(stmt, 1, bytes);
    bool row;
    TRY(db_step(cx, stmt, &row));
    int64_t id = row ? db_int(stmt, 0) : 0;
    db_reset(stmt);
    return load(cx, dicts, id, bytes);
}
