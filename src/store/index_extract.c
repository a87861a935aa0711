/* SPDX-License-Identifier: Apache-2.0 */
#include "store/index_value.h"
#include "store/own.h"

/*
 * One walk over the tape follows the trie of the type's paths; members no path leads to are skipped
 * in one step each.
 */
static void leaf_values(struct index_walk *walk, const struct layout_leaf *leaf, struct json value,
                        struct json parent)
{
    if (str_given(leaf->member) &&
        !json_string_is(json_get(value, leaf->member), leaf->equals))
        return;
    index_value(walk, leaf, value, parent);
}

static void visit(struct index_walk *walk, const struct layout_node *node, struct json value,
                  struct json parent);

static void visit_members(struct index_walk *walk, const struct layout_node *node,
                          struct json object)
{
    uint16_t left = node->children_count;
    for (struct json_walk w = json_walk(object); left && json_next(&w);) {
        const struct json_node *key = json_node(w.key);
        const char *text = w.key.doc->text.p + key->start;
        for (uint16_t i = 0; i < node->children_count; i++) {
            const struct layout_node *child = &node->children[i];
            if (child->key.n != key->length || child->key.p[0] != text[0] ||
                memcmp(child->key.p, text, key->length) != 0)
                continue;
            visit(walk, child, w.value, object);
            left--;
            break;
        }
    }
}

static void visit(struct index_walk *walk, const struct layout_node *node, struct json value,
                  struct json parent)
{
    if (json_is(value, JSON_ARRAY)) {
        for (struct json_walk w = json_walk(value); json_next(&w);) {
            visit(walk, node, w.value, parent);
            if (node->first_only)
                return;
        }
        return;
    }
    for (uint16_t i = 0; i < node->leaves_count; i++)
        leaf_values(walk, &node->leaves[i], value, parent);
    if (node->children_count && json_is(value, JSON_OBJECT))
        visit_members(walk, node, value);
}

static bool is_clinical_date(const struct layout_type *type, const struct index_row *row)
{
    for (uint16_t s = 0; row->table == INDEX_DAY && s < type->at_slots_count; s++)
        if (type->at_slots[s] == row->slot)
            return true;
    return false;
}

/* The lowest instant of the rows in the clinical date's slots, with its precision if it is one. */
static int64_t find_at(const struct layout_type *type, const struct index_walk *walk)
{
    const struct index_rows *rows = walk->rows;
    int64_t at = AT_NONE;
    for (size_t i = 0; type->at_slots_count && i < rows->count; i++) {
        const struct index_row *row = &rows->rows[i];
        if (!is_clinical_date(type, row))
            continue;
        int64_t key = value_at((struct value_span){ row->lo, row->hi, (enum index_at)row->unit });
        if (at == AT_NONE)
            at = key;
        else /* several dates: their lowest, and no precision that tells the highest */
            at = (index_at_lo(key) < index_at_lo(at) ? index_at_lo(key) : index_at_lo(at)) * 8 +
                 AT_OTHER;
    }
    return at;
}

static str find_patient(const struct layout_type *type, uint16_t patient,
                        const struct index_rows *rows)
{
    for (uint16_t s = 0; s < type->patient_slots_count; s++)
        for (size_t i = 0; i < rows->count; i++)
            if (rows->rows[i].slot == type->patient_slots[s] && rows->rows[i].target == patient &&
                rows->rows[i].table == INDEX_REF)
                return rows->rows[i].text;
    return (str){ 0 };
}

/* A file is its security context's; a bundle that of the first in it that is somebody's. */
static err find_within(struct ctx *cx, const struct index_layout *layout, struct json body,
                       str *out)
{
    struct index_reference context;
    str reference = json_string(cx->arena, json_get(json_get(body, S("securityContext")),
                                                    S("reference")));
    if (str_given(reference) && index_reference(layout, reference, &context) &&
        context.target == fhir_resource_find(S("Patient")))
        *out = context.id;
    const str lists[] = { S("entry"), S("parameter") };
    for (size_t i = 0; i < COUNT(lists); i++)
        for (struct json_walk w = json_walk(json_get(body, lists[i]));
             !str_given(*out) && json_next(&w);) {
            struct index_rows rows = { 0 };
            struct json held = json_get(w.value, S("resource"));
            str type = json_string(cx->arena, json_get(held, S("resourceType")));
            uint16_t resource = str_given(type) ? fhir_resource_find(type) : FHIR_NONE;
            if (resource != FHIR_NONE)
                TRY(index_extract(cx, layout, resource, held, &rows));
            *out = rows.patient;
        }
    return ERR_OK;
}

static bool holds(uint16_t resource)
{
    str name = fhir_resource_name(resource);
    return str_eq(name, S("Binary")) || str_eq(name, S("Bundle")) ||
           str_eq(name, S("Parameters"));
}

static err run_path(struct index_walk *walk, const struct path *path, enum fhir_search_kind kind,
                    uint16_t slot, struct json body)
{
    struct path_result result;
    size_t issues = walk->cx->issues.count;
    err bad = path_eval_on(walk->cx, path, body, &result);
    if (bad == ERR_BUSY)
        return bad;
    if (bad) { /* an expression that fails on this body finds nothing in it */
        walk->cx->issues.count = walk->cx->issues.kept = issues;
        return ERR_OK;
    }
    for (size_t i = 0; i < result.count; i++)
        index_item(walk, kind, slot, &result.items[i]);
    return ERR_OK;
}

static err run_programs(struct index_walk *walk, uint16_t resource, struct json body)
{
    const struct layout_type *type = &walk->layout->types[resource];
    const struct own_set *own = own_current(walk->layout);
    for (const struct layout_program *p = type->programs; p; p = p->next)
        TRY(run_path(walk, p->path, (enum fhir_search_kind)p->kind, p->slot, body));
    for (size_t i = 0; own && i < own->types[resource].count; i++) {
        const struct own_param *param = own->types[resource].list[i];
        if (param->state == OWN_BUILDING || param->state == OWN_ACTIVE)
            TRY(run_path(walk, param->path,
                         own_row_kind(param->indexed.kind, param->indexed.expression),
                         param->slot, body));
    }
    return ERR_OK;
}

err index_extract_part(struct ctx *cx, const struct index_layout *layout, uint16_t resource,
                       const struct index_part *part, struct index_rows *out)
{
    *out = (struct index_rows){ .at = AT_NONE };
    struct index_walk walk = { .cx = cx, .layout = layout, .rows = out };
    const struct layout_node *root = &layout->types[resource].root;
    for (uint16_t i = 0; i < root->children_count; i++) {
        const struct layout_node *child = &root->children[i];
        struct json value = json_get(part->body, child->key);
        bool named = str_eq(child->key, part->name);
        if (named == part->without || json_is(value, JSON_ABSENT))
            continue;
        if (named && json_is(value, JSON_ARRAY))
            value = json_at(value, part->index);
        visit(&walk, child, value, part->body);
    }
    return ERR_OK;
}

err index_slow(struct ctx *cx, const struct index_layout *layout,
               const struct layout_param *param, struct json body, struct index_rows *out)
{
    *out = (struct index_rows){ .at = AT_NONE };
    struct index_walk walk = { .cx = cx, .layout = layout, .rows = out };
    return run_path(&walk, param->path, param->kind, 0, body);
}

err index_extract(struct ctx *cx, const struct index_layout *layout, uint16_t resource,
                  struct json body, struct index_rows *out)
{
    *out = (struct index_rows){ .at = AT_NONE };
    const struct layout_type *type = &layout->types[resource];
    struct index_walk walk = { .cx = cx, .layout = layout, .rows = out };
    visit(&walk, &type->root, body, body);
    TRY(run_programs(&walk, resource, body));
    out->at = find_at(type, &walk);
    uint16_t patient = fhir_resource_find(S("Patient"));
    if (resource == patient)
        out->patient = json_string(cx->arena, json_get(body, S("id")));
    else
        out->patient = find_patient(type, patient, out);
    return holds(resource) ? find_within(cx, layout, body, &out->patient) : ERR_OK;
}

bool index_is_within(struct ctx *cx, const struct index_layout *layout, uint16_t resource,
                     struct json body, struct index_span span)
{
    const struct layout_type *type = &layout->types[resource];
    struct index_rows rows;
    bool dated = false, within = false;
    if (index_extract(cx, layout, resource, body, &rows))
        return true;
    for (size_t i = 0; i < rows.count; i++) {
        if (!is_clinical_date(type, &rows.rows[i]))
            continue;
        dated = true;
        within = within || (rows.rows[i].lo <= span.to_ms &&
                            rows.rows[i].hi >= span.from_ms);
    }
    return within || !dated;
}
