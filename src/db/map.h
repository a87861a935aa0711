/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/db.h"
#include <sqlite3.h>

/*
 * map: the database file as memory, once for all connections. Private to src/db.
 *
 * Source   sqlite.org/mmap.html, sqlite.org/c3ref/io_methods.html (xFetch). The engine's own map
 *          ends at 2 GB, is one a connection, and is taken down at the first read after a commit.
 * Shapes   a connection's file keeps its methods but four: pages are handed out from the map, and
 *          the file's growth is noticed when a page beyond the known end is asked for. What is in
 *          the write-ahead log never comes from here.
 * Missing  a file that cannot be mapped, or ends beyond the map, is read as if there were none.
 */
struct mapped_file {
    sqlite3_io_methods methods; /* first: the engine's file points here */
    const sqlite3_io_methods *own;
    struct db_map *map;
};
/* Once the file is open, before the engine is told to use a map. False: it is not to be told. */
bool map_attach(struct db_map *map, const char *path, sqlite3 *handle, struct mapped_file *out);
