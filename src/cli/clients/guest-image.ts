/** The initial RAM disk of a guest: busybox, some programs of this machine, modules, and /init. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { builtPath } from '../../host/files.ts';
import { GUEST_INIT } from './guest-init.ts';

const UML_MODULES = '/usr/lib/uml/modules';
const NET_MODULES = ['virtio_net', '8021q'];
/** As the build has copied it. */
const DRAW = builtPath('cli/clients/draw.c');

/** Programs that busybox has not, or not whole: its `ping` has room for a few answers only. */
export const GUEST_PROGRAMS = ['/usr/sbin/ethtool', '/usr/bin/ip', '/usr/bin/ping'];

interface KernelModules {
  readonly release: string;
  /** Where `modules.dep` is. */
  readonly directory: string;
  readonly names: readonly string[];
}

interface GuestImage {
  readonly modules: KernelModules;
  /** Whether `draw` is there, which draws on a display. */
  readonly draws?: boolean;
}

/** Where test/install-clients puts the guest kernel. */
export function guestDirectory(): string {
  const cache = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
  return process.env['VIRTIO_GATEWAY_GUEST'] || path.join(cache, 'virtio-gateway/guest');
}

/** QEMU's own back-end for displays, where test/install-clients puts it. */
export function displayBackEnd(): string {
  return path.join(guestDirectory(), 'vhost-user-gpu');
}

/** Modules of Debian's kernel, for QEMU. */
function debianModules(...more: readonly string[]): KernelModules {
  const release = readFileSync(path.join(guestDirectory(), 'version'), 'utf8').trim();
  return {
    release,
    directory: path.join(guestDirectory(), 'lib/modules', release),
    names: ['virtio_pci', ...NET_MODULES, ...more],
  };
}

function umlModules(): KernelModules {
  const { stdout } = spawnSync('linux.uml', ['--version'], { encoding: 'utf8' });
  const release = stdout.trim();
  return { release, directory: path.join(UML_MODULES, release), names: NET_MODULES };
}

/** What each kind of guest starts from; a guest with a display has a network, too. */
const IMAGES = {
  net: () => ({ modules: debianModules() }),
  display: () => ({ modules: debianModules('virtio-gpu'), draws: true }),
  uml: () => ({ modules: umlModules() }),
} satisfies Readonly<Record<string, () => GuestImage>>;

export type GuestKind = keyof typeof IMAGES;

const images = new Map<GuestKind, string>();
let directory: string | undefined;

/** The image for a kind of guest, built once in the life of this process. */
export function guestImage(kind: GuestKind): string {
  const known = images.get(kind);
  if (known !== undefined) return known;
  if (directory === undefined) {
    const created = mkdtempSync(path.join(os.tmpdir(), 'gateway-image-'));
    process.on('exit', () => rmSync(created, { recursive: true, force: true }));
    directory = created;
  }
  const file = path.join(directory, `${kind}.cpio`);
  const root = path.join(directory, kind);
  build(root, IMAGES[kind]());
  run('/bin/sh', ['-c', `cd ${root} && find . | cpio --quiet --create --format=newc > ${file}`]);
  rmSync(root, { recursive: true });
  images.set(kind, file);
  return file;
}

function build(root: string, { modules, draws = false }: GuestImage): void {
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp', 'sbin'])
    mkdirSync(path.join(root, name), { recursive: true });
  install(run('/bin/sh', ['-c', 'command -v busybox']).trim(), path.join(root, 'bin/busybox'));
  for (const program of GUEST_PROGRAMS) {
    install(program, path.join(root, program));
    for (const library of librariesOf(program)) install(library, path.join(root, library));
  }
  if (draws) compile(DRAW, path.join(root, 'bin/draw'));
  const base = path.join(root, 'lib/modules', modules.release);
  for (const file of withDependencies(modules))
    install(path.join(modules.directory, file), path.join(base, file));
  run('busybox', ['depmod', '-b', root, modules.release]);
  writeFileSync(path.join(root, 'init'), GUEST_INIT, { mode: 0o755 });
}

/** On its own, without libraries: the guest has none. */
function compile(source: string, program: string): void {
  run('cc', ['-O2', '-static', '-s', '-o', program, source]);
}

function librariesOf(program: string): string[] {
  return [...run('ldd', [program]).matchAll(/(\/\S+) \(0x/g)].map(([, library]) => library!);
}

/** The files of the named modules and of what they depend on, from `modules.dep`. */
function withDependencies({ directory, names, release }: KernelModules): string[] {
  const files = new Set<string>();
  const lines = readFileSync(path.join(directory, 'modules.dep'), 'utf8').split('\n');
  for (const name of names) {
    const line = lines.find((entry) => entry.split(':')[0]!.endsWith(`/${name}.ko`));
    if (line === undefined) throw new Error(`no module ${name} in ${release}`);
    for (const file of line.replace(':', '').split(' ')) files.add(file);
  }
  return [...files];
}

function install(from: string, to: string): void {
  mkdirSync(path.dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, 0o755);
}

function run(program: string, words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}`);
  return stdout;
}
