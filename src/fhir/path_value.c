/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_program.h"
#include "fhir/path_quantity.h"
#include <math.h>
#include <utf8proc.h>

struct path_item path_boolean(bool value)
{
    return (struct path_item){ .kind = PATH_BOOLEAN, .type = FHIR_NONE, .boolean = value };
}

struct path_item path_integer(int64_t value)
{
    return (struct path_item){ .kind = PATH_INTEGER, .type = FHIR_NONE, .integer = value };
}

struct path_item path_text_item(enum path_kind kind, str text)
{
    return (struct path_item){ .kind = kind, .type = FHIR_NONE, .text = text };
}

/* ---- an element as the System value it stands for ---- */

static str node_text(struct ctx *cx, struct json node)
{
    const struct json_node *n = json_node(node);
    if (n->kind == JSON_STRING && n->escaped && cx)
        return json_string(cx->arena, node);
    return (str){ node.doc->text.p + n->start, n->length };
}

static void number_value(str text, bool integer, struct path_item *out)
{
    int64_t value;
    bool fits = str_to_i64(text, &value) && value <= INT32_MAX && value >= INT32_MIN;
    *out = fits && integer ? path_integer(value) : path_text_item(PATH_DECIMAL, text);
}

static bool untyped_value(struct ctx *cx, struct json node, struct path_item *out)
{
    switch (json_kind(node)) {
    case JSON_TRUE:
    case JSON_FALSE:
        *out = path_boolean(json_is(node, JSON_TRUE));
        return true;
    case JSON_NUMBER:
        number_value(node_text(cx, node), true, out);
        return true;
    case JSON_STRING:
        *out = path_text_item(PATH_STRING, node_text(cx, node));
        return true;
    default:
        return false;
    }
}

static enum path_kind kind_of_primitive(enum fhir_primitive primitive)
{
    switch (primitive) {
    case FHIR_DATE:
        return PATH_DATE;
    case FHIR_DATE_TIME:
    case FHIR_INSTANT:
        return PATH_DATE_TIME;
    case FHIR_TIME:
        return PATH_TIME;
    default:
        return PATH_STRING;
    }
}

static bool primitive_value(struct ctx *cx, const struct path_item *item, struct path_item *out)
{
    enum fhir_primitive primitive = fhir_types[item->type].primitive;
    enum json_kind kind = json_kind(item->node);
    if (kind == JSON_STRING && primitive != FHIR_BOOLEAN)
        *out = path_text_item(kind_of_primitive(primitive), node_text(cx, item->node));
    else if (kind == JSON_NUMBER)
        number_value(node_text(cx, item->node), primitive != FHIR_DECIMAL, out);
    else
        return untyped_value(cx, item->node, out);
    return true;
}

bool path_value(struct ctx *cx, const struct path_item *item, struct path_item *out)
{
    if (item->kind != PATH_NODE) {
        *out = *item;
        return item->kind != PATH_TYPE;
    }
    if (item->type == FHIR_NONE)
        return untyped_value(cx, item->node, out);
    if (fhir_types[item->type].kind == FHIR_PRIMITIVE)
        return primitive_value(cx, item, out);
    return path_quantity_of_node(cx, item, out);
}

bool path_is_number(const struct path_item *value)
{
    return value->kind == PATH_INTEGER || value->kind == PATH_DECIMAL;
}

bool path_number(const struct path_item *value, struct decimal *out)
{
    if (value->kind == PATH_INTEGER) {
        *out = decimal_of(value->integer);
        return true;
    }
    return (value->kind == PATH_DECIMAL || value->kind == PATH_QUANTITY) &&
           decimal_parse(value->text, out);
}

bool path_date_of(const struct path_item *value, struct path_date *out)
{
    switch (value->kind) {
    case PATH_DATE:
        return path_date_parse(value->text, PATH_DATE_ONLY, out);
    case PATH_DATE_TIME:
        return path_date_parse(value->text, PATH_DATE_AND_TIME, out);
    case PATH_TIME:
        return path_date_parse(value->text, PATH_TIME_ONLY, out);
    default:
        return false;
    }
}

static bool is_date(const struct path_item *value)
{
    return value->kind == PATH_DATE || value->kind == PATH_DATE_TIME;
}

/* ---- equal ---- */

static int equal_dates(const struct path_item *a, const struct path_item *b)
{
    struct path_date x, y;
    int order;
    if (!path_date_of(a, &x) || !path_date_of(b, &y))
        return str_eq(a->text, b->text);
    return path_date_cmp(&x, &y, &order) ? order == 0 : -1;
}

static int equal_values(const struct path_item *a, const struct path_item *b)
{
    struct decimal x, y;
    if (a->kind == PATH_QUANTITY || b->kind == PATH_QUANTITY) {
        int order;
        bool amounts = (a->kind == PATH_QUANTITY || path_is_number(a)) &&
                       (b->kind == PATH_QUANTITY || path_is_number(b));
        return !amounts ? 0 : path_quantity_cmp(a, b, &order) ? order == 0 : -1;
    }
    if (path_is_number(a) && path_is_number(b)) {
        if (a->kind == PATH_INTEGER && b->kind == PATH_INTEGER)
            return a->integer == b->integer;
        return path_number(a, &x) && path_number(b, &y) && decimal_cmp(x, y) == 0;
    }
    if ((is_date(a) && is_date(b)) || (a->kind == PATH_TIME && b->kind == PATH_TIME))
        return equal_dates(a, b);
    if (a->kind != b->kind)
        return 0;
    return a->kind == PATH_BOOLEAN ? a->boolean == b->boolean : str_eq(a->text, b->text);
}

static int equal_nodes(const struct path_item *a, const struct path_item *b)
{
    if (a->node.doc == b->node.doc && a->node.at == b->node.at && a->node.doc)
        return 1;
    if (!a->node.doc || !b->node.doc) /* extensions alone */
        return !a->node.doc && !b->node.doc && json_same(a->extra, b->extra, false);
    return json_same(a->node, b->node, false);
}

int path_equal(struct ctx *cx, const struct path_item *a, const struct path_item *b)
{
    struct path_item x, y;
    bool a_simple = path_value(cx, a, &x), b_simple = path_value(cx, b, &y);
    if (a->kind == PATH_TYPE && b->kind == PATH_TYPE)
        return str_eq(a->text, b->text) && str_eq(a->unit, b->unit);
    bool both_nodes = a->kind == PATH_NODE && b->kind == PATH_NODE;
    if (both_nodes && (!a_simple || !b_simple || x.kind == PATH_QUANTITY)) {
        if (equal_nodes(a, b) || !a_simple || !b_simple)
            return equal_nodes(a, b);
    }
    return a_simple && b_simple ? equal_values(&x, &y) : 0;
}

/* ---- equivalent ---- */

static int32_t next_letter(str s, size_t *at)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s.p + *at,
                                          (utf8proc_ssize_t)(s.n - *at), &c);
    *at += n > 0 ? (size_t)n : 1;
    return n > 0 ? utf8proc_tolower(c) : 0xFFFD;
}

static bool is_space(int32_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0xA0;
}

/* The next letter, a run of white space counting as one space; -1 at the end. */
static int32_t next_folded(str s, size_t *at)
{
    if (*at >= s.n)
        return -1;
    int32_t c = next_letter(s, at);
    if (!is_space(c))
        return c;
    while (*at < s.n) {
        size_t ahead = *at;
        if (!is_space(next_letter(s, &ahead)))
            break;
        *at = ahead;
    }
    return ' ';
}

static bool same_text_folded(str a, str b)
{
    a = str_trim(a);
    b = str_trim(b);
    size_t i = 0, j = 0;
    for (;;) {
        int32_t x = next_folded(a, &i), y = next_folded(b, &j);
        if (x != y)
            return false;
        if (x < 0)
            return true;
    }
}

bool path_same_to_precision(struct decimal a, struct decimal b)
{
    a = decimal_strip(a);
    b = decimal_strip(b);
    int places = a.scale < b.scale ? a.scale : b.scale;
    return decimal_round(a, places, &a) && decimal_round(b, places, &b) && decimal_cmp(a, b) == 0;
}

static bool equivalent_values(const struct path_item *a, const struct path_item *b)
{
    struct decimal x, y;
    struct path_date p, q;
    if (a->kind == PATH_QUANTITY || b->kind == PATH_QUANTITY)
        return path_quantity_equivalent(a, b);
    if (path_is_number(a) && path_is_number(b))
        return path_number(a, &x) && path_number(b, &y) && path_same_to_precision(x, y);
    if (path_date_of(a, &p) && path_date_of(b, &q))
        return (p.kind == PATH_TIME_ONLY) == (q.kind == PATH_TIME_ONLY) && path_date_same(&p, &q);
    if (a->kind != b->kind)
        return false;
    return a->kind == PATH_BOOLEAN ? a->boolean == b->boolean : same_text_folded(a->text, b->text);
}

static bool equivalent_json(struct ctx *cx, struct json a, struct json b);

/* Arrays as bags: every item of one has its own equivalent in the other. */
static bool equivalent_arrays(struct ctx *cx, struct json a, struct json b)
{
    size_t count = json_count(a);
    if (count != json_count(b))
        return false;
    bool *used = arena_zero(cx->arena, count + 1);
    for (struct json_walk x = json_walk(a); json_next(&x);) {
        size_t i = 0;
        bool found = false;
        for (struct json_walk y = json_walk(b); !found && json_next(&y); i++)
            if (!used[i] && equivalent_json(cx, x.value, y.value))
                used[i] = found = true;
        if (!found)
            return false;
    }
    return true;
}

static bool equivalent_json(struct ctx *cx, struct json a, struct json b)
{
    struct path_item x, y;
    if (json_is(a, JSON_OBJECT) && json_is(b, JSON_OBJECT)) {
        if (json_count(a) != json_count(b))
            return false;
        for (struct json_walk w = json_walk(a); json_next(&w);)
            if (!equivalent_json(cx, w.value, json_get(b, json_string(cx->arena, w.key))))
                return false;
        return true;
    }
    if (json_is(a, JSON_ARRAY) && json_is(b, JSON_ARRAY))
        return equivalent_arrays(cx, a, b);
    if (untyped_value(cx, a, &x) && untyped_value(cx, b, &y))
        return equivalent_values(&x, &y);
    return json_kind(a) == json_kind(b) && json_is(a, JSON_NULL);
}

bool path_equivalent(struct ctx *cx, const struct path_item *a, const struct path_item *b)
{
    struct path_item x, y;
    if (path_value(cx, a, &x) && path_value(cx, b, &y))
        return equivalent_values(&x, &y);
    if (a->kind == PATH_NODE && b->kind == PATH_NODE)
        return equivalent_json(cx, a->node, b->node);
    return path_equal(cx, a, b) == 1;
}

/* ---- hash and order ---- */

uint64_t path_hash(struct ctx *cx, const struct path_item *item)
{
    struct path_item value;
    struct decimal number;
    enum { QUANTITY = 7, DATE = 11, ELEMENT = 13 };
    if (!path_value(cx, item, &value))
        return ELEMENT + json_count(item->node);
    if (value.kind == PATH_STRING)
        return str_hash(value.text);
    if (path_is_number(&value) && path_number(&value, &number)) {
        double size = decimal_to_double(decimal_strip(number));
        uint64_t bits;
        memcpy(&bits, &size, sizeof bits);
        return bits;
    }
    if (value.kind == PATH_BOOLEAN)
        return value.boolean;
    return value.kind == PATH_QUANTITY ? QUANTITY : DATE;
}

enum path_order path_order(const struct path_item *a, const struct path_item *b)
{
    struct decimal x, y;
    struct path_date p, q;
    int order;
    if (path_is_number(a) && path_is_number(b)) {
        if (!path_number(a, &x) || !path_number(b, &y))
            return PATH_ORDER_UNKNOWN;
        return (enum path_order)decimal_cmp(x, y);
    }
    if (a->kind == PATH_QUANTITY || b->kind == PATH_QUANTITY) {
        bool amounts = (a->kind == PATH_QUANTITY || path_is_number(a)) &&
                       (b->kind == PATH_QUANTITY || path_is_number(b));
        if (!amounts)
            return PATH_ORDER_WRONG;
        return path_quantity_cmp(a, b, &order) ? (enum path_order)order : PATH_ORDER_UNKNOWN;
    }
    if (a->kind == PATH_STRING && b->kind == PATH_STRING) {
        order = str_cmp(a->text, b->text);
        return order < 0 ? PATH_ORDER_LESS : order > 0 ? PATH_ORDER_MORE : PATH_ORDER_SAME;
    }
    bool dates = (is_date(a) && is_date(b)) || (a->kind == PATH_TIME && b->kind == PATH_TIME);
    if (!dates)
        return PATH_ORDER_WRONG;
    if (!path_date_of(a, &p) || !path_date_of(b, &q) || !path_date_cmp(&p, &q, &order))
        return PATH_ORDER_UNKNOWN;
    return (enum path_order)order;
}
