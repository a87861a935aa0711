// SPDX-License-Identifier: Apache-2.0
// Expands a value set from the code systems of the R4 definitions themselves.

// ISO 4217 is a closed list R4 refers to without carrying it: the codes in force, and those
// withdrawn since 2019, which records of R4's time still hold.
const CURRENCIES = (
  'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV ' +
  'BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE ' +
  'CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GGP GHS GIP GMD GNF GTQ GYD ' +
  'HKD HNL HRK HTG HUF IDR ILS IMP INR IQD IRR ISK JEP JMD JOD JPY KES KGS KHR KMF ' +
  'KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR ' +
  'MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG ' +
  'QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP ' +
  'SZL THB TJS TMT TND TOP TRY TTD TVD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED ' +
  'VEF VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD XDR XOF XPD XPF XPT XSU XTS ' +
  'XUA XXX YER ZAR ZMW ZWL').split(' ');
const OWN_SYSTEMS = new Map([['urn:iso:std:iso:4217', CURRENCIES]]);

// Calls visit(concept, ancestors) over a concept tree, whichever way the hierarchy is written.
function walk(concepts, ancestors, visit) {
  for (const concept of concepts || []) {
    const parents = (concept.property || [])
      .filter((p) => p.code === 'subsumedBy' || p.code === 'parent').map((p) => p.valueCode);
    visit(concept.code, [...ancestors, ...parents], concept);
    walk(concept.concept, [...ancestors, concept.code], visit);
  }
}

function conceptsOf(system, sources) {
  if (OWN_SYSTEMS.has(system))
    return OWN_SYSTEMS.get(system).map((code) => ({ code, ancestors: [], concept: {} }));
  const codeSystem = sources.codeSystems.get(system);
  if (!codeSystem || codeSystem.content !== 'complete')
    return null;
  const out = [];
  walk(codeSystem.concept, [],
    (code, ancestors, concept) => out.push({ code, ancestors, concept }));
  const parents = new Map(out.map((row) => [row.code, row.ancestors]));
  for (const row of out) { // 'parent' properties name one level only: follow them up
    const all = new Set();
    const queue = [...row.ancestors];
    while (queue.length) {
      const next = queue.pop();
      if (!all.has(next)) {
        all.add(next);
        queue.push(...(parents.get(next) || []));
      }
    }
    row.ancestors = all;
  }
  return out;
}

function passes(row, filter) {
  const values = (row.concept.property || []).filter((p) => p.code === filter.property)
    .map((p) => String(p.valueCode ?? p.valueString ?? p.valueBoolean ?? p.valueInteger));
  switch (filter.op) {
    case 'is-a': return row.code === filter.value || row.ancestors.has(filter.value);
    case 'descendent-of': return row.ancestors.has(filter.value);
    case 'is-not-a': return row.code !== filter.value && !row.ancestors.has(filter.value);
    case '=': return values.includes(filter.value);
    case 'in': return filter.value.split(',').includes(row.code);
    case 'not-in': return !filter.value.split(',').includes(row.code);
    case 'exists': return (values.length > 0) === (filter.value === 'true');
    case 'regex': return new RegExp(`^(${filter.value})$`).test(row.code);
    default: throw new Error(`value set filter ${filter.op} is not known`);
  }
}

// The codes of one include or exclude as a map from "system|code"; null when they are not known.
function part(include, sources, seen) {
  let rows = null;
  if (include.system) {
    const all = include.concept ? include.concept.map(({ code }) => ({ code }))
      : conceptsOf(include.system, sources);
    if (!all)
      return null;
    rows = new Map(all.filter((row) => (include.filter || []).every((f) => passes(row, f)))
      .map(({ code }) => [`${include.system}|${code}`, { code, system: include.system }]));
  }
  for (const url of include.valueSet || []) {
    const other = expand(url.replace(/\|.*/, ''), sources, seen);
    if (!other)
      return null;
    rows = rows ? new Map([...rows].filter(([key]) => other.has(key))) : new Map(other);
  }
  return rows || new Map();
}

function expand(url, sources, seen) {
  const valueSet = sources.valueSets.get(url);
  if (!valueSet || !valueSet.compose || seen.includes(url))
    return null;
  const out = new Map();
  for (const include of valueSet.compose.include || []) {
    const rows = part(include, sources, [...seen, url]);
    if (!rows)
      return null;
    rows.forEach((row, key) => out.set(key, row));
  }
  for (const exclude of valueSet.compose.exclude || [])
    (part(exclude, sources, [...seen, url]) || new Map()).forEach((row, key) => out.delete(key));
  return out;
}

// Rows { code, system } sorted by the bytes of the code; empty when it cannot be expanded here.
export function expandValueSet(url, sources) {
  const rows = [...(expand(url, sources, []) || new Map()).values()];
  const key = (row) => Buffer.from(row.code);
  return rows.sort((a, b) => Buffer.compare(key(a), key(b)) ||
    (a.system < b.system ? -1 : a.system > b.system ? 1 : 0));
}
