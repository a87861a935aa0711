/* SPDX-License-Identifier: Apache-2.0 */
#include "term/load.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDERS_DEEP = 8, FILES_MAX = 5000 };
#define FILE_BYTES_MAX ((int64_t)2 << 30)

static const char *const names[TERM_FORMATS] = {
    [TERM_SNOMED] = "snomed", [TERM_DMD] = "dmd", [TERM_ICD10] = "icd10",
    [TERM_OPCS4] = "opcs4", [TERM_LOINC] = "loinc",
};

const char *term_format_name(enum term_format format)
{
    return names[format];
}

struct term_load term_load_make(struct ctx *cx, const char *url, const char *name)
{
    return (struct term_load){ .cx = cx, .url = str_of(url), .name = str_of(name),
                               .by_code = map_make(cx->arena) };
}

uint32_t term_load_find(const struct term_load *load, str code)
{
    uint64_t n;
    return map_get(&load->by_code, code, &n) ? (uint32_t)n : TERM_NONE;
}

uint32_t term_load_concept(struct term_load *load, str code)
{
    uint64_t n = load->count;
    if (!map_add(&load->by_code, code, n, &n))
        return (uint32_t)n;
    load->concepts = arena_grow(load->cx->arena, load->concepts, load->count, &load->cap,
                                sizeof *load->concepts);
    load->concepts[load->count++] = (struct term_concept){ .code = code };
    return (uint32_t)n;
}

void term_load_edge(struct term_load *load, uint32_t child, uint32_t parent)
{
    if (child == TERM_NONE || parent == TERM_NONE) {
        load->left_out++;
        return;
    }
    load->edges = arena_grow(load->cx->arena, load->edges, load->edges_count, &load->edges_cap,
                             sizeof *load->edges);
    load->edges[load->edges_count++] = (struct term_edge){ child, parent };
}

void term_load_attribute(struct term_load *load, struct term_attribute attribute)
{
    if (attribute.source == TERM_NONE || attribute.type == TERM_NONE ||
        attribute.target == TERM_NONE) {
        load->left_out++;
        return;
    }
    load->attributes = arena_grow(load->cx->arena, load->attributes, load->attributes_count,
                                  &load->attributes_cap, sizeof *load->attributes);
    load->attributes[load->attributes_count++] = attribute;
}

void term_load_name(struct term_load *load, uint32_t concept, enum term_use_kind use, str language,
                    str value)
{
    if (concept == TERM_NONE || !value.n)
        return;
    load->names = arena_grow(load->cx->arena, load->names, load->names_count, &load->names_cap,
                             sizeof *load->names);
    load->names[load->names_count++] = (struct term_load_name){ concept, use, language, value };
}

/* ---- files ---- */

struct found {
    struct ctx *cx;
    const char *part, *end;
    str *files;
    size_t count, cap;
};

static str base_name(str path)
{
    size_t from = path.n;
    while (from > 0 && path.p[from - 1] != '/')
        from--;
    return str_slice(path, from, path.n);
}

static void look_at(struct found *found, str path, int depth)
{
    const char *name = arena_cstr(found->cx->arena, path);
    struct stat info;
    if (depth > FOLDERS_DEEP || stat(name, &info) != 0 || found->count == FILES_MAX)
        return;
    if (!S_ISDIR(info.st_mode)) {
        str file = base_name(path);
        if (depth && (str_find(file, str_of(found->part)) == STR_NONE ||
                      !str_ends(file, str_of(found->end))))
            return;
        found->files = arena_grow(found->cx->arena, found->files, found->count, &found->cap,
                                  sizeof *found->files);
        found->files[found->count++] = path;
        return;
    }
    DIR *folder = opendir(name);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            look_at(found, arena_printf(found->cx->arena, "%s/%s", name, entry->d_name), depth + 1);
    if (folder)
        closedir(folder);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

err term_load_files(struct ctx *cx, str path, const char *part, const char *end, str **out,
                    size_t *count)
{
    struct found found = { .cx = cx, .part = part, .end = end };
    look_at(&found, path, 0);
    if (!found.count)
        return ctx_failf(cx, ERR_NOT_FOUND, path, "there is no file *%s*%s here", part, end);
    qsort(found.files, found.count, sizeof *found.files, by_name);
    *out = found.files;
    *count = found.count;
    return ERR_OK;
}

static bool read_all(int file, char *text, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        ssize_t n = read(file, text + at, bytes - at);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

err term_load_text(struct ctx *cx, str file, str *out)
{
    struct stat info;
    int descriptor = open(arena_cstr(cx->arena, file), O_RDONLY | O_CLOEXEC);
    bool fine = descriptor >= 0 && fstat(descriptor, &info) == 0 && info.st_size < FILE_BYTES_MAX;
    char *text = fine ? arena_alloc(cx->arena, (size_t)info.st_size + 1) : NULL;
    fine = fine && read_all(descriptor, text, (size_t)info.st_size);
    if (descriptor >= 0)
        close(descriptor);
    if (!fine)
        return ctx_failf(cx, ERR_IO, file, "cannot be read: %s", strerror(errno));
    *out = (str){ text, (size_t)info.st_size };
    return ERR_OK;
}

err term_load_read(struct ctx *cx, enum term_format format, str path, struct term_load *out)
{
    if (format == TERM_SNOMED)
        return term_load_snomed(cx, path, out);
    return format == TERM_DMD ? term_load_dmd(cx, path, out)
                              : term_load_table(cx, format, path, out);
}
