/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/map.h"
#include "db/db.h"
#include "store/access.h"
#include "store/commit.h"
#include "store/index.h"
#include <pthread.h>
#include <stdatomic.h>

/*
 * state: what the files of the store share behind store.h and commit.h. Private to src/store.
 */
enum {
    STORE_SCHEMA = 1,
    STORE_TYPES_MAX = 192,      /* more than the resource types of R4 */
    READERS_MAX = 64,
    DICTS_MAX = 64,
    CLAIM_KEY_MAX = 500
};
#define STORE_CACHE_BYTES ((int64_t)64 << 20)      /* of the writer's connection */
#define STORE_READ_CACHE_BYTES ((int64_t)4 << 20)  /* of each reader: pages come from the map */
#define STORE_MAP_BYTES ((int64_t)256 << 30)       /* address space, not memory */
#define STORE_BODY_MAX ((size_t)64 << 20)

/* schema.c: every statement of the store but the search index's. */
enum store_sql {
    SQL_META_GET, SQL_META_PUT,
    SQL_IDENT_FIND, SQL_IDENT_BY_RID, SQL_IDENT_MENTION, SQL_IDENT_PUT,
    SQL_READ, SQL_READ_RID, SQL_VREAD, SQL_NEWEST_BODY, SQL_LAST_RID, SQL_LABELLED,
    SQL_VERSION_PUT, SQL_ACT_PUT,
    SQL_CODE_FIND, SQL_CODE_PUT, SQL_CODE_LAST, SQL_UNIT_FIND, SQL_UNIT_PUT,
    SQL_CLAIM_FIND, SQL_CLAIM_PUT, SQL_CLAIM_DROP,
    SQL_TALLY_ALL, SQL_TALLY_PUT, SQL_SEQ_LAST,
    SQL_HISTORY_RID, SQL_HISTORY_TYPE, SQL_HISTORY_ALL, SQL_SEQ_AT, SQL_LOG, SQL_SCAN,
    SQL_COUNT_RID, SQL_COUNT_TYPE, SQL_COUNT_ALL,
    SQL_DICT_GET, SQL_DICT_PUT, SQL_SAMPLES,
    SQL_COUNT
};
extern const struct stmt store_sql[];
extern const char store_schema[];
err schema_open(struct ctx *cx, struct db *db, bool create) MUST_USE; /* checks or makes it */
err meta_get(struct ctx *cx, struct db *db, str name, str *out) MUST_USE; /* not given: absent */
err meta_put(struct ctx *cx, struct db *db, str name, str value) MUST_USE;

/* dict.c: bodies packed and unpacked with the trained dictionaries. */
struct dict;
struct packer;
struct dicts {
    _Atomic(struct dict *) list[DICTS_MAX]; /* by id; 0 is none */
    _Atomic int current;                    /* what new bodies are packed with */
    pthread_mutex_t lock;
    struct packer *idle;
};
struct packed {
    int dict;
    str bytes;
};
err dict_open(struct ctx *cx, struct dicts *dicts, struct db *db) MUST_USE;
void dict_close(struct dicts *dicts);
err dict_pack(struct ctx *cx, struct dicts *dicts, str text, struct packed *out) MUST_USE;
err dict_unpack(struct ctx *cx, struct dicts *dicts, struct db *db, struct packed packed,
                str *out) MUST_USE;
/* Trains one from the first bodies; *out not given when there are too few or they do not help. */
err dict_train(struct ctx *cx, struct store *store, struct db *db, str *out) MUST_USE;
err dict_add(struct ctx *cx, struct dicts *dicts, struct db *db, str bytes) MUST_USE; /* writer */

/* ident.c: (type, id) to rid, and (system, code) to cid, with caches; the writer's alone. */
struct store_tally {
    int64_t next, live, versions;
    bool dirty;
};
struct ident_row {
    int64_t rid, vid, seq, pid;
    bool deleted, labelled; /* deleted: also true of a mere mention (vid 0) */
};
struct intern_cache;
struct interner {
    struct index_interner in; /* self points back here */
    struct db *db;
    struct intern_cache *cache;
    struct map fresh; /* of the commit being applied: rids whose ident rows are still to come */
    struct store_tally tally[STORE_TYPES_MAX + 64]; /* 255 is INDEX_ELSEWHERE */
    int64_t last_cid, last_uid;
};
err ident_find(struct ctx *cx, struct db *db, uint16_t resource, str id,
               struct ident_row *out) MUST_USE; /* rid 0: never mentioned */
err ident_of_rid(struct ctx *cx, struct db *db, int64_t rid, struct ident_row *out,
                 str *id) MUST_USE;
err interner_open(struct ctx *cx, struct interner *interner, struct db *db) MUST_USE;
void interner_close(struct interner *interner);
void interner_fresh(struct interner *interner, struct arena *arena); /* a new commit begins */
void interner_learn(struct interner *interner, uint16_t resource, str id, int64_t rid);
/* After a rollback: what was minted is no more. Reads the numbers again. */
err interner_forget(struct ctx *cx, struct interner *interner) MUST_USE;
err interner_flush(struct ctx *cx, struct interner *interner) MUST_USE; /* tallies that changed */

struct store_body { /* as stored: without versionId and lastUpdated */
    str text;
    size_t hole;        /* where they are put when it is served */
};

/* body.c: the text that is stored. References found in `names` are replaced. */
struct body_names { /* NULL function: nothing is replaced */
    /* What to put instead of this reference; *out not given: leave it. */
    err (*replace)(struct ctx *cx, void *self, str reference, bool versioned, str *out);
    void *self;
};
err body_write(struct ctx *cx, struct json body, str id, const struct body_names *names,
               struct store_body *out) MUST_USE;

struct writer;

/* care.c: checkpoints and the dictionary, on a thread of their own. */
struct care;
err care_start(struct ctx *cx, struct store *store) MUST_USE;
void care_stop(struct store *store); /* ends its thread: it may be waiting for the writer */
void care_free(struct store *store); /* once the writer, which wakes it, has ended */
void care_wake(struct store *store);

enum { STORE_WATCHES_MAX = 16 };
struct store_readers {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    struct db *idle[READERS_MAX];
    int idle_count, open_count, max;
};
struct store_watches {
    pthread_mutex_t lock;
    const struct store_watch *list[STORE_WATCHES_MAX];
    size_t count;
};
struct term;
struct store {
    struct arena arena; /* program lifetime: folder, layout */
    str folder, path;
    bool read_only;
    int64_t cache_bytes;
    struct db_map *map; /* of record.db, for all connections */
    int lock;       /* file descriptor, -1: none */
    struct db *db;  /* the writer's connection; NULL when read-only */
    struct index_layout *layout;
    const struct claim_rule *const *claim_rules;
    const struct commit_part *parts[COMMIT_PARTS_MAX];
    size_t parts_count;
    struct store_readers readers;
    struct store_watches watches;
    struct dicts dicts;
    struct writer *writer;
    struct care *care;
    struct reindex *reindex;
    struct arena own_arena; /* program lifetime, the writer's: own.h */
    struct term *terms, *own_terms; /* what searches ask; what was made at opening */
    _Atomic int64_t seq;
    _Atomic int64_t live[STORE_TYPES_MAX], versions[STORE_TYPES_MAX];
};

/* store.c: a connection for this call when cx has none; give back what was borrowed. */
err store_borrow(struct ctx *cx, struct store *store, bool *borrowed) MUST_USE;
void store_give_back(struct ctx *cx, struct store *store, bool borrowed);
err store_open_db(struct ctx *cx, struct store *store, bool write, struct db **out) MUST_USE;
