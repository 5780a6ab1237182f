// Builds everything into build/: stale output is removed first, so that no dead file is ever tested.
'use strict';
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '../..');
process.chdir(root);

async function compileKernels() {
  const wabt = await require('wabt')();
  for (const file of fs.readdirSync('src', { recursive: true })) {
    if (!file.endsWith('.wat')) continue;
    const name = path.join('src', file);
    const features = { threads: true, bulk_memory: true, simd: true };
    const parsed = wabt.parseWat(name, fs.readFileSync(name, 'utf8'), features);
    parsed.resolveNames();
    // wabt 1.0.39 refuses shared memories when it validates; V8 validates the binary when it loads it.
    const target = path.join('build', name.replace(/\.wat$/, '.wasm'));
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, parsed.toBinary({}).buffer);
  }
}

fs.rmSync('build', { recursive: true, force: true });
/** The page of the dashboard is compiled apart: it runs in a browser, as modules. */
const PAGE = 'src/dashboard/page';
const ASSETS = 'build/src/dashboard/assets';
for (const project of ['tsconfig.json', path.join(PAGE, 'tsconfig.json')])
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], { stdio: 'inherit' });
for (const file of fs.readdirSync(PAGE))
  if (/\.(html|css|svg)$/.test(file)) fs.copyFileSync(path.join(PAGE, file), path.join(ASSETS, file));

/**
 * TypeScript first sets every export to undefined. An export that is stored once is a constant to V8,
 * one that is stored twice is a load in the data plane's hot path: the first store goes, its line stays.
 */
function storeExportsOnce() {
  for (const name of fs.readdirSync('build/src', { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const file = path.join('build/src', name);
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, text.replace(/^exports\.[\w.= ]+ = void 0;$/m, ''));
  }
}

/** What guests run is compiled for them, where they are started. */
function copyGuestPrograms() {
  const folder = 'src/cli/clients';
  for (const name of fs.readdirSync(folder))
    if (name.endsWith('.c')) fs.copyFileSync(path.join(folder, name), path.join('build', folder, name));
}

storeExportsOnce();
copyGuestPrograms();
compileKernels().then(() => fs.chmodSync('build/src/main.js', 0o755)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
