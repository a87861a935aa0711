/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE synth
#include "base/map.h"
#include "base/test.h"
#include "clinical/nhsno.h"
#include "fhir/validate.h"
#include "json/json.h"
#include "synth/out.h"
#include "synth/synth.h"


static str make(struct ctx *cx, uint64_t seed, int64_t patients)
{
    struct synth_result result;
    struct synth_options options = { .seed = seed, .patients = patients, .days = 40,
                                     .detail_days = 6, .end_ms = SYNTH_END_MS,
                                     .folder = test_folder(cx) };
    cr_assert_eq(synth_run(cx, &options, &result), ERR_OK);
    cr_assert_gt(result.resources, (uint64_t)patients * 10);
    return options.folder;
}

static str path_of(struct ctx *cx, str folder, enum out_type type)
{
    return arena_printf(cx->arena, "%.*s/%s.ndjson", STR_ARG(folder), out_type_name(type));
}

static str read_all(struct ctx *cx, str folder, enum out_type type)
{
    FILE *file = fopen(arena_cstr(cx->arena, path_of(cx, folder, type)), "r");
    cr_assert(file != NULL);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = arena_alloc(cx->arena, size + 1);
    cr_assert_eq(fread(text, 1, size, file), size);
    fclose(file);
    return (str){ text, size };
}

TEST(synth_same_seed_same_bytes)
{
    str first = make(cx, 7, 150), second = make(cx, 7, 150), other = make(cx, 8, 150);
    bool differs = false;
    for (enum out_type type = 0; type < OUT_TYPES; type++) {
        str a = read_all(cx, first, type), b = read_all(cx, second, type);
        EXPECT(out_type_name(type), str_eq(a, b));
        EXPECT(out_type_name(type), a.n > 0);
        differs |= !str_eq(a, read_all(cx, other, type));
    }
    EXPECT("another seed", differs);
}

typedef void visit_fn(struct ctx *cx, struct json resource, void *self);

/* Every resource of a type, or of all with OUT_TYPES; each is parsed, so that each is JSON. */
static void visit(struct ctx *cx, str folder, enum out_type only, visit_fn *fn, void *self)
{
    for (enum out_type type = 0; type < OUT_TYPES; type++) {
        if (only != OUT_TYPES && only != type)
            continue;
        str text = read_all(cx, folder, type), line;
        while (str_next(&text, '\n', &line)) {
            struct json resource;
            if (line.n == 0)
                continue; /* after the last newline */
            cr_assert_eq(json_parse(cx, line, &resource), ERR_OK, "%.*s", STR_ARG(line));
            fn(cx, resource, self);
        }
    }
}

static void add_id(struct ctx *cx, struct json resource, void *self)
{
    str type = json_string(cx->arena, json_get(resource, S("resourceType")));
    str id = json_string(cx->arena, json_get(resource, S("id")));
    str key = arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(type), STR_ARG(id));
    cr_expect(map_add(self, key, 1, NULL), "twice: %.*s", STR_ARG(key));
}

static void find_references(struct ctx *cx, struct json value, const struct map *ids)
{
    for (struct json_walk w = json_walk(value); json_next(&w);) {
        uint64_t found;
        if (json_string_is(w.key, S("reference"))) {
            str target = json_string(cx->arena, w.value);
            cr_expect(map_get(ids, target, &found), "leads nowhere: %.*s", STR_ARG(target));
        } else {
            find_references(cx, w.value, ids);
        }
    }
}

static void check_references(struct ctx *cx, struct json resource, void *self)
{
    find_references(cx, resource, self);
}

TEST(synth_ids_are_unique_and_references_resolve)
{
    str folder = make(cx, 3, 400);
    struct map ids = map_make(cx->arena);
    visit(cx, folder, OUT_TYPES, add_id, &ids);
    visit(cx, folder, OUT_TYPES, check_references, &ids);
    EXPECT("many", ids.count > 4000);
}

static void check_number(struct ctx *cx, struct json patient, void *self)
{
    struct json identifier = json_at(json_get(patient, S("identifier")), 0);
    str value = json_string(cx->arena, json_get(identifier, S("value"))), digits;
    EXPECT_INT("valid", nhsno_parse(cx, value, &digits), ERR_OK);
    EXPECT_INT("of the test range", nhsno_range(digits), NHSNO_TEST);
    cr_expect(map_add(self, digits, 1, NULL), "twice: %.*s", STR_ARG(digits));
}

TEST(synth_nhs_numbers_are_valid_test_numbers_each_once)
{
    str folder = make(cx, 4, 600);
    struct map numbers = map_make(cx->arena);
    visit(cx, folder, OUT_PATIENT, check_number, &numbers);
    EXPECT_INT("each", numbers.count, 600);
}

static void check_valid(struct ctx *cx, struct json resource, void *self)
{
    (void)self;
    if (validate_resource(cx, resource) == ERR_OK)
        return;
    for (size_t i = 0; i < cx->issues.kept; i++)
        cr_log_error("%.*s: %.*s", STR_ARG(cx->issues.list[i].path),
                     STR_ARG(cx->issues.list[i].text));
    str text = json_text(resource);
    cr_assert(false, "%.*s", STR_ARG(text));
}

TEST(synth_every_resource_obeys_r4)
{
    str folder = make(cx, 6, 300);
    visit(cx, folder, OUT_TYPES, check_valid, NULL);
}

/* A stay in a bed; texts of one form compare as times while the offset is the same, which from the
 * end of October to the end of November it is. */
struct span {
    str bed, from, to;
};
struct spans {
    struct span list[8192];
    size_t count, open;
};

static void add_spans(struct ctx *cx, struct json encounter, void *self)
{
    struct spans *spans = self;
    if (!json_string_is(json_get(json_get(encounter, S("class")), S("code")), S("IMP")))
        return;
    for (struct json_walk w = json_walk(json_get(encounter, S("location"))); json_next(&w);) {
        struct json period = json_get(w.value, S("period"));
        str to = json_string(cx->arena, json_get(period, S("end")));
        spans->open += !str_given(to);
        cr_assert_lt(spans->count, COUNT(spans->list));
        spans->list[spans->count++] = (struct span){
            json_string(cx->arena, json_get(json_get(w.value, S("location")), S("reference"))),
            json_string(cx->arena, json_get(period, S("start"))), str_given(to) ? to : S("9999") };
    }
}

TEST(synth_no_bed_holds_two_stays)
{
    str folder = make(cx, 5, 900);
    struct spans *spans = arena_zero(cx->arena, sizeof *spans);
    size_t clashes = 0;
    visit(cx, folder, OUT_ENCOUNTER, add_spans, spans);
    for (size_t i = 0; i < spans->count; i++)
        for (size_t j = i + 1; j < spans->count; j++) {
            const struct span *a = &spans->list[i], *b = &spans->list[j];
            clashes += str_eq(a->bed, b->bed) && str_cmp(a->from, b->to) < 0 &&
                       str_cmp(b->from, a->to) < 0;
        }
    EXPECT_INT("clashes", clashes, 0);
    EXPECT("about nine beds in ten are taken", spans->open >= 28 && spans->open <= 36);
    EXPECT("a month of stays", spans->count > 150);
}
