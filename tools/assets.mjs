// SPDX-License-Identifier: Apache-2.0
// Bundles web/ into C tables: styles, scripts and pictures, hashed and compressed.
//   node tools/assets.mjs ROOT OUT.c OUT.h
//   node tools/assets.mjs ROOT --to FOLDER     the same as plain files, for serve --web-dir FOLDER
import { build, transform } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { restyle } from './restyle.mjs';

const [root, outC, outH] = process.argv.slice(2);
const TYPES = {
  css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8', svg: 'image/svg+xml',
};

async function styles() {
  const nhsuk = readFileSync(
    join(root, 'node_modules/nhsuk-frontend/dist/nhsuk/nhsuk-frontend.min.css'), 'utf8');
  const own = readdirSync(join(root, 'web/styles')).filter((f) => f.endsWith('.css')).sort()
    .map((f) => readFileSync(join(root, 'web/styles', f), 'utf8')).join('\n');
  const css = `${restyle(nhsuk)}\n${own}`;
  const { code } = await transform(css, { loader: 'css', minify: true, legalComments: 'none' });
  return { name: 'app.css', data: Buffer.from(code) };
}

async function islands() {
  const entries = readdirSync(join(root, 'web/islands')).filter((f) => f.endsWith('.ts')).sort();
  const result = await build({
    entryPoints: entries.map((f) => join(root, 'web/islands', f)), bundle: true, write: false,
    minify: true, format: 'esm', target: 'es2020', outdir: 'out', legalComments: 'none',
  });
  return result.outputFiles.map((f) => ({ name: basename(f.path), data: Buffer.from(f.contents) }));
}

function pictures() {
  return readdirSync(join(root, 'web/pictures')).filter((f) => f.endsWith('.svg')).sort()
    .map((name) => ({ name, data: readFileSync(join(root, 'web/pictures', name)) }));
}

function describe({ name, data }) {
  const [stem, extension] = name.split('.');
  const hash = createHash('sha256').update(data).digest('hex').slice(0, 12);
  const smaller = (packed) => (packed.length < data.length ? packed : Buffer.alloc(0));
  return {
    name, data, hash, type: TYPES[extension], url: `/assets/${stem}-${hash}.${extension}`,
    symbol: `ASSET_${stem}_${extension}`.toUpperCase().replace(/-/g, '_'),
    gzip: smaller(gzipSync(data, { level: 9 })),
    brotli: smaller(brotliCompressSync(data, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: data.length },
    })),
  };
}

function bytes(symbol, data) {
  if (!data.length) return '';
  const rows = [];
  for (let at = 0; at < data.length; at += 24) rows.push(`    ${[...data.subarray(at, at + 24)].join(', ')},`);
  return `static const unsigned char ${symbol}[] = {\n${rows.join('\n')}\n};\n`;
}

const text = (symbol, data) => (data.length
  ? `{ (const char *)${symbol}, sizeof ${symbol} }` : '{ NULL, 0 }');

const found = [await styles(), ...(await islands()), ...pictures()];
if (outC === '--to') {
  mkdirSync(outH, { recursive: true });
  for (const { name, data } of found) writeFileSync(join(outH, name), data);
  process.exit(0);
}
const assets = found.map(describe);
const note = '/* Made by tools/assets.mjs from web/. */\n';
const row = (a) => `    { ${a.symbol}, "${a.type}", "\\"${a.hash}\\"",\n      ${
  ['plain', 'gzip', 'brotli'].map((form) => text(`${a.symbol.toLowerCase()}_${form}`,
    form === 'plain' ? a.data : a[form])).join(',\n      ')} },\n`;
writeFileSync(outH, `${note}#pragma once\n${assets.map((a) => `#define ${a.symbol} "${a.url}"\n`).join('')}`);
writeFileSync(outC, `${note}#include "${basename(outH)}"\n#include "ui/asset.h"\n\n${
  assets.map((a) => bytes(`${a.symbol.toLowerCase()}_plain`, a.data)
    + bytes(`${a.symbol.toLowerCase()}_gzip`, a.gzip)
    + bytes(`${a.symbol.toLowerCase()}_brotli`, a.brotli)).join('')
}\nconst struct ui_asset ui_assets[] = {\n${assets.map(row).join('')}    { 0 },\n};\n`);
if (process.env.SIZES) {
  for (const a of assets) console.log(a.name, a.data.length, a.gzip.length, a.brotli.length);
}
