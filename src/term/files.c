/* SPDX-License-Identifier: Apache-2.0 */
#include "db/db.h"
#include "term/load.h"
#include "term/words.h"
#include <pthread.h>
#include <unistd.h>

enum { SYSTEMS_MAX = 32 };
#define SYSTEM_BYTES_MAX ((size_t)4 << 30)

enum files_statement {
    FILES_FIND, FILES_DROP_SYSTEM, FILES_DROP_CONCEPTS, FILES_DROP_EDGES, FILES_DROP_ATTRIBUTES,
    FILES_DROP_NAMES, FILES_ADD_SYSTEM, FILES_ADD_CONCEPT, FILES_ADD_EDGE, FILES_ADD_ATTRIBUTE,
    FILES_ADD_NAME, FILES_LIST, FILES_CONCEPTS, FILES_EDGES, FILES_ATTRIBUTES, FILES_NAMES,
    FILES_COUNTS
};

/* SNOMED CT's own kinds of description; the rest are LOINC's and dm+d's, which have no codes. */
#define TEXT(literal) { (literal), sizeof(literal) - 1 }
static const struct term_use uses[TERM_USES] = {
    [TERM_USE_SYNONYM] = { TEXT("http://snomed.info/sct"), TEXT("900000000000013009"),
                           TEXT("Synonym") },
    [TERM_USE_FULL_NAME] = { TEXT("http://snomed.info/sct"), TEXT("900000000000003001"),
                             TEXT("Fully specified name") },
    [TERM_USE_SHORT_NAME] = { .display = TEXT("Short name") },
    [TERM_USE_FORMER] = { .display = TEXT("Former name") },
    [TERM_USE_CONSUMER] = { .display = TEXT("Consumer name") },
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS system(sid INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE,"
    " version TEXT NOT NULL, name TEXT NOT NULL, concepts INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS concept(sid INTEGER, n INTEGER, code TEXT NOT NULL,"
    " display TEXT NOT NULL, inactive INTEGER NOT NULL, PRIMARY KEY(sid, n)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS edge(sid INTEGER, child INTEGER, parent INTEGER,"
    " PRIMARY KEY(sid, child, parent)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS attribute(sid INTEGER, source INTEGER, type INTEGER,"
    " target INTEGER, PRIMARY KEY(sid, source, type, target)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS name(sid INTEGER, n INTEGER, place INTEGER, use INTEGER NOT NULL,"
    " language TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(sid, n, place)) WITHOUT ROWID;";

static const struct stmt files_sql[] = {
    [FILES_FIND] = { "a loaded code system", "SELECT sid, version, name, concepts FROM system"
        " WHERE url = ?1", "SEARCH system USING INDEX" },
    [FILES_DROP_SYSTEM] = { "forget a code system", "DELETE FROM system WHERE sid = ?1", NULL },
    [FILES_DROP_CONCEPTS] = { "forget its concepts", "DELETE FROM concept WHERE sid = ?1", NULL },
    [FILES_DROP_EDGES] = { "forget its edges", "DELETE FROM edge WHERE sid = ?1", NULL },
    [FILES_DROP_ATTRIBUTES] = { "forget its attributes", "DELETE FROM attribute WHERE sid = ?1",
        NULL },
    [FILES_DROP_NAMES] = { "forget its names", "DELETE FROM name WHERE sid = ?1", NULL },
    [FILES_ADD_SYSTEM] = { "keep a code system", "INSERT INTO system(sid, url, version, name,"
        " concepts) VALUES((SELECT coalesce(max(sid), 0) + 1 FROM system), ?1, ?2, ?3, ?4)", NULL },
    [FILES_ADD_CONCEPT] = { "keep a concept", "INSERT INTO concept VALUES(?1, ?2, ?3, ?4, ?5)",
        NULL },
    [FILES_ADD_EDGE] = { "keep an edge", "INSERT OR IGNORE INTO edge VALUES(?1, ?2, ?3)", NULL },
    [FILES_ADD_ATTRIBUTE] = { "keep an attribute",
        "INSERT OR IGNORE INTO attribute VALUES(?1, ?2, ?3, ?4)", NULL },
    [FILES_ADD_NAME] = { "keep a name", "INSERT INTO name VALUES(?1, ?2, ?3, ?4, ?5, ?6)", NULL },
    [FILES_LIST] = { "loaded code systems",
        "SELECT url, version, name, concepts FROM system ORDER BY url", "SCAN system" },
    [FILES_CONCEPTS] = { "its concepts",
        "SELECT code, display, inactive FROM concept WHERE sid = ?1 ORDER BY n",
        "SEARCH concept USING PRIMARY KEY" },
    [FILES_EDGES] = { "its edges", "SELECT child, parent FROM edge WHERE sid = ?1",
        "SEARCH edge USING PRIMARY KEY" },
    [FILES_ATTRIBUTES] = { "its attributes", "SELECT source, type, target FROM attribute"
        " WHERE sid = ?1 ORDER BY source", "SEARCH attribute USING PRIMARY KEY" },
    [FILES_NAMES] = { "its names", "SELECT n, use, language, value FROM name WHERE sid = ?1"
        " ORDER BY n, place", "SEARCH name USING PRIMARY KEY" },
    [FILES_COUNTS] = { "how many edges, attributes and names",
        "SELECT (SELECT count(*) FROM edge WHERE sid = ?1),"
        " (SELECT count(*) FROM attribute WHERE sid = ?1),"
        " (SELECT count(*) FROM name WHERE sid = ?1)", "SEARCH edge USING PRIMARY KEY" },
    { 0 },
};

struct term_files {
    pthread_mutex_t lock; /* over what follows */
    str path;
    struct db *db;        /* NULL while nothing was ever loaded */
    struct arena arena;
    struct term_system *systems[SYSTEMS_MAX];
    size_t systems_count;
};

/* ---- writing ---- */

static err find_sid(struct ctx *cx, struct db *db, str url, int64_t *sid)
{
    struct db_stmt *stmt = db_use(cx, db, files_sql, FILES_FIND);
    bool row;
    db_bind_text(stmt, 1, url);
    TRY(db_step(cx, stmt, &row));
    *sid = row ? db_int(stmt, 0) : 0;
    db_reset(stmt);
    return ERR_OK;
}

static err drop(struct ctx *cx, struct db *db, int64_t sid)
{
    for (size_t i = FILES_DROP_SYSTEM; sid && i <= FILES_DROP_NAMES; i++) {
        struct db_stmt *stmt = db_use(cx, db, files_sql, i);
        db_bind_int(stmt, 1, sid);
        TRY(db_run(cx, stmt));
    }
    return ERR_OK;
}

static err save_concepts(struct ctx *cx, struct db *db, int64_t sid, const struct term_load *load)
{
    for (size_t n = 0; n < load->count; n++) {
        const struct term_concept *concept = &load->concepts[n];
        struct db_stmt *stmt = db_use(cx, db, files_sql, FILES_ADD_CONCEPT);
        db_bind_int(stmt, 1, sid);
        db_bind_int(stmt, 2, (int64_t)n);
        db_bind_text(stmt, 3, concept->code);
        db_bind_text(stmt, 4, str_given(concept->display) ? concept->display : S(""));
        db_bind_int(stmt, 5, concept->inactive);
        TRY(db_run(cx, stmt));
    }
    return ERR_OK;
}

static err save_links(struct ctx *cx, struct db *db, int64_t sid, const struct term_load *load)
{
    for (size_t i = 0; i < load->edges_count; i++) {
        struct db_stmt *stmt = db_use(cx, db, files_sql, FILES_ADD_EDGE);
        db_bind_int(stmt, 1, sid);
        db_bind_int(stmt, 2, load->edges[i].child);
        db_bind_int(stmt, 3, load->edges[i].parent);
        TRY(db_run(cx, stmt));
    }
    for (size_t i = 0; i < load->attributes_count; i++) {
        const struct term_attribute *a = &load->attributes[i];
        struct db_stmt *stmt = db_use(cx, db, files_sql, FILES_ADD_ATTRIBUTE);
        db_bind_int(stmt, 1, sid);
        db_bind_int(stmt, 2, a->source);
        db_bind_int(stmt, 3, a->type);
        db_bind_int(stmt, 4, a->target);
        TRY(db_run(cx, stmt));
    }
    return ERR_OK;
}

static err save_names(struct ctx *cx, struct db *db, int64_t sid, const struct term_load *load)
{
    for (size_t i = 0; i < load->names_count; i++) {
        const struct term_load_name *name = &load->names[i];
        if (str_eq(name->value, load->concepts[name->concept].display))
            continue;
        struct db_stmt *stmt = db_use(cx, db, files_sql, FILES_ADD_NAME);
        db_bind_int(stmt, 1, sid);
        db_bind_int(stmt, 2, name->concept);
        db_bind_int(stmt, 3, (int64_t)i);
        db_bind_int(stmt, 4, name->use);
        db_bind_text(stmt, 5, str_given(name->language) ? name->language : S(""));
        db_bind_text(stmt, 6, name->value);
        TRY(db_run(cx, stmt));
    }
    return ERR_OK;
}

static err save(struct ctx *cx, struct db *db, const struct term_load *load)
{
    int64_t sid;
    TRY(find_sid(cx, db, load->url, &sid));
    TRY(drop(cx, db, sid));
    struct db_stmt *stmt = db_use(cx, db, files_sql, FILES_ADD_SYSTEM);
    db_bind_text(stmt, 1, load->url);
    db_bind_text(stmt, 2, str_given(load->version) ? load->version : S(""));
    db_bind_text(stmt, 3, load->name);
    db_bind_int(stmt, 4, (int64_t)load->count);
    TRY(db_run(cx, stmt));
    TRY(find_sid(cx, db, load->url, &sid));
    TRY(save_concepts(cx, db, sid, load));
    TRY(save_names(cx, db, sid, load));
    return save_links(cx, db, sid, load);
}

static str path_of(struct arena *arena, str folder)
{
    return arena_printf(arena, "%.*s/terms.db", STR_ARG(folder));
}

err term_load_save(struct ctx *cx, str folder, const struct term_load *load)
{
    struct db *db;
    struct db_options options = { .path = path_of(cx->arena, folder), .create = true };
    TRY(db_open(cx, &options, &db));
    err wrong = db_exec(cx, db, schema);
    if (!wrong)
        wrong = db_begin(cx, db, true);
    if (!wrong)
        wrong = save(cx, db, load);
    if (wrong)
        db_rollback(db);
    else
        wrong = db_commit(cx, db);
    db_close(db);
    return wrong;
}

/* ---- reading ---- */

err term_files_open(struct ctx *cx, str folder, struct term_files **out)
{
    struct term_files *files = arena_zero(cx->arena, sizeof *files);
    files->path = path_of(cx->arena, folder);
    files->arena = arena_make(SYSTEM_BYTES_MAX);
    pthread_mutex_init(&files->lock, NULL);
    *out = files;
    return ERR_OK;
}

void term_files_close(struct term_files *files)
{
    if (!files)
        return;
    if (files->db)
        db_close(files->db);
    arena_free(&files->arena);
}

/* The database may be made while the server runs: it is looked for until it is there. One that was
 * made before a table of the schema existed gets it, empty. */
static bool have_db(struct ctx *cx, struct term_files *files)
{
    struct db_options options = { .path = files->path };
    if (files->db || access(arena_cstr(cx->arena, files->path), R_OK) != 0)
        return files->db != NULL;
    if (db_open(cx, &options, &files->db) != ERR_OK) {
        files->db = NULL;
    } else if (db_exec(cx, files->db, schema) != ERR_OK) {
        db_close(files->db);
        files->db = NULL;
    }
    return files->db != NULL;
}

static err read_concepts(struct ctx *cx, struct term_files *files, int64_t sid,
                         struct term_system *system)
{
    struct db_stmt *stmt = db_use(cx, files->db, files_sql, FILES_CONCEPTS);
    db_bind_int(stmt, 1, sid);
    for (bool row;; system->count++) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        struct term_concept *concept = &system->concepts[system->count];
        concept->code = arena_copy(&files->arena, db_text(stmt, 0));
        concept->display = arena_copy(&files->arena, db_text(stmt, 1));
        concept->inactive = db_int(stmt, 2) != 0;
    }
}

static err read_edges(struct ctx *cx, struct term_files *files, int64_t sid,
                      struct term_edge *edges, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, files->db, files_sql, FILES_EDGES);
    db_bind_int(stmt, 1, sid);
    for (bool row;; (*count)++) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        edges[*count] = (struct term_edge){ (uint32_t)db_int(stmt, 0), (uint32_t)db_int(stmt, 1) };
    }
}

static err read_attributes(struct ctx *cx, struct term_files *files, int64_t sid,
                           struct term_system *system)
{
    struct db_stmt *stmt = db_use(cx, files->db, files_sql, FILES_ATTRIBUTES);
    db_bind_int(stmt, 1, sid);
    for (bool row;; system->attributes_count++) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        system->attributes[system->attributes_count] = (struct term_attribute){
            (uint32_t)db_int(stmt, 0), (uint32_t)db_int(stmt, 1), (uint32_t)db_int(stmt, 2) };
    }
}

/* Languages are few, and the same text for long runs of names. */
static str language_of(struct term_files *files, str language, str last)
{
    return str_eq(language, last) ? last : arena_copy(&files->arena, language);
}

static err read_names(struct ctx *cx, struct term_files *files, int64_t sid,
                      struct term_system *system)
{
    struct db_stmt *stmt = db_use(cx, files->db, files_sql, FILES_NAMES);
    str language = S("");
    db_bind_int(stmt, 1, sid);
    for (bool row;; system->designations_count++) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        struct term_concept *concept = &system->concepts[db_int(stmt, 0)];
        int64_t use = db_int(stmt, 1);
        language = language_of(files, db_text(stmt, 2), language);
        if (!concept->designations_count++)
            concept->designations = (uint32_t)system->designations_count;
        system->designations[system->designations_count] = (struct term_designation){
            language, arena_copy(&files->arena, db_text(stmt, 3)),
            use >= 0 && use < TERM_USES ? &uses[use] : NULL };
    }
}

struct counts {
    size_t edges, attributes, names;
};

static err read_counts(struct ctx *cx, struct term_files *files, int64_t sid, struct counts *out)
{
    struct db_stmt *stmt = db_use(cx, files->db, files_sql, FILES_COUNTS);
    bool row;
    db_bind_int(stmt, 1, sid);
    TRY(db_step(cx, stmt, &row));
    *out = (struct counts){ (size_t)db_int(stmt, 0), (size_t)db_int(stmt, 1),
                            (size_t)db_int(stmt, 2) };
    db_reset(stmt);
    return ERR_OK;
}

static err build(struct ctx *cx, struct term_files *files, int64_t sid, size_t concepts,
                 struct term_system *system)
{
    size_t read = 0;
    struct counts counts;
    struct arena *arena = &files->arena;
    TRY(read_counts(cx, files, sid, &counts));
    system->case_sensitive = system->complete = true;
    system->concepts = arena_array(arena, concepts + 1, sizeof *system->concepts);
    system->attributes = arena_array(arena, counts.attributes + 1, sizeof *system->attributes);
    system->designations = arena_array(arena, counts.names + 1, sizeof *system->designations);
    struct term_edge *edges = arena_array(arena, counts.edges + 1, sizeof *edges);
    TRY(read_concepts(cx, files, sid, system));
    TRY(read_names(cx, files, sid, system));
    TRY(read_edges(cx, files, sid, edges, &read));
    TRY(read_attributes(cx, files, sid, system));
    term_system_index(arena, system);
    term_system_link(arena, system, edges, read);
    term_words_make(arena, system);
    return ERR_OK;
}

/* The release now in the database, from memory when it is the one read before. */
static err find_system(struct ctx *cx, struct term_files *files, str url,
                       const struct term_system **out)
{
    struct db_stmt *stmt = db_use(cx, files->db, files_sql, FILES_FIND);
    bool row;
    db_bind_text(stmt, 1, url);
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return ERR_OK;
    int64_t sid = db_int(stmt, 0), concepts = db_int(stmt, 3);
    str version = arena_copy(cx->arena, db_text(stmt, 1));
    str name = arena_copy(cx->arena, db_text(stmt, 2));
    db_reset(stmt);
    for (size_t i = 0; i < files->systems_count; i++)
        if (str_eq(files->systems[i]->url, url) && str_eq(files->systems[i]->version, version)) {
            *out = files->systems[i];
            return ERR_OK;
        }
    if (files->systems_count == SYSTEMS_MAX)
        return ERR_OK;
    struct term_system *system = arena_zero(&files->arena, sizeof *system);
    system->url = arena_copy(&files->arena, url);
    system->version = arena_copy(&files->arena, version);
    system->name = arena_copy(&files->arena, name);
    TRY(build(cx, files, sid, (size_t)concepts, system));
    files->systems[files->systems_count++] = system;
    *out = system;
    return ERR_OK;
}

const struct term_system *term_files_system(struct ctx *cx, struct term_files *files, str url,
                                            str version)
{
    const struct term_system *found = NULL;
    pthread_mutex_lock(&files->lock);
    if (have_db(cx, files) && find_system(cx, files, url, &found) != ERR_OK)
        found = NULL;
    pthread_mutex_unlock(&files->lock);
    return found && (!version.n || str_eq(found->version, version)) ? found : NULL;
}

static err list(struct ctx *cx, struct term_files *files, struct term_release **out, size_t *count)
{
    size_t cap = 0;
    *out = NULL;
    *count = 0;
    if (!have_db(cx, files))
        return ERR_OK;
    struct db_stmt *stmt = db_use(cx, files->db, files_sql, FILES_LIST);
    for (bool row;; (*count)++) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        *out = arena_grow(cx->arena, *out, *count, &cap, sizeof **out);
        (*out)[*count] = (struct term_release){
            .url = arena_copy(cx->arena, db_text(stmt, 0)),
            .version = arena_copy(cx->arena, db_text(stmt, 1)),
            .name = arena_copy(cx->arena, db_text(stmt, 2)),
            .concepts = db_int(stmt, 3),
        };
    }
}

err term_files_list(struct ctx *cx, struct term_files *files, struct term_release **out,
                    size_t *count)
{
    pthread_mutex_lock(&files->lock);
    err wrong = list(cx, files, out, count);
    pthread_mutex_unlock(&files->lock);
    return wrong;
}
