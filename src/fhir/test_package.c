/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE package
#include "base/test.h"
#include "base/buf.h"
#include "fhir/package.h"
#include <zlib.h>

enum { BLOCK = 512 };

/* One entry of a tar: header and content, padded. `prefix` is ustar's; NULL: an old tar. */
static void add_entry(struct buf *tar, const char *prefix, const char *name, char type, str content)
{
    char header[BLOCK] = { 0 };
    unsigned sum = 0;
    memcpy(header, name, strnlen(name, 100));
    snprintf(header + 124, 12, "%011zo", content.n);
    memset(header + 148, ' ', 8);
    header[156] = type;
    if (prefix) {
        memcpy(header + 257, "ustar\0" "00", 8);
        memcpy(header + 345, prefix, strlen(prefix));
    }
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    buf_add(tar, (str){ header, BLOCK });
    buf_add(tar, content);
    while (tar->n % BLOCK)
        buf_char(tar, 0);
}

static str write_gz(struct ctx *cx, str text)
{
    str path = arena_printf(cx->arena, "%s/package.tgz", test_folder(cx).p);
    gzFile gz = gzopen(path.p, "wb");
    cr_assert(text.n == 0 || gzwrite(gz, text.p, (unsigned)text.n) == (int)text.n);
    gzclose(gz);
    return path;
}

#define VALUE_SET "{\"resourceType\":\"ValueSet\",\"url\":\"http://x/vs\",\"status\":\"active\"}"

static str make_package(struct ctx *cx)
{
    struct buf tar = buf_make(cx->arena, 1 << 20);
    add_entry(&tar, "", "package/package.json", '0',
              S("{\"name\":\"x.y\",\"version\":\"1.2.3\"}"));
    add_entry(&tar, "", "package/.index.json", '0', S("{}"));
    add_entry(&tar, "package/deep", "a.json", '0', S(VALUE_SET));
    add_entry(&tar, "", "package/example/", '5', S(""));
    add_entry(&tar, "", "package/example/p.json", '0', S("{\"resourceType\":\"Patient\"}"));
    add_entry(&tar, "", "x", 'x', S("30 path=package/very/long.json\n"));
    add_entry(&tar, "", "cut", '0', S(VALUE_SET));
    add_entry(&tar, NULL, "././@LongLink", 'L', S("package/longer.json\0"));
    add_entry(&tar, NULL, "cut", 0, S(VALUE_SET));
    add_entry(&tar, "", "package/notes.txt", '0', S("not JSON"));
    for (int i = 0; i < 2 * BLOCK; i++)
        buf_char(&tar, 0);
    return buf_str(&tar);
}

TEST(a_tgz_is_read_with_all_forms_of_names)
{
    struct package package;
    str path = write_gz(cx, make_package(cx));
    EXPECT_INT("read", package_read(cx, path, &package), ERR_OK);
    EXPECT_STR("name", package.name, S("x.y"));
    EXPECT_STR("version", package.version, S("1.2.3"));
    EXPECT_INT("definitions", package.definitions_count, 3);
    EXPECT_INT("left out", package.left_out, 1);
}

TEST(a_damaged_tgz_is_refused)
{
    str whole = make_package(cx), packed = write_gz(cx, whole), text;
    EXPECT_INT("packed", package_read_file(cx, cx->arena, packed, &text), ERR_OK);
    size_t refused = 0, tried = 0;
    for (size_t cut = 0; cut < whole.n; cut += 256, tried++) {
        struct package package;
        str path = write_gz(cx, str_slice(whole, 0, cut));
        refused += package_read(cx, path, &package) != ERR_OK;
            ctx_release(cx);
    }
    EXPECT("cut within an entry, or before the first definition", refused > tried / 3);
    struct package package;
    char *changed = (char *)arena_copy(cx->arena, whole).p;
    changed[3]++;
    str path = write_gz(cx, (str){ changed, whole.n });
    EXPECT_INT("checksum", package_read(cx, path, &package), ERR_INVALID);
    EXPECT_INT("no file", package_read(cx, S("/nowhere"), &package), ERR_IO);
}

TEST(names_stay_within_the_folder)
{
    struct package package;
    struct buf tar = buf_make(cx->arena, 1 << 20);
    add_entry(&tar, "", "package/package.json", '0',
              S("{\"name\":\"../../etc/x\",\"version\":\"1/..\"}"));
    add_entry(&tar, "", "package/a.json", '0', S(VALUE_SET));
    str path = write_gz(cx, buf_str(&tar));
    EXPECT_INT("read", package_read(cx, path, &package), ERR_OK);
    EXPECT("name", str_find_char(package.name, '/') == STR_NONE);
    EXPECT("version", str_find_char(package.version, '/') == STR_NONE);
}
