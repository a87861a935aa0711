/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "store/own.h"
#include <assert.h>
#include <stdio.h>

enum { LAYOUT_OWN_MAX = OWN_SLOTS_MAX };

/* What a FHIR type yields for a kind of parameter. */
static const struct {
    enum fhir_search_kind kind;
    const char *type;
    enum layout_shape shape;
} shapes[] = {
    { FHIR_SEARCH_TOKEN, "CodeableConcept", SHAPE_CODEABLE },
    { FHIR_SEARCH_TOKEN, "Coding", SHAPE_CODING },
    { FHIR_SEARCH_TOKEN, "Identifier", SHAPE_IDENTIFIER },
    { FHIR_SEARCH_TOKEN, "ContactPoint", SHAPE_CONTACT },
    { FHIR_SEARCH_TOKEN, "code", SHAPE_TOKEN },
    { FHIR_SEARCH_TOKEN, "boolean", SHAPE_TOKEN },
    { FHIR_SEARCH_TOKEN, "string", SHAPE_TOKEN },
    { FHIR_SEARCH_TOKEN, "id", SHAPE_TOKEN },
    { FHIR_SEARCH_TOKEN, "uri", SHAPE_TOKEN },
    { FHIR_SEARCH_TOKEN, "canonical", SHAPE_TOKEN },
    { FHIR_SEARCH_TOKEN, "oid", SHAPE_TOKEN },
    { FHIR_SEARCH_TOKEN, "markdown", SHAPE_TOKEN },
    { FHIR_SEARCH_TOKEN, "integer", SHAPE_TOKEN },
    { FHIR_SEARCH_TOKEN, "positiveInt", SHAPE_TOKEN },
    { FHIR_SEARCH_TOKEN, "unsignedInt", SHAPE_TOKEN },
    { FHIR_SEARCH_REFERENCE, "Reference", SHAPE_REFERENCE },
    { FHIR_SEARCH_REFERENCE, "canonical", SHAPE_CANONICAL },
    { FHIR_SEARCH_REFERENCE, "uri", SHAPE_CANONICAL },
    { FHIR_SEARCH_REFERENCE, "Resource", SHAPE_RESOURCE },
    { FHIR_SEARCH_STRING, "string", SHAPE_STRING },
    { FHIR_SEARCH_STRING, "markdown", SHAPE_STRING },
    { FHIR_SEARCH_STRING, "code", SHAPE_STRING },
    { FHIR_SEARCH_STRING, "uri", SHAPE_STRING },
    { FHIR_SEARCH_URI, "uri", SHAPE_URI },
    { FHIR_SEARCH_URI, "url", SHAPE_URI },
    { FHIR_SEARCH_URI, "canonical", SHAPE_URI },
    { FHIR_SEARCH_URI, "oid", SHAPE_URI },
    { FHIR_SEARCH_URI, "uuid", SHAPE_URI },
    { FHIR_SEARCH_DATE, "date", SHAPE_DATE },
    { FHIR_SEARCH_DATE, "dateTime", SHAPE_DATE },
    { FHIR_SEARCH_DATE, "instant", SHAPE_DATE },
    { FHIR_SEARCH_DATE, "Period", SHAPE_PERIOD },
    { FHIR_SEARCH_DATE, "Timing", SHAPE_TIMING },
    { FHIR_SEARCH_QUANTITY, "Quantity", SHAPE_QUANTITY },
    { FHIR_SEARCH_QUANTITY, "Age", SHAPE_QUANTITY },
    { FHIR_SEARCH_QUANTITY, "Duration", SHAPE_QUANTITY },
    { FHIR_SEARCH_QUANTITY, "Count", SHAPE_QUANTITY },
    { FHIR_SEARCH_QUANTITY, "Distance", SHAPE_QUANTITY },
    { FHIR_SEARCH_QUANTITY, "Money", SHAPE_MONEY },
    { FHIR_SEARCH_QUANTITY, "Range", SHAPE_RANGE },
    { FHIR_SEARCH_NUMBER, "decimal", SHAPE_NUMBER },
    { FHIR_SEARCH_NUMBER, "integer", SHAPE_NUMBER },
    { FHIR_SEARCH_NUMBER, "positiveInt", SHAPE_NUMBER },
    { FHIR_SEARCH_NUMBER, "unsignedInt", SHAPE_NUMBER },
    { FHIR_SEARCH_NUMBER, "Range", SHAPE_RANGE },
};

enum layout_shape layout_shape_of(enum fhir_search_kind kind, str type)
{
    for (size_t i = 0; i < COUNT(shapes); i++)
        if (shapes[i].kind == kind && str_eq(type, str_of(shapes[i].type)))
            return shapes[i].shape;
    return SHAPE_NONE;
}

enum index_table layout_table_of(enum layout_shape shape)
{
    switch (shape) {
    case SHAPE_REFERENCE:
    case SHAPE_CANONICAL:
    case SHAPE_RESOURCE: return INDEX_REF;
    case SHAPE_STRING:
    case SHAPE_URI: return INDEX_TXT;
    case SHAPE_DATE:
    case SHAPE_PERIOD:
    case SHAPE_TIMING: return INDEX_DAY;
    case SHAPE_QUANTITY:
    case SHAPE_MONEY:
    case SHAPE_RANGE:
    case SHAPE_NUMBER: return INDEX_NUM;
    default: return INDEX_TOK;
    }
}

static const char *const table_names[INDEX_TABLES] = { "tok", "ref", "txt", "day", "num" };

/* The parts of a name and an address that a string parameter over them looks at. */
static const char *const name_parts[] = { "family", "given", "prefix", "suffix", "text", NULL };
static const char *const address_parts[] = { "line", "city", "district", "state", "postalCode",
                                             "country", "text", NULL };

/* The parameter that gives a type its clinical date: the first of these it has. */
static const char *const at_codes[] = { "authoredon", "date", "authored-on", "authored",
    "effective-time", "effective", "onset-date", "started", "start", "start-date", "sent",
    "recorded", "whenhandedover", "collected", "created", "datetime", "occurrence", "birthdate",
    "period", "issued", NULL };

/* One way through the types while a branch is followed. */
struct walk {
    str path[LAYOUT_STEPS_MAX];  /* JSON names */
    bool first[LAYOUT_STEPS_MAX];
    size_t depth;
    uint16_t type, binding;
    bool choice, single;
    str member, equals;
    uint16_t resolve;            /* target type of where(resolve() is T) */
    str name;                    /* slot key so far */
    bool deceased;
};

struct build {
    struct ctx *cx;
    struct index_layout *layout;
    uint16_t resource;
    struct layout_param *param;
};

/* Room for one more of `count` items, which are cleared. */
static void *room(struct arena *arena, void *items, uint16_t count, uint16_t *cap, size_t bytes)
{
    if (count < *cap)
        return items;
    *cap = (uint16_t)(*cap ? *cap * 2 : 2);
    char *grown = arena_array(arena, *cap, bytes);
    if (count)
        memcpy(grown, items, count * bytes);
    return grown;
}

static uint16_t slot_for(struct index_layout *layout, str key, struct layout_slot slot)
{
    uint64_t number;
    if (!map_get(&layout->by_key, key, &number)) {
        assert(layout->slots_count < UINT16_MAX);
        if (layout->slots_count == layout->slots_cap) /* never while readers look: make_room */
            layout->slots = room(layout->arena, layout->slots, layout->slots_count,
                                 &layout->slots_cap, sizeof *layout->slots);
        number = layout->slots_count++;
        slot.key = arena_copy(layout->arena, key);
        map_set(&layout->by_key, slot.key, number);
        layout->slots[number] = slot;
        return (uint16_t)number;
    }
    struct layout_slot *known = &layout->slots[number];
    if (!known->used) {
        slot.key = known->key;
        *known = slot;
    }
    if (!slot.single && known->single) /* no write where readers look and nothing changes */
        known->single = false;
    return (uint16_t)number;
}

static struct layout_node *child_of(struct arena *arena, struct layout_node *node, str key)
{
    for (uint16_t i = 0; i < node->children_count; i++)
        if (str_eq(node->children[i].key, key))
            return &node->children[i];
    node->children = room(arena, node->children, node->children_count, &node->children_cap,
                          sizeof *node->children);
    struct layout_node *child = &node->children[node->children_count++];
    child->key = key;
    return child;
}

static void add_leaf(struct arena *arena, struct layout_node *node, struct layout_leaf leaf)
{
    for (uint16_t i = 0; i < node->leaves_count; i++)
        if (node->leaves[i].slot == leaf.slot && node->leaves[i].shape == leaf.shape)
            return;
    node->leaves = room(arena, node->leaves, node->leaves_count, &node->leaves_cap, sizeof leaf);
    node->leaves[node->leaves_count++] = leaf;
}

static void add_param_slot(struct build *b, uint16_t slot, uint16_t target)
{
    struct layout_param *param = b->param;
    for (uint16_t i = 0; i < param->slots_count; i++)
        if (param->slots[i].slot == slot && param->slots[i].target == target)
            return;
    param->slots = room(b->layout->arena, param->slots, param->slots_count, &param->slots_cap,
                        sizeof *param->slots);
    param->slots[param->slots_count++] = (struct layout_param_slot){ slot, target };
}

/* True when the composites of the type pair a code with this quantity. */
static bool is_by(const struct walk *walk, str resource)
{
    if (walk->depth == 0)
        return false;
    str last = walk->path[walk->depth - 1];
    bool value = str_starts(last, S("value"));
    if (str_eq(resource, S("Observation")))
        return value && (walk->depth == 1 ||
                         (walk->depth == 2 && str_eq(walk->path[0], S("component"))));
    return value && walk->depth == 2 && str_eq(walk->path[0], S("useContext"));
}

/* Puts a leaf at the end of a way, and its slot on the parameter. */
static uint16_t place_leaf(struct build *b, const struct walk *walk, enum layout_shape shape)
{
    struct arena *arena = b->layout->arena;
    str resource = fhir_resource_name(b->resource);
    enum index_table table = layout_table_of(shape);
    char key[LAYOUT_PATH_MAX];
    int n = snprintf(key, sizeof key, "%.*s%.*s%s%.*s#%s", STR_ARG(resource), STR_ARG(walk->name),
                     walk->equals.n ? "?" : "", STR_ARG(walk->equals),
                     shape == SHAPE_REFERENCE_IDENTIFIER ? "identifier" : table_names[table]);
    bool by = table == INDEX_NUM && is_by(walk, resource);
    bool many = shape == SHAPE_CODEABLE || shape == SHAPE_RANGE || shape == SHAPE_CANONICAL;
    struct layout_slot slot = {
        .resource = b->resource, .table = (uint8_t)table, .single = walk->single && !many,
        .by = by, .binding = walk->binding, .used = true,
        .implied_system = shape == SHAPE_TOKEN &&
                          fhir_types[walk->type].primitive == FHIR_CODE,
    };
    uint16_t number = slot_for(b->layout, (str){ key, (size_t)n }, slot);
    struct layout_node *node = &b->layout->types[b->resource].root;
    for (size_t i = 0; i < walk->depth; i++) {
        node = child_of(arena, node, walk->path[i]);
        node->first_only = node->first_only || walk->first[i];
    }
    add_leaf(arena, node, (struct layout_leaf){ number, (uint8_t)shape, by, walk->member,
                                                walk->equals });
    return number;
}

static void extend(struct build *b, struct walk *walk, const struct fhir_element *element)
{
    walk->path[walk->depth] = element->json_name;
    walk->first[walk->depth++] = false;
    walk->type = element->type;
    walk->binding = element->binding;
    walk->choice = element->choice != 0;
    walk->single = walk->single && element->max == 1;
    walk->name = arena_printf(b->cx->arena, "%.*s.%.*s", STR_ARG(walk->name),
                              STR_ARG(element->name));
}

/* String parameters over a name or an address read its parts, which have slots of their own. */
static void place_parts(struct build *b, const struct walk *walk, const char *const *parts)
{
    for (; *parts; parts++) {
        const struct fhir_element *element = fhir_element_find(walk->type, str_of(*parts));
        struct walk part = *walk;
        if (!element || part.depth == LAYOUT_STEPS_MAX)
            continue;
        extend(b, &part, element);
        add_param_slot(b, place_leaf(b, &part, SHAPE_STRING), FHIR_NONE);
    }
}

static void place(struct build *b, const struct walk *walk)
{
    str type = fhir_types[walk->type].name;
    enum fhir_search_kind kind = b->param->kind;
    if (walk->deceased) {
        struct walk at_root = *walk;
        at_root.depth = 0;
        add_param_slot(b, place_leaf(b, &at_root, SHAPE_DECEASED), FHIR_NONE);
        return;
    }
    bool name = str_eq(type, S("HumanName"));
    if (kind == FHIR_SEARCH_STRING && (name || str_eq(type, S("Address")))) {
        place_parts(b, walk, name ? name_parts : address_parts);
        return;
    }
    enum layout_shape shape = layout_shape_of(kind, type);
    if (shape == SHAPE_NONE)
        return;
    add_param_slot(b, place_leaf(b, walk, shape), walk->resolve);
    if (shape == SHAPE_REFERENCE)
        b->param->identifier_slot = place_leaf(b, walk, SHAPE_REFERENCE_IDENTIFIER);
}

static void follow(struct build *b, const struct layout_branch *branch, size_t at,
                   struct walk walk);

static void follow_name(struct build *b, const struct layout_branch *branch, size_t at,
                        const struct walk *walk)
{
    const struct fhir_type *type = &fhir_types[walk->type];
    for (uint16_t i = 0; i < type->elements_count; i++) {
        if (!str_eq(type->elements[i].name, branch->steps[at].name))
            continue;
        struct walk next = *walk;
        extend(b, &next, &type->elements[i]);
        follow(b, branch, at + 1, next);
    }
}

static void follow(struct build *b, const struct layout_branch *branch, size_t at,
                   struct walk walk)
{
    if (at == branch->count) {
        place(b, &walk);
        return;
    }
    const struct layout_step *step = &branch->steps[at];
    switch (step->kind) {
    case STEP_NAME:
        if (walk.depth < LAYOUT_STEPS_MAX)
            follow_name(b, branch, at, &walk);
        return;
    case STEP_AS:
        if (str_eq(fhir_types[walk.type].name, step->name)) {
            walk.name = arena_printf(b->cx->arena, "%.*s[%.*s]", STR_ARG(walk.name),
                                     STR_ARG(step->name));
            follow(b, branch, at + 1, walk);
        }
        return;
    case STEP_WHERE:
        walk.member = step->name;
        walk.equals = step->equals;
        break;
    case STEP_RESOLVE: walk.resolve = fhir_resource_find(step->name); break;
    case STEP_FIRST: walk.first[walk.depth - 1] = true; break;
    case STEP_DECEASED:
        walk.deceased = true;
        walk.name = S(".deceased");
        break;
    }
    follow(b, branch, at + 1, walk);
}

enum index_table layout_table_of_kind(enum fhir_search_kind kind)
{
    static const enum index_table tables[] = {
        [FHIR_SEARCH_NUMBER] = INDEX_NUM, [FHIR_SEARCH_DATE] = INDEX_DAY,
        [FHIR_SEARCH_STRING] = INDEX_TXT, [FHIR_SEARCH_TOKEN] = INDEX_TOK,
        [FHIR_SEARCH_REFERENCE] = INDEX_REF, [FHIR_SEARCH_QUANTITY] = INDEX_NUM,
        [FHIR_SEARCH_URI] = INDEX_TXT, [FHIR_SEARCH_SPECIAL] = INDEX_TABLES,
    };
    return tables[kind];
}

/* Room is made at the start: readers hold on to the array while slots are added. */
static void make_room(struct index_layout *layout)
{
    size_t cap = (size_t)layout->slots_count + LAYOUT_OWN_MAX;
    struct layout_slot *slots = arena_array(layout->arena, cap, sizeof *slots);
    memcpy(slots, layout->slots, layout->slots_count * sizeof *slots);
    layout->slots = slots;
    layout->slots_cap = (uint16_t)cap;
}

uint16_t layout_own_slot(struct index_layout *layout, str key, uint16_t resource,
                         enum fhir_search_kind kind)
{
    uint64_t number;
    struct layout_slot slot = { .resource = resource, .used = true, .binding = FHIR_NONE,
                                .table = (uint8_t)layout_table_of_kind(kind) };
    bool known = map_get(&layout->by_key, key, &number);
    if (!known && layout->slots_count >= layout->slots_cap)
        return 0;
    return slot_for(layout, key, slot);
}

/* Branches that are no plain path are evaluated by FHIRPath. */
static err add_program(struct build *b, str branch)
{
    struct index_layout *layout = b->layout;
    const enum index_table table = layout_table_of_kind(b->param->kind);
    const struct path *path;
    struct ctx inner = *b->cx;
    inner.arena = layout->arena;
    err bad = path_compile(&inner, arena_copy(layout->arena, branch), &path);
    b->cx->issues = inner.issues;
    TRY(bad);
    str key = arena_printf(b->cx->arena, "%.*s:%.*s#%s",
                           STR_ARG(fhir_resource_name(b->resource)), STR_ARG(branch),
                           table_names[table]);
    struct layout_slot slot = { .resource = b->resource, .used = true, .binding = FHIR_NONE,
                                .table = (uint8_t)table };
    struct layout_program *program = arena_zero(layout->arena, sizeof *program);
    struct layout_type *type = &layout->types[b->resource];
    *program = (struct layout_program){ slot_for(layout, key, slot), (uint8_t)b->param->kind, path,
                                        type->programs };
    type->programs = program;
    add_param_slot(b, program->slot, FHIR_NONE);
    return ERR_OK;
}

static err add_branches(struct build *b)
{
    /* _id is found in ident, _lastUpdated in the log, composites by their components */
    if (b->param->kind == FHIR_SEARCH_COMPOSITE || b->param->kind == FHIR_SEARCH_SPECIAL ||
        str_eq(b->param->code, S("_id")) || str_eq(b->param->code, S("_lastUpdated")))
        return ERR_OK;
    str rest = b->param->expression, branch;
    while (layout_next_branch(&rest, &branch)) {
        struct layout_branch parsed;
        if (!layout_parse_branch(branch, &parsed)) {
            TRY(add_program(b, branch));
            continue;
        }
        uint16_t start = fhir_resources[b->resource];
        uint16_t root = fhir_type_find(parsed.steps[0].name);
        bool typed = root != FHIR_NONE && fhir_types[root].kind == FHIR_RESOURCE;
        if (typed && !fhir_type_is(start, root))
            continue;
        follow(b, &parsed, typed ? 1 : 0,
               (struct walk){ .type = start, .binding = FHIR_NONE, .single = true,
                              .resolve = FHIR_NONE, .name = S("") });
    }
    return ERR_OK;
}

static const struct layout_param *find_param(const struct layout_type *type, str code)
{
    for (uint16_t i = 0; i < type->params_count; i++)
        if (str_eq(type->params[i].code, code))
            return &type->params[i];
    return NULL;
}

const struct layout_param *layout_param(const struct index_layout *layout, uint16_t resource,
                                        str code)
{
    const struct layout_param *param = find_param(&layout->types[resource], code);
    const struct own_param *own = param ? NULL : own_find(layout, resource, code);
    if (!own)
        return param;
    return own->state == OWN_ACTIVE ? &own->indexed : &own->slow;
}

uint16_t layout_targets(const struct layout_param *param, const uint16_t **types)
{
    const struct fhir_param *def = param->def;
    if (!def || def->targets == FHIR_NONE)
        return 0;
    const struct fhir_target_list *list = &fhir_target_lists[def->targets];
    for (uint16_t i = 0; i < list->count; i++)
        if (layout_target(list->types[i]) == FHIR_NONE)
            return 0; /* Resource: any */
    *types = list->types;
    return list->count;
}

static uint16_t *slots_of(struct arena *arena, const struct layout_param *param, uint16_t *count)
{
    uint16_t *slots = arena_array(arena, param->slots_count, sizeof *slots);
    for (uint16_t i = 0; i < param->slots_count; i++)
        slots[i] = param->slots[i].slot;
    *count = param->slots_count;
    return slots;
}

static void find_at(struct index_layout *layout, struct layout_type *type)
{
    for (const char *const *code = at_codes; *code && !type->at_param; code++) {
        const struct layout_param *param = find_param(type, str_of(*code));
        if (param && param->kind == FHIR_SEARCH_DATE && param->slots_count > 0)
            type->at_param = param;
    }
    if (type->at_param)
        type->at_slots = slots_of(layout->arena, type->at_param, &type->at_slots_count);
}

/* R4 leaves a few types out of the patient's compartment that are about one all the same (Task,
 * Device, GuidanceResponse, Contract): who may see the patient's record may see these. */
static const char *const about_patient[] = { "patient", "subject", NULL };

/* The reference slots that put a resource in a patient's compartment, in the definition's order. */
static void find_patient(struct index_layout *layout, uint16_t resource)
{
    struct layout_type *type = &layout->types[resource];
    const char *const *codes = fhir_compartment_params(S("Patient"), resource);
    codes = codes ? codes : about_patient;
    uint16_t cap = 0;
    for (const char *const *code = codes; *code; code++) {
        const struct layout_param *param = find_param(type, str_of(*code));
        cap = (uint16_t)(cap + (param ? param->slots_count : 0));
    }
    type->patient_slots = arena_array(layout->arena, cap, sizeof *type->patient_slots);
    for (const char *const *code = codes; *code; code++) {
        const struct layout_param *param = find_param(type, str_of(*code));
        for (uint16_t i = 0; param && i < param->slots_count; i++)
            type->patient_slots[type->patient_slots_count++] = param->slots[i].slot;
    }
}

/* Which types of resource are within: for _contained. */
static void place_contained(struct index_layout *layout, uint16_t resource)
{
    char key[LAYOUT_PATH_MAX];
    struct layout_type *type = &layout->types[resource];
    struct layout_slot slot = { .resource = resource, .table = INDEX_TOK, .used = true,
                                .binding = FHIR_NONE };
    if (!fhir_element_find(fhir_resources[resource], S("contained")))
        return;
    int n = snprintf(key, sizeof key, "%.*s.contained#tok",
                     STR_ARG(fhir_resource_name(resource)));
    type->contained_slot = slot_for(layout, (str){ key, (size_t)n }, slot);
    add_leaf(layout->arena, child_of(layout->arena, &type->root, S("contained")),
             (struct layout_leaf){ .slot = type->contained_slot, .shape = SHAPE_CONTAINED });
}

static err build_type(struct ctx *cx, struct index_layout *layout, uint16_t resource)
{
    struct layout_type *type = &layout->types[resource];
    struct fhir_param_range range = fhir_resource_params[resource];
    type->params = arena_array(layout->arena, range.count, sizeof *type->params);
    for (uint16_t i = 0; i < range.count; i++) {
        const struct fhir_param *def = &fhir_params[range.from + i];
        struct layout_param *param = &type->params[type->params_count++];
        *param = (struct layout_param){ .code = def->code, .expression = def->expression,
                                        .resource = resource, .kind = def->kind, .def = def,
                                        .identifier_slot = FHIR_NONE };
        struct build b = { cx, layout, resource, param };
        TRY(add_branches(&b));
    }
    find_at(layout, type);
    find_patient(layout, resource);
    place_contained(layout, resource);
    return ERR_OK;
}

/* meta */
enum { META_GET, META_SET };
static const struct stmt meta_sql[] = {
    [META_GET] = { "index layout's numbering", "SELECT value FROM meta WHERE name = 'index_layout'",
                   "SEARCH meta" },
    [META_SET] = { "save the index layout's numbering",
                   "INSERT OR REPLACE INTO meta(name, value) VALUES('index_layout', ?1)", NULL },
    { 0 },
};

/* Numbers given in an earlier run stay, used again or not. One key a line, in order from 1. */
static err read_numbering(struct ctx *cx, struct db *db, struct index_layout *layout)
{
    bool row;
    struct db_stmt *stmt = db_use(cx, db, meta_sql, META_GET);
    TRY(db_step(cx, stmt, &row));
    str rest = row ? arena_copy(layout->arena, db_text(stmt, 0)) : (str){ 0 }, key;
    db_reset(stmt);
    while (rest.n && str_next(&rest, '\n', &key))
        if (key.n)
            slot_for(layout, key, (struct layout_slot){ 0 });
    return ERR_OK;
}

err index_layout_build(struct ctx *cx, struct arena *arena, struct db *db,
                       struct index_layout **out, bool *changed)
{
    struct index_layout *layout = arena_zero(arena, sizeof *layout);
    *layout = (struct index_layout){ .arena = arena, .by_key = map_make(arena),
                                     .slots_count = 1, .slots_cap = 4096 };
    layout->slots = arena_array(arena, layout->slots_cap, sizeof *layout->slots);
    layout->types = arena_array(arena, fhir_resources_count, sizeof *layout->types);
    if (db)
        TRY(read_numbering(cx, db, layout));
    uint16_t known = layout->slots_count;
    for (uint16_t i = 0; i < fhir_resources_count; i++)
        TRY(build_type(cx, layout, i));
    *changed = layout->slots_count != known;
    make_room(layout);
    *out = layout;
    return ERR_OK;
}

err index_layout_save(struct ctx *cx, struct db *db, const struct index_layout *layout)
{
    struct buf text = buf_make(cx->arena, (size_t)16 << 20);
    for (uint16_t i = 1; i < layout->slots_count; i++) {
        buf_add(&text, layout->slots[i].key);
        buf_char(&text, '\n');
    }
    struct db_stmt *stmt = db_use(cx, db, meta_sql, META_SET);
    db_bind_text(stmt, 1, buf_str(&text));
    return db_run(cx, stmt);
}

void index_layout_set_base(struct index_layout *layout, str base_url)
{
    layout->base_url = arena_copy(layout->arena, base_url);
}
