/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <microhttpd.h>
#include <sqlite3.h>
#include <stdint.h>
#include <unistd.h>

/*
 * floors: what this machine can do with none of our code in the way, to hold our figures against.
 *
 *   bench_floors disk FOLDER     fdatasync/s after appending 4 KiB, and memcpy
 *   bench_floors sqlite FOLDER   durable inserts/s of a 1 KiB body with 15 index rows, by group
 *   bench_floors http PORT       serves "ok" by libmicrohttpd on two threads until input ends
 */
enum { DISK_ROUNDS = 2000, COPY_BYTES = 256 << 20, INDEX_ROWS = 15 };

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    fprintf(stderr, "floors: %s\n", what);
    exit(1);
}

static void measure_copy(void)
{
    char *from = malloc(COPY_BYTES), *to = malloc(COPY_BYTES);
    if (!from || !to)
        fail("memory");
    memset(from, 1, COPY_BYTES);
    memset(to, 2, COPY_BYTES);
    double began = now_s();
    for (int i = 0; i < 8; i++) {
        memcpy(to, from, COPY_BYTES);
        __asm__ volatile("" : : "r"(to) : "memory"); /* or the copies are left out */
    }
    printf(",\"memcpy_gb_s\":%.2f", 8.0 * COPY_BYTES / 1e9 / (now_s() - began));
    free(from);
    free(to);
}

static int measure_disk(const char *folder)
{
    char path[4096], block[4096];
    snprintf(path, sizeof path, "%s/floor", folder);
    memset(block, 7, sizeof block);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (fd < 0)
        fail(path);
    double began = now_s();
    for (int i = 0; i < DISK_ROUNDS; i++)
        if (write(fd, block, sizeof block) != sizeof block || fdatasync(fd) != 0)
            fail("write");
    printf("{\"fdatasync_s\":%.0f", DISK_ROUNDS / (now_s() - began));
    close(fd);
    unlink(path);
    measure_copy();
    printf("}\n");
    return 0;
}

static void sql(sqlite3 *db, const char *text)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail(sqlite3_errmsg(db));
}

static void insert_one(sqlite3_stmt *body, sqlite3_stmt *row, int64_t id, const char *text)
{
    sqlite3_bind_int64(body, 1, id);
    sqlite3_bind_blob(body, 2, text, 1024, SQLITE_STATIC);
    sqlite3_step(body);
    sqlite3_reset(body);
    for (int i = 0; i < INDEX_ROWS; i++) {
        /* Values as scattered as codes and dates are. */
        sqlite3_bind_int(row, 1, i);
        sqlite3_bind_int64(row, 2, (int64_t)((uint64_t)(id * 31 + i) * 0x9E3779B97F4A7C15u >> 40));
        sqlite3_bind_int64(row, 3, id);
        sqlite3_step(row);
        sqlite3_reset(row);
    }
}

static double insert_rate(sqlite3 *db, int group, int count, int64_t *id)
{
    char text[1024];
    memset(text, 'x', sizeof text);
    sqlite3_stmt *body, *row;
    sqlite3_prepare_v2(db, "INSERT INTO body VALUES (?1, ?2)", -1, &body, NULL);
    sqlite3_prepare_v2(db, "INSERT OR IGNORE INTO idx VALUES (?1, ?2, ?3)", -1, &row, NULL);
    double began = now_s();
    for (int i = 0; i < count; i += group) {
        sql(db, "BEGIN IMMEDIATE");
        for (int k = 0; k < group; k++)
            insert_one(body, row, (*id)++, text);
        sql(db, "COMMIT");
    }
    double rate = count / (now_s() - began);
    sqlite3_finalize(body);
    sqlite3_finalize(row);
    return rate;
}

static int measure_sqlite(const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/floor.db", folder);
    unlink(path);
    sqlite3 *db;
    if (sqlite3_open(path, &db) != SQLITE_OK)
        fail(path);
    sql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-262144;"
            "CREATE TABLE body (id INTEGER PRIMARY KEY, text BLOB);"
            "CREATE TABLE idx (p INT, v INT, id INT, PRIMARY KEY (p, v, id)) WITHOUT ROWID");
    int64_t id = 1;
    insert_rate(db, 1000, 20000, &id); /* not an empty table */
    double one = insert_rate(db, 1, 3000, &id), ten = insert_rate(db, 10, 10000, &id);
    printf("{\"insert_1_s\":%.0f,\"insert_10_s\":%.0f,\"insert_100_s\":%.0f}\n", one, ten,
           insert_rate(db, 100, 20000, &id));
    sqlite3_close(db);
    unlink(path);
    return 0;
}

static enum MHD_Result answer(void *self, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *body_bytes, void **state)
{
    (void)self, (void)url, (void)method, (void)version, (void)body, (void)body_bytes, (void)state;
    static char ok[] = "ok";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(2, ok, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return queued;
}

static int serve_http(const char *port)
{
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, (uint16_t)strtol(port, NULL, 10), NULL,
        NULL, answer, NULL, MHD_OPTION_THREAD_POOL_SIZE, 2u, MHD_OPTION_END);
    if (!daemon)
        fail("the port is not free");
    while (getchar() != EOF)
        ;
    MHD_stop_daemon(daemon);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "disk") == 0)
        return measure_disk(argv[2]);
    if (argc == 3 && strcmp(argv[1], "sqlite") == 0)
        return measure_sqlite(argv[2]);
    if (argc == 3 && strcmp(argv[1], "http") == 0)
        return serve_http(argv[2]);
    fprintf(stderr, "bench_floors disk FOLDER | sqlite FOLDER | http PORT\n");
    return 2;
}
