/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/package.h"
#include "fhir/xml.h"
#include "json/write.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const definition_types[] = {
    "StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap", "SearchParameter",
    "NamingSystem", "OperationDefinition", "CapabilityStatement", "CompartmentDefinition",
    "StructureMap", "GraphDefinition", "MessageDefinition", "ImplementationGuide",
};

static err io_fault(struct ctx *cx, str path)
{
    return ctx_fail(cx, ERR_IO, path, str_of(strerror(errno)));
}

static void close_file(void *file) { fclose(file); }

err package_read_file(struct ctx *cx, struct arena *arena, str path, str *out)
{
    FILE *file = fopen(arena_cstr(cx->arena, path), "rb");
    if (!file)
        return io_fault(cx, path);
    ctx_defer(cx, close_file, file);
    struct stat info;
    if (fstat(fileno(file), &info) != 0)
        return io_fault(cx, path);
    if (info.st_size > PACKAGE_BYTES_MAX)
        return ctx_fail(cx, ERR_LIMIT, path, S("is larger than 512 MiB"));
    char *text = arena_alloc(arena, (size_t)info.st_size + 1);
    size_t got = fread(text, 1, (size_t)info.st_size, file);
    if (ferror(file))
        return io_fault(cx, path);
    *out = (str){ text, got };
    return ERR_OK;
}

/* ---- Reading ---- */

static bool is_definition(struct ctx *cx, struct json resource)
{
    str type = json_string(cx->arena, json_get(resource, S("resourceType")));
    if (!json_is(json_get(resource, S("url")), JSON_STRING))
        return false;
    for (size_t i = 0; i < COUNT(definition_types); i++)
        if (str_eq(type, str_of(definition_types[i])))
            return true;
    return false;
}

static str file_name(str path)
{
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '/')
        at--;
    return str_slice(path, at, path.n);
}

static void read_manifest(struct ctx *cx, struct package *package, struct json manifest)
{
    str name = json_string(cx->arena, json_get(manifest, S("name")));
    str version = json_string(cx->arena, json_get(manifest, S("version")));
    package->name = name.n ? name : package->name;
    package->version = version.n ? version : package->version;
}

err package_take(struct ctx *cx, struct package *package, str name, str text)
{
    bool json = str_ends(name, S(".json")), xml = str_ends(name, S(".xml"));
    str last = file_name(name);
    if ((!json && !xml) || str_starts(last, S(".")))
        return ERR_OK;
    package->bytes += text.n;
    if (++package->files > PACKAGE_FILES_MAX || package->bytes > PACKAGE_BYTES_MAX)
        return ctx_fail(cx, ERR_LIMIT, name, S("a package is 20,000 files and 512 MiB at most"));
    struct json resource;
    size_t before = cx->issues.kept;
    err got = json ? json_parse(cx, text, &resource) : fhir_xml_read(cx, text, &resource);
    for (size_t i = before; i < cx->issues.kept; i++)
        cx->issues.list[i].text = arena_printf(cx->arena, "%.*s: %.*s", STR_ARG(last),
                                               STR_ARG(cx->issues.list[i].text));
    if (got != ERR_OK)
        return ctx_fail(cx, got, name, S("cannot be read; the package is not added"));
    if (str_eq(last, S("package.json")))
        read_manifest(cx, package, resource);
    else if (!is_definition(cx, resource))
        package->left_out++;
    else {
        package->definitions =
            arena_grow(cx->arena, package->definitions, package->definitions_count,
                       &package->definitions_cap, sizeof *package->definitions);
        package->definitions[package->definitions_count++] = resource;
    }
    return ERR_OK;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static void close_dir(void *dir) { closedir(dir); }

/* The names in a folder, sorted, so that the same folder gives the same package. */
static err list_folder(struct ctx *cx, str folder, str **out, size_t *count)
{
    DIR *dir = opendir(arena_cstr(cx->arena, folder));
    if (!dir)
        return io_fault(cx, folder);
    ctx_defer(cx, close_dir, dir);
    str *names = NULL;
    size_t cap = 0;
    *count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        if (*count >= PACKAGE_FILES_MAX)
            return ctx_fail(cx, ERR_LIMIT, folder, S("holds more than 20,000 files"));
        names = arena_grow(cx->arena, names, *count, &cap, sizeof *names);
        names[(*count)++] = arena_copy(cx->arena, str_of(entry->d_name));
    }
    if (*count)
        qsort(names, *count, sizeof *names, by_name);
    *out = names;
    return ERR_OK;
}

static err read_folder(struct ctx *cx, struct package *package, str folder, int deep)
{
    str *names;
    size_t count;
    if (deep > PACKAGE_FOLDERS_DEEP)
        return ctx_fail(cx, ERR_LIMIT, folder, S("folders are nested more than 16 deep"));
    TRY(list_folder(cx, folder, &names, &count));
    for (size_t i = 0; i < count; i++) {
        str path = arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(names[i])), text;
        struct stat info;
        if (stat(arena_cstr(cx->arena, path), &info) != 0)
            return io_fault(cx, path);
        if (S_ISDIR(info.st_mode)) {
            TRY(read_folder(cx, package, path, deep + 1));
        } else if (str_ends(path, S(".json")) || str_ends(path, S(".xml"))) {
            TRY(package_read_file(cx, cx->arena, path, &text));
            TRY(package_take(cx, package, path, text));
        }
    }
    return ERR_OK;
}

/* What a file name may hold: letters, digits, dot, dash and underscore. */
static str tidy(struct arena *arena, str name)
{
    char *out = arena_alloc(arena, name.n + 1);
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i], lower = (char)(c | 0x20);
        bool fine = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                    c == '-' || c == '_';
        out[i] = fine && !(i == 0 && c == '.') ? c : '_';
    }
    return (str){ out, name.n };
}

err package_read(struct ctx *cx, str path, struct package *out)
{
    struct stat info;
    while (path.n > 1 && str_ends(path, S("/")))
        path = str_slice(path, 0, path.n - 1);
    if (stat(arena_cstr(cx->arena, path), &info) != 0)
        return io_fault(cx, path);
    struct package package = { .version = S("0") };
    str name = file_name(path);
    package.name = str_slice(name, 0, str_find(name, S(".tgz")));
    if (S_ISDIR(info.st_mode))
        TRY(read_folder(cx, &package, path, 0));
    else
        TRY(package_untar(cx, &package, path));
    if (package.definitions_count == 0)
        return ctx_fail(cx, ERR_INVALID, path, S("holds no FHIR definition"));
    package.name = tidy(cx->arena, package.name);
    package.version = tidy(cx->arena, package.version);
    *out = package;
    return ERR_OK;
}

/* ---- The data folder ---- */

static str folder_of(struct ctx *cx, str data_dir)
{
    return arena_printf(cx->arena, "%.*s/packages", STR_ARG(data_dir));
}

static str write_text(struct ctx *cx, const struct package *package)
{
    struct buf text = buf_make(cx->arena, (size_t)PACKAGE_BYTES_MAX * 2);
    struct json_writer w = json_writer(&text);
    json_open(&w, '{');
    json_put_str(&w, "package", package->name);
    json_put_str(&w, "version", package->version);
    json_put_u64(&w, "definitions", package->definitions_count);
    json_close(&w, '}');
    buf_char(&text, '\n');
    for (size_t i = 0; i < package->definitions_count; i++) {
        json_minify(&text, package->definitions[i]);
        buf_char(&text, '\n');
    }
    return buf_str(&text);
}

static err write_durably(struct ctx *cx, str path, str text)
{
    int file = open(arena_cstr(cx->arena, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (file < 0)
        return io_fault(cx, path);
    size_t done = 0;
    while (done < text.n) {
        ssize_t got = write(file, text.p + done, text.n - done);
        if (got < 0 && errno != EINTR)
            break;
        done += got > 0 ? (size_t)got : 0;
    }
    bool fine = done == text.n && fsync(file) == 0;
    err fault = fine ? ERR_OK : io_fault(cx, path);
    close(file);
    return fault;
}

err package_stage(struct ctx *cx, str data_dir, const struct package *package, str *out)
{
    str folder = folder_of(cx, data_dir);
    if (mkdir(arena_cstr(cx->arena, folder), 0750) != 0 && errno != EEXIST)
        return io_fault(cx, folder);
    *out = arena_printf(cx->arena, "%.*s/%.*s#%.*s.new", STR_ARG(folder), STR_ARG(package->name),
                        STR_ARG(package->version));
    return write_durably(cx, *out, write_text(cx, package));
}

void package_discard(str staged, struct arena *arena)
{
    unlink(arena_cstr(arena, staged));
}

bool package_same(str a, str b)
{
    a = file_name(a);
    b = file_name(b);
    return str_eq(str_slice(a, 0, str_find_char(a, '#')), str_slice(b, 0, str_find_char(b, '#')));
}

err package_list(struct ctx *cx, str data_dir, str **out, size_t *count)
{
    str folder = folder_of(cx, data_dir);
    struct stat info;
    *out = NULL;
    *count = 0;
    if (stat(arena_cstr(cx->arena, folder), &info) != 0 && errno == ENOENT)
        return ERR_OK;
    str *names;
    size_t all;
    TRY(list_folder(cx, folder, &names, &all));
    for (size_t i = 0; i < all; i++)
        if (str_ends(names[i], S(".ndjson")))
            names[(*count)++] =
                arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(names[i]));
    *out = names;
    return ERR_OK;
}

err package_commit(struct ctx *cx, str data_dir, str staged, str *out)
{
    str *files;
    size_t count;
    str final = arena_printf(cx->arena, "%.*s.ndjson", STR_ARG(str_slice(staged, 0, staged.n - 4)));
    TRY(package_list(cx, data_dir, &files, &count));
    if (rename(arena_cstr(cx->arena, staged), arena_cstr(cx->arena, final)) != 0)
        return io_fault(cx, final);
    for (size_t i = 0; i < count; i++)
        if (package_same(files[i], final) && !str_eq(files[i], final))
            unlink(arena_cstr(cx->arena, files[i])); /* the version before */
    *out = final;
    return ERR_OK;
}
