/**
 * Makes the fuzzer's prebuilt module loadable where glibc is older than 2.38 (Debian 12).
 *
 * The module imports three symbols by versions that such a glibc lacks. The two strto* functions are
 * the plain ones under a C23 name, the third only initialises iostreams. This edits the copy in
 * node_modules, a development-only file that is never shipped, and does nothing the second time.
 */
'use strict';
const fs = require('node:fs');

const GLIBC = [2, 38];
const PREFIX = '__isoc23_';
const RENAMED = ['__isoc23_strtol', '__isoc23_strtoul'];
const IOS_INIT = '_ZSt21ios_base_library_initv';
const HARMLESS = 'getpid';
const WEAK = 2;

function runtimeGlibc() {
  return process.report.getReport().header.glibcVersionRuntime.split('.').map(Number);
}

/** Section headers of an ELF64 little-endian file, by name. */
function sections(elf) {
  const at = Number(elf.readBigUInt64LE(0x28));
  const count = elf.readUInt16LE(0x3c);
  const raw = Array.from({ length: count }, (_, n) => {
    const here = at + 64 * n;
    return {
      name: elf.readUInt32LE(here), offset: Number(elf.readBigUInt64LE(here + 24)),
      size: Number(elf.readBigUInt64LE(here + 32)), info: elf.readUInt32LE(here + 44),
    };
  });
  const names = raw[elf.readUInt16LE(0x3e)].offset;
  return Object.fromEntries(raw.map((section) => [text(elf, names + section.name), section]));
}

function text(elf, at) {
  return elf.toString('latin1', at, elf.indexOf(0, at));
}

/** Version needs as (aux offset, name, index), and the index of the oldest glibc version needed. */
function versionNeeds(elf, needs, strings) {
  const found = [];
  let need = needs.offset;
  for (let n = 0; n < needs.info; n++) {
    const library = text(elf, strings + elf.readUInt32LE(need + 4));
    let aux = need + elf.readUInt32LE(need + 8);
    for (let k = 0; k < elf.readUInt16LE(need + 2); k++) {
      found.push({ at: aux, library, name: text(elf, strings + elf.readUInt32LE(aux + 8)), index: elf.readUInt16LE(aux + 6) });
      aux += elf.readUInt32LE(aux + 12);
    }
    need += elf.readUInt32LE(need + 12);
  }
  return found;
}

function relax(file) {
  const elf = fs.readFileSync(file);
  const { '.dynsym': symbols, '.dynstr': strings, '.gnu.version': versions, '.gnu.version_r': needs } = sections(elf);
  const versionNeed = versionNeeds(elf, needs, strings.offset);
  const base = versionNeed.find(({ library, name }) => library === 'libc.so.6' && name === 'GLIBC_2.2.5');
  if (!base) throw new Error(`${file}: no base version of glibc`);
  const harmless = elf.indexOf(`\0${HARMLESS}\0`, strings.offset, 'latin1') + 1;
  let changed = 0;
  for (let n = 0; n < symbols.size / 24; n++) {
    const at = symbols.offset + 24 * n;
    const name = text(elf, strings.offset + elf.readUInt32LE(at));
    if (RENAMED.includes(name)) elf.writeUInt32LE(elf.readUInt32LE(at) + PREFIX.length, at);
    else if (name === IOS_INIT) elf.writeUInt32LE(harmless - strings.offset, at);
    else continue;
    elf.writeUInt16LE(base.index, versions.offset + 2 * n);
    changed++;
  }
  for (const { at, name } of versionNeed) {
    if (name === 'GLIBC_2.38' || name === 'GLIBCXX_3.4.32') elf.writeUInt16LE(WEAK, at + 4);
  }
  if (changed > 0) fs.writeFileSync(file, elf);
  return changed;
}

const [major, minor] = runtimeGlibc();
if (major > GLIBC[0] || (major === GLIBC[0] && minor >= GLIBC[1])) {
  console.log('relax-glibc: not needed here');
} else {
  const changed = relax(process.argv[2]);
  console.log(changed > 0 ? `relax-glibc: ${changed} symbols relaxed` : 'relax-glibc: already relaxed');
}
