/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"
#include "fhir/decimal.h"
#include "fhir/def.h"
#include "fhir/path.h"
#include "fhir/path_date.h"
#include <stdatomic.h>

/*
 * path_program: what a compiled FHIRPath expression is, and the machine that runs it. For path_*.c.
 *
 * Shapes   the program is a tree of nodes. The machine keeps one stack of items: running a node
 *          pushes its result; whoever called moves it down over what it consumed. Singletons
 *          allocate nothing.
 */
enum path_op {
    PATH_OP_LITERAL, PATH_OP_EMPTY, PATH_OP_THIS, PATH_OP_INDEX, PATH_OP_TOTAL, PATH_OP_VARIABLE,
    PATH_OP_NAME,      /* the first name of a path: the type of the focus, or a child of it */
    PATH_OP_CHILD, PATH_OP_CALL, PATH_OP_INDEXER, PATH_OP_NEGATE, PATH_OP_PLUS_SIGN,
    PATH_OP_MULTIPLY, PATH_OP_DIVIDE, PATH_OP_DIV, PATH_OP_MOD,
    PATH_OP_ADD, PATH_OP_SUBTRACT, PATH_OP_CONCATENATE, PATH_OP_IS, PATH_OP_AS, PATH_OP_UNION,
    PATH_OP_LESS, PATH_OP_LESS_EQUAL, PATH_OP_GREATER, PATH_OP_GREATER_EQUAL,
    PATH_OP_EQUAL, PATH_OP_NOT_EQUAL, PATH_OP_EQUIVALENT, PATH_OP_NOT_EQUIVALENT,
    PATH_OP_IN, PATH_OP_CONTAINS, PATH_OP_AND, PATH_OP_OR, PATH_OP_XOR, PATH_OP_IMPLIES
};
enum { PATH_ARGS_MAX = 8, PATH_CHAIN_MAX = 1000, PATH_ITEMS_MAX = 200000, PATH_STACK_ITEMS = 24,
       PATH_TEXT_BYTES_MAX = 64 << 20, PATH_VARIABLES_MAX = 100 };

/* The namespace of a type named in an expression. */
enum path_space { PATH_ANY_SPACE, PATH_SYSTEM, PATH_FHIR };
struct path_type_name {
    enum path_space space;
    str name;
    uint16_t fhir;      /* FHIR_NONE: not a FHIR type */
    int system;         /* enum path_kind; -1: not a System type */
};

struct path_function;
struct path_code {
    enum path_op op;
    uint32_t at;        /* byte in the text, for messages */
    uint16_t depth;     /* of the tree below */
    uint8_t args_count; /* operands of an operator are args 0 and 1 */
    struct path_code *left; /* the input of CHILD, CALL, INDEXER; NULL: the focus */
    struct path_code *args[2];
    struct path_code **more; /* all args of a call with more than two */
    str name;
    struct path_item literal;
    struct path_type_name type;
    const struct path_function *function;
    uint16_t root_type; /* NAME: the FHIR type of that name, FHIR_NONE */
    /* CHILD, NAME: type seen last << 16 | its element + 1 (0: none). A hint any thread may
     * replace. */
    _Atomic uint32_t seen;
};
struct path {
    str text;
    struct path_code *root;
};

static inline struct path_code *path_arg(const struct path_code *code, size_t i)
{
    return code->more ? code->more[i] : code->args[i];
}

struct path_span {
    uint32_t from, count; /* items on the machine's stack */
};
struct path_defined {
    str name;
    struct path_result value;
};
struct path_machine {
    struct ctx *cx;
    const struct path *path;
    const struct path_run *run;
    struct path_item *stack;
    uint32_t top, cap;
    int64_t steps;
    size_t text_bytes;
    int depth;
    const struct path_item *self;   /* $this; NULL: empty */
    int64_t index;                  /* $index */
    struct path_result total;       /* $total */
    const struct path_item *context; /* NULL: none */
    struct path_defined *defined;   /* defineVariable(), innermost last */
    uint32_t defined_count;
    const struct path_code *now;    /* for messages */
};

/* A function: the input is on the stack; it pushes its result and says in `out` where that
 * begins. */
struct path_call {
    const struct path_code *code;
    struct path_span in;
    uint32_t out;
};
struct path_function {
    const char *name;
    uint8_t args_least, args_most;
    err (*run)(struct path_machine *m, struct path_call *call);
    uint8_t flags;      /* PATH_LAMBDA ... */
    const char *result; /* for path_check: "Boolean", "in" (the input's), "any", ... */
};
enum { PATH_LAMBDA = 1, PATH_TYPE_ARG = 2, PATH_ORDERED = 4, PATH_SINGLE = 8, PATH_STRING_IN = 16,
       PATH_UNORDERED_OUT = 32 };
const struct path_function *path_function_find(str name);

/* path_parse.c: only text to tree. */
err path_parse(struct ctx *cx, str text, struct path *path) MUST_USE;
bool path_type_of_name(str space, str name, struct path_type_name *out);
/* Views in the field write ofType(Instant) and ofType(Time) for FHIR's instant and time: a System
 * name without a namespace also stands for the FHIR primitive of that spelling. */
void path_type_for_view(struct arena *arena, struct path_type_name *type);

/* path.c: %resource, or %rootResource; node absent when there is none. */
struct path_item path_place(const struct path_machine *m, bool root);

/* path_machine.c */
err path_fail(struct path_machine *m, err kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
err path_step(struct path_machine *m, int64_t count) MUST_USE;
err path_push(struct path_machine *m, struct path_item item) MUST_USE;
err path_push_bool(struct path_machine *m, bool value) MUST_USE;
err path_push_int(struct path_machine *m, int64_t value) MUST_USE;
err path_push_text(struct path_machine *m, enum path_kind kind, str text) MUST_USE;
err path_push_decimal(struct path_machine *m, struct decimal value) MUST_USE;
err path_text_made(struct path_machine *m, size_t bytes) MUST_USE; /* counts against the budget */
/* Drops [to, from): what stands above moves down. */
void path_drop(struct path_machine *m, uint32_t to, uint32_t from);
err path_exec(struct path_machine *m, const struct path_code *code) MUST_USE;
/* Runs `code`, leaving its items on the stack. */
err path_exec_span(struct path_machine *m, const struct path_code *code,
                   struct path_span *out) MUST_USE;
/* Runs the lambda body with $this and $index set. */
err path_exec_on(struct path_machine *m, const struct path_code *code, const struct path_item *self,
                 int64_t index, struct path_span *out) MUST_USE;
/* Copied to the arena. */
struct path_result path_keep(struct path_machine *m, struct path_span span);
/* -1 empty, 0 false, 1 true; an error for several items. */
err path_span_truth(struct path_machine *m, struct path_span span, int *out) MUST_USE;
/* The one item as a System value; *given false when empty. An error for several. */
err path_span_value(struct path_machine *m, struct path_span span, struct path_item *out,
                    bool *given) MUST_USE;
/* Runs argument i and takes it off again. */
err path_arg_value(struct path_machine *m, const struct path_call *call, size_t i,
                   struct path_item *out, bool *given) MUST_USE;
err path_arg_string(struct path_machine *m, const struct path_call *call, size_t i, str *out,
                    bool *given) MUST_USE;
err path_arg_int(struct path_machine *m, const struct path_call *call, size_t i, int64_t *out,
                 bool *given) MUST_USE;

/* path_node.c: children and types. */
err path_push_children(struct path_machine *m, const struct path_item *item, struct path_code *code)
    MUST_USE;
err path_push_all_children(struct path_machine *m, const struct path_item *item) MUST_USE;
uint16_t path_resource_type(struct json node);
bool path_item_is(const struct path_item *item, const struct path_type_name *type, bool exact);
/* The elements of a type called `name`: the first, and whether there are more (a choice). */
const struct fhir_element *path_element_named(uint16_t type, str name);

/* path_value.c */
bool path_value(struct ctx *cx, const struct path_item *item, struct path_item *out);
bool path_is_number(const struct path_item *value);
bool path_number(const struct path_item *value, struct decimal *out);
bool path_date_of(const struct path_item *value, struct path_date *out);
/* 1 equal, 0 not, -1 unknown. */
int path_equal(struct ctx *cx, const struct path_item *a, const struct path_item *b);
bool path_equivalent(struct ctx *cx, const struct path_item *a, const struct path_item *b);
uint64_t path_hash(struct ctx *cx, const struct path_item *item); /* equal items, equal hashes */
enum path_order { PATH_ORDER_LESS = -1, PATH_ORDER_SAME, PATH_ORDER_MORE, PATH_ORDER_UNKNOWN,
                  PATH_ORDER_WRONG };
enum path_order path_order(const struct path_item *a, const struct path_item *b);
struct path_item path_boolean(bool value);
struct path_item path_integer(int64_t value);
struct path_item path_text_item(enum path_kind kind, str text);

/* path_operator.c */
err path_binary(struct path_machine *m, const struct path_code *code) MUST_USE;
err path_negate(struct path_machine *m, const struct path_code *code) MUST_USE;
err path_push_distinct(struct path_machine *m, struct path_span in, uint32_t out) MUST_USE;

/* Function tables, one a file. */
extern const struct path_function path_functions_collection[], path_functions_text[],
    path_functions_math[], path_functions_convert[], path_functions_fhir[], path_functions_date[];
