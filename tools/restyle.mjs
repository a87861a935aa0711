// SPDX-License-Identifier: Apache-2.0
// What is done to nhsuk-frontend's prebuilt CSS before it is ours to serve.
//
// - The two @font-face rules go (they load a licensed font from another host), and the font's name.
// - Components no page here uses go: the NHS header, hero, footer and others, and old browsers' hacks.
// - Fixed colours become tokens (web/styles/tokens.css), by what they are used for, so that night is
//   one other set of values and not a second style sheet.

const FONT = 'Arial,"Liberation Sans",Helvetica,sans-serif';
const UNUSED = new RegExp('nhsuk-(' + [
  'header', 'hero', 'footer', 'image', 'file-upload', 'action-link', 'do-dont', 'contents-list',
  'login-button', 'button--login', 'character-count', 'promo', 'u-static', 'panel', 'expander',
  'card--emergency', 'card--immediate', 'card--urgent', 'card--non-urgent', 'card--feature',
  'card__img', 'card__icon', 'logo', 'a-to-z', 'interruption', 'password-input', 'task-list',
  'card-group', 'icon--logo', 'button-group--reverse', 'button--brand', 'u-nowrap', 'review-date',
  'search-input', 'frontend-supported', 'button--reverse', 'link--reverse',
].join('|') + ')(?![a-z]|-[a-z])');
const OLD = /-ms-high-contrast|screen\\0/;

// What a property's colour is used for.
const use = (property) => {
  if (/^background/.test(property)) return 'back';
  if (/border|outline|box-shadow|column-rule/.test(property)) return 'line';
  return 'text';
};
const TOKENS = {
  back: {
    '#fff': 'surface', '#f0f4f5': 'page', '#d8dde0': 'page-edge', '#005eb8': 'brand',
    '#007f3b': 'button', '#00662f': 'button-hover', '#00401e': 'button-active',
    '#d9e7f4': 'tint', '#c7dcef': 'tint-strong', '#d5281b': 'warning', '#212b32': 'strong',
    '#e0e4e6': 'page-hover',
  },
  line: {
    '#d8dde0': 'border', '#aeb7bd': 'border-hover', '#4c6272': 'input-border', '#005eb8': 'link',
    '#212b32': 'strong-line', '#d5281b': 'error', '#007f3b': 'success', '#fff': 'surface',
    '#00401e': 'button-shadow', '#f0f4f5': 'page', '#768692': 'input-border',
  },
  text: {
    '#212b32': 'text', '#4c6272': 'text-quiet', '#005eb8': 'link', '#330072': 'link-visited',
    '#7c2855': 'link-hover', '#002f5c': 'link-active', '#d5281b': 'error', '#007f3b': 'success',
    '#768692': 'text-quiet', '#003087': 'link-active',
  },
};
// Fixed on both sides: black on the yellow of focus, in the light by day and by night.
const FOCUS = /#ffeb3b/;

// Top-level pieces of a style sheet: { head, body } with body null for an at-rule without a block.
function pieces(css) {
  const found = [];
  let at = 0;
  while (at < css.length) {
    const open = css.indexOf('{', at);
    const semicolon = css.indexOf(';', at);
    if (semicolon >= 0 && (open < 0 || semicolon < open)) {
      found.push({ head: css.slice(at, semicolon), body: null });
      at = semicolon + 1;
      continue;
    }
    if (open < 0) break;
    let depth = 1;
    let end = open + 1;
    for (; depth && end < css.length; end += 1) {
      if (css[end] === '{') depth += 1;
      else if (css[end] === '}') depth -= 1;
    }
    found.push({ head: css.slice(at, open).trim(), body: css.slice(open + 1, end - 1) });
    at = end;
  }
  return found;
}

function recolour(declarations) {
  if (FOCUS.test(declarations)) return declarations;
  return declarations.split(/;(?![^(]*\))/).map((declaration) => {
    const colon = declaration.indexOf(':');
    const property = declaration.slice(0, colon).trim();
    const tokens = TOKENS[use(property)];
    return declaration.slice(0, colon + 1) + declaration.slice(colon + 1).replace(
      /#[0-9a-f]{3,6}\b/g, (colour) => (tokens[colour] ? `var(--${tokens[colour]})` : colour));
  }).join(';');
}

function rule({ head, body }) {
  if (body === null) return head.startsWith('@charset') ? '' : `${head};`;
  if (/^@font-face/.test(head) || OLD.test(head) || /^:root/.test(head)) return '';
  if (/^@(media|supports)/.test(head)) {
    const inside = pieces(body).map(rule).join('');
    return inside ? `${head}{${inside}}` : '';
  }
  const selectors = head.split(/,(?![^(]*\))/).filter((s) => !UNUSED.test(s));
  return selectors.length ? `${selectors.join(',')}{${recolour(body)}}` : '';
}

export function restyle(css) {
  return pieces(css.replace(/\/\*[^]*?\*\//g, '')).map(rule).join('\n')
    .replace(/Frutiger W01,arial,sans-serif/g, FONT).replace(/Frutiger W01/g, FONT)
    .replace(/url\(\/assets\/images\/[^)]*\)/g, 'none');
}
