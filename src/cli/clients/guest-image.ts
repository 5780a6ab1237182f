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
import { GUEST_INIT } from './guest-init.ts';

const UML_MODULES = '/usr/lib/uml/modules';

/** Programs that busybox has not, or not whole: its `ping` has room for a few answers only. */
export const GUEST_PROGRAMS = ['/usr/sbin/ethtool', '/usr/bin/ip', '/usr/bin/ping'];

export interface KernelModules {
  readonly release: string;
  /** Where `modules.dep` is. */
  readonly directory: string;
  readonly names: readonly string[];
}

/** Where test/install-clients puts the guest kernel. */
export function guestDirectory(): string {
  const cache = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
  return process.env['VIRTIO_GATEWAY_GUEST'] || path.join(cache, 'virtio-gateway/guest');
}

/** The modules of Debian's kernel, for QEMU. */
export function debianModules(): KernelModules {
  const release = readFileSync(path.join(guestDirectory(), 'version'), 'utf8').trim();
  return {
    release,
    directory: path.join(guestDirectory(), 'lib/modules', release),
    names: ['virtio_pci', 'virtio_net', '8021q'],
  };
}

export function umlModules(): KernelModules {
  const { stdout } = spawnSync('linux.uml', ['--version'], { encoding: 'utf8' });
  const release = stdout.trim();
  return { release, directory: path.join(UML_MODULES, release), names: ['virtio_net', '8021q'] };
}

const images = new Map<string, string>();
let directory: string | undefined;

/** The image for a kernel, built once in the life of this process. */
export function guestImage(modules: KernelModules): string {
  const known = images.get(modules.directory);
  if (known !== undefined) return known;
  if (directory === undefined) {
    const created = mkdtempSync(path.join(os.tmpdir(), 'gateway-image-'));
    process.on('exit', () => rmSync(created, { recursive: true, force: true }));
    directory = created;
  }
  const file = path.join(directory, `${images.size}.cpio`);
  const root = path.join(directory, `${images.size}`);
  build(root, modules);
  run('/bin/sh', ['-c', `cd ${root} && find . | cpio --quiet --create --format=newc > ${file}`]);
  rmSync(root, { recursive: true });
  images.set(modules.directory, file);
  return file;
}

function build(root: string, modules: KernelModules): void {
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp', 'sbin'])
    mkdirSync(path.join(root, name), { recursive: true });
  install(run('/bin/sh', ['-c', 'command -v busybox']).trim(), path.join(root, 'bin/busybox'));
  for (const program of GUEST_PROGRAMS) {
    install(program, path.join(root, program));
    for (const library of librariesOf(program)) install(library, path.join(root, library));
  }
  const base = path.join(root, 'lib/modules', modules.release);
  for (const file of withDependencies(modules))
    install(path.join(modules.directory, file), path.join(base, file));
  run('busybox', ['depmod', '-b', root, modules.release]);
  writeFileSync(path.join(root, 'init'), GUEST_INIT, { mode: 0o755 });
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
