/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/primitive.h"
#include "fhir/datetime.h"

enum { ID_MAX = 64 };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static size_t digits_at(str text, size_t from)
{
    size_t at = from;
    while (at < text.n && is_digit(text.p[at]))
        at++;
    return at - from;
}

/* Characters a stored string must not hold: controls other than tab, line feed, carriage return. */
static bool has_control(str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 && !is_space(text.p[i]))
            return true;
    return false;
}

static bool has_space(str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ')
            return true;
    return false;
}

static const char *string_fault(str text)
{
    if (text.n == 0)
        return "is empty; leave the element out instead";
    if (text.n > PRIMITIVE_STRING_MAX)
        return "is longer than 1 MiB";
    return has_control(text) ? "holds a control character" : NULL;
}

/* No white space at the ends, single ones inside. */
static const char *code_fault(str text)
{
    static const char wrong[] =
        "is not a code: no white space at its ends, and never two together";
    const char *fault = string_fault(text);
    if (fault)
        return fault;
    bool space_before = true;
    for (size_t i = 0; i < text.n; i++) {
        bool space = is_space(text.p[i]);
        if (space && space_before)
            return wrong;
        space_before = space;
    }
    return space_before ? wrong : NULL;
}

static const char *id_fault(str text)
{
    bool fine = text.n >= 1 && text.n <= ID_MAX;
    for (size_t i = 0; fine && i < text.n; i++)
        fine = is_letter(text.p[i]) || is_digit(text.p[i]) || text.p[i] == '-' || text.p[i] == '.';
    return fine ? NULL : "is not an id: 1 to 64 letters, digits, '-' and '.'";
}

static const char *uri_fault(str text)
{
    const char *fault = string_fault(text);
    return fault || !has_space(text) ? fault : "is not a URI: it holds white space";
}

static const char *oid_fault(str text)
{
    static const char wrong[] = "is not an OID: urn:oid:1.2.840 is one";
    str rest = text, arc;
    if (!str_starts(text, S("urn:oid:")) || text.n < 11 || text.p[8] > '2')
        return wrong;
    rest = str_slice(text, 8, text.n);
    size_t arcs = 0;
    bool dot_last = str_ends(text, S("."));
    while (str_next(&rest, '.', &arc)) {
        if (arc.n == 0 || digits_at(arc, 0) != arc.n || (arc.p[0] == '0' && arc.n > 1) ||
            (arcs == 0 && arc.n != 1))
            return wrong;
        arcs++;
    }
    return arcs < 2 || dot_last ? wrong : NULL;
}

static const char *uuid_fault(str text)
{
    static const char shape[] = "urn:uuid:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    bool fine = text.n == sizeof shape - 1 && str_starts(text, S("urn:uuid:"));
    for (size_t i = 9; fine && i < text.n; i++) {
        char c = text.p[i];
        fine = shape[i] == 'x' ? is_digit(c) || (c >= 'a' && c <= 'f') : c == shape[i];
    }
    return fine ? NULL : "is not a UUID: urn:uuid: and 8-4-4-4-12 lower-case hexadecimal digits";
}

/* Whole numbers of 32 bits; the sign must be a minus, and nothing starts with 0 but 0. */
static const char *integer_fault(str text, int64_t least, const char *wrong)
{
    int64_t value;
    str digits = str_starts(text, S("-")) ? str_slice(text, 1, text.n) : text;
    bool fine = digits.n >= 1 && digits.n <= 10 && digits_at(digits, 0) == digits.n &&
                !(digits.p[0] == '0' && text.n > 1) && str_to_i64(text, &value) &&
                value >= least && value <= INT32_MAX;
    return fine ? NULL : wrong;
}

static const char *decimal_fault(str text)
{
    static const char wrong[] = "is not a decimal: -12.50 is one";
    size_t at = text.n && text.p[0] == '-', from = at;
    size_t whole = digits_at(text, at);
    at += whole;
    if (whole == 0 || (whole > 1 && text.p[from] == '0'))
        return wrong;
    size_t fraction = 0;
    if (at < text.n && text.p[at] == '.') {
        fraction = digits_at(text, at + 1);
        at += 1 + fraction;
        if (fraction == 0)
            return wrong;
    }
    size_t exponent = 0;
    if (at < text.n && (text.p[at] == 'e' || text.p[at] == 'E')) {
        at++;
        at += at < text.n && (text.p[at] == '+' || text.p[at] == '-');
        exponent = digits_at(text, at);
        at += exponent;
        if (exponent == 0)
            return wrong;
    }
    if (at != text.n)
        return wrong;
    return whole + fraction > PRIMITIVE_DIGITS_MAX || exponent > 3
               ? "has more than 100 digits, or an exponent of more than three" : NULL;
}

static bool is_base64(char c)
{
    return is_letter(c) || is_digit(c) || c == '+' || c == '/';
}

static const char *base64_fault(str text)
{
    static const char wrong[] = "is not base64: groups of four of A-Z a-z 0-9 + / and = at the end";
    size_t marks = 0, padding = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (is_space(c))
            continue;
        if (c == '=')
            padding++;
        else if (!is_base64(c) || padding)
            return wrong;
        marks++;
    }
    return marks == 0 || marks % 4 || padding > 2 ? wrong : NULL;
}

static const char *date_fault(enum fhir_primitive type, str text)
{
    struct datetime read;
    enum datetime_precision precision;
    int64_t ms;
    switch (type) {
    case FHIR_DATE:
        return datetime_parse(text, DATETIME_AS_DATE, &read) ? NULL
            : "is not a date: YYYY, YYYY-MM or YYYY-MM-DD of a day that exists";
    case FHIR_DATE_TIME:
        return datetime_parse(text, DATETIME_AS_DATE_TIME, &read) ? NULL
            : "is not a dateTime: a date, or YYYY-MM-DDThh:mm:ss with Z or a zone such as +01:00";
    case FHIR_INSTANT:
        return datetime_parse(text, DATETIME_AS_INSTANT, &read) ? NULL
            : "is not an instant: YYYY-MM-DDThh:mm:ss with Z or a zone such as +01:00";
    default:
        return datetime_parse_time(text, &ms, &precision) ? NULL : "is not a time: hh:mm:ss";
    }
}

const char *primitive_text_fault(enum fhir_primitive type, str text)
{
    switch (type) {
    case FHIR_BOOLEAN:
        return str_eq(text, S("true")) || str_eq(text, S("false")) ? NULL : "is not true or false";
    case FHIR_INTEGER:
        return integer_fault(text, INT32_MIN, "is not a whole number of 32 bits");
    case FHIR_UNSIGNED_INT:
        return integer_fault(text, 0, "is not a whole number of 0 or more");
    case FHIR_POSITIVE_INT:
        return integer_fault(text, 1, "is not a whole number of 1 or more");
    case FHIR_DECIMAL: return decimal_fault(text);
    case FHIR_STRING:
    case FHIR_MARKDOWN: return string_fault(text);
    case FHIR_CODE: return code_fault(text);
    case FHIR_ID: return id_fault(text);
    case FHIR_URI:
    case FHIR_URL:
    case FHIR_CANONICAL: return uri_fault(text);
    case FHIR_OID: return oid_fault(text);
    case FHIR_UUID: return uuid_fault(text);
    case FHIR_DATE:
    case FHIR_DATE_TIME:
    case FHIR_INSTANT:
    case FHIR_TIME: return date_fault(type, text);
    case FHIR_BASE64: return base64_fault(text);
    case FHIR_XHTML: return primitive_xhtml_fault(text);
    case FHIR_NOT_PRIMITIVE: break;
    }
    return "is not of a primitive type";
}

const char *primitive_fault(struct arena *arena, enum fhir_primitive type, struct json value)
{
    enum json_kind kind = json_kind(value);
    if (type == FHIR_BOOLEAN)
        return kind == JSON_TRUE || kind == JSON_FALSE ? NULL : "must be true or false, unquoted";
    if (type >= FHIR_INTEGER && type <= FHIR_DECIMAL) {
        if (kind != JSON_NUMBER)
            return "must be a number, unquoted";
        return primitive_text_fault(type, json_text(value));
    }
    if (kind != JSON_STRING)
        return "must be a text in quotes";
    bool prose = type == FHIR_STRING || type == FHIR_MARKDOWN;
    size_t n = json_node(value)->length;
    if (prose && !json_node(value)->escaped && n > 0 && n <= PRIMITIVE_STRING_MAX)
        return NULL; /* JSON itself lets no control character stand without an escape */
    return primitive_text_fault(type, json_string(arena, value));
}
