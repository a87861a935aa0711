// SPDX-License-Identifier: Apache-2.0
// Search parameter expressions, cut down to one resource type and brought into one form:
//   (Observation.value as Quantity)   becomes  Observation.value.ofType(Quantity)
//   Condition.abatement.as(Age)       becomes  Condition.abatement.ofType(Age)
//   name | alias                      becomes  InsurancePlan.name | InsurancePlan.alias
//   Resource.meta.tag                 becomes  Patient.meta.tag

const TYPE_NAMES = { DateTime: 'dateTime', Date: 'date', String: 'string', Boolean: 'boolean' };
const typeName = (name) => TYPE_NAMES[name] || name;

// Splits at '|' outside brackets and quotes.
function branches(expression) {
  const out = [''];
  let depth = 0;
  let quoted = false;
  for (const c of expression) {
    if (c === "'")
      quoted = !quoted;
    if (!quoted && (c === '(' || c === '['))
      depth++;
    if (!quoted && (c === ')' || c === ']'))
      depth--;
    if (c === '|' && depth === 0 && !quoted)
      out.push('');
    else
      out[out.length - 1] += c;
  }
  return out.map((branch) => branch.trim()).filter(Boolean);
}

function normalise(branch) {
  const cast = (_, path, type) => `${path}.ofType(${typeName(type)})`;
  let text = branch.trim();
  let before;
  do {
    before = text;
    text = text.replace(/\(([\w.]+) as (\w+)\)/g, cast)
      .replace(/^([\w.]+) as (\w+)$/, cast)
      .replace(/\.as\((\w+)\)/g, (_, type) => `.ofType(${typeName(type)})`)
      .replace(/^\(([^()]*)\)$/, '$1');
  } while (text !== before);
  return text;
}

// The part of the expression that concerns `type`; '' when the parameter has none.
export function expressionFor(parameter, type) {
  const kept = [];
  for (const branch of branches(parameter.expression || '').map(normalise)) {
    const root = /^[A-Za-z]\w*/.exec(branch)[0];
    if (root === type)
      kept.push(branch);
    else if (root === 'Resource' || root === 'DomainResource')
      kept.push(type + branch.slice(root.length));
    else if (/^[a-z]/.test(root))
      kept.push(`${type}.${branch}`);
  }
  return [...new Set(kept)].join(' | ');
}

export const componentExpressions = (expression) => branches(expression).map(normalise).join(' | ');
