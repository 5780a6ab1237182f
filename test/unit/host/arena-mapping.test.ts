/** Guests' memory files in the arena: what they are, what is seen through them, what is left. */
import { strict as assert } from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Arena } from '../../../src/data-plane/arena.ts';
import {
  ArenaMapping,
  type FileFacts,
  fileFacts,
  SELF_TEST_BYTES,
} from '../../../src/host/arena-mapping.ts';
import {
  closeDescriptor,
  createEventFd,
  createMemoryFile,
  openDescriptors,
} from '../../../src/host/descriptors.ts';
import { readBuiltFile } from '../../../src/host/files.ts';
import { ARENA_PAGES_MAX, WASM_PAGE } from '../../../src/schedule/arena-layout.ts';

const PAGE = 4096;
const GIB = 2 ** 30;
const KERNEL = new WebAssembly.Module(
  Uint8Array.from(readBuiltFile('data-plane/arena-kernel.wasm')),
);

describe('arena mapping', () => {
  const memory = Arena.memory(ARENA_PAGES_MAX);
  const arena = new Arena(memory, KERNEL);
  const mapping = new ArenaMapping(memory);
  const bytes = new Uint8Array(memory.buffer);
  const open: number[] = [];
  let before: number;

  beforeEach(() => {
    before = openDescriptors();
  });

  afterEach(() => {
    for (const descriptor of open.splice(0)) closeDescriptor(descriptor);
    assert.equal(openDescriptors(), before, 'no descriptor stays open');
  });

  const file = (size: number, seal = true): number => {
    const descriptor = createMemoryFile('guest', size, { seal });
    open.push(descriptor);
    return descriptor;
  };
  const byteOf = (descriptor: number, at: number): number => {
    const one = Buffer.alloc(1);
    fs.readSync(descriptor, one, 0, 1, at);
    return one[0]!;
  };

  for (const at of [WASM_PAGE, 2 * GIB - 2 * PAGE, 3 * GIB]) {
    it(`[utest->req~host.mapping~1] at ${at} file and arena show the same bytes`, () => {
      const guest = file(4 * PAGE);
      fs.writeSync(guest, 'hello', PAGE);
      assert.ok(mapping.map(guest, 0, 4 * PAGE, at));
      assert.equal(Buffer.from(bytes.slice(at + PAGE, at + PAGE + 5)).toString(), 'hello');
      bytes[at + 4 * PAGE - 1] = 0x77;
      assert.equal(byteOf(guest, 4 * PAGE - 1), 0x77);
      arena.copy((at + 2 * PAGE) | 0, (at + PAGE) | 0, 5);
      assert.equal(byteOf(guest, 2 * PAGE), 'h'.charCodeAt(0));
      mapping.release(at, 4 * PAGE);
    });
  }

  it('[utest->req~host.mapping~1] a range of a file is what is mapped', () => {
    const guest = file(8 * PAGE);
    fs.writeSync(guest, 'third', 3 * PAGE);
    assert.ok(mapping.map(guest, 3 * PAGE, 2 * PAGE, GIB));
    assert.equal(bytes[GIB], 't'.charCodeAt(0));
    mapping.release(GIB, 2 * PAGE);
  });

  it('[utest->req~host.mapping~1] the neighbours of a range are not touched', () => {
    const guest = file(2 * PAGE);
    bytes[GIB - 1] = 11;
    bytes[GIB + 2 * PAGE] = 12;
    assert.ok(mapping.map(guest, 0, 2 * PAGE, GIB));
    assert.deepEqual([bytes[GIB - 1], bytes[GIB + 2 * PAGE]], [11, 12]);
    mapping.release(GIB, 2 * PAGE);
    assert.deepEqual([bytes[GIB - 1], bytes[GIB + 2 * PAGE]], [11, 12]);
  });

  it('[utest->req~host.mapping~1] a released range is zeros, and writes there reach no file', () => {
    const guest = file(2 * PAGE);
    assert.ok(mapping.map(guest, 0, 2 * PAGE, GIB));
    bytes[GIB] = 0x55;
    mapping.release(GIB, 2 * PAGE);
    assert.equal(bytes[GIB], 0);
    bytes[GIB] = 0x66;
    assert.equal(byteOf(guest, 0), 0x55);
    arena.copy((GIB + PAGE) | 0, GIB | 0, 16);
    assert.equal(bytes[GIB + PAGE], 0x66);
    mapping.release(GIB, 2 * PAGE);
    assert.equal(bytes[GIB], 0);
  });

  it('[utest->req~host.mapping~1] a mapping outlives the descriptor it came by', () => {
    const guest = createMemoryFile('guest', PAGE, { seal: true });
    fs.writeSync(guest, 'x', 0);
    assert.ok(mapping.map(guest, 0, PAGE, GIB));
    closeDescriptor(guest);
    assert.equal(bytes[GIB], 'x'.charCodeAt(0));
    mapping.release(GIB, PAGE);
  });

  it('[utest->req~host.mapping~1] one file can be mapped twice, and over another one', () => {
    const [first, second] = [file(PAGE), file(PAGE)];
    assert.ok(mapping.map(first, 0, PAGE, GIB));
    assert.ok(mapping.map(first, 0, PAGE, GIB + PAGE));
    bytes[GIB] = 1;
    assert.equal(bytes[GIB + PAGE], 1);
    assert.ok(mapping.map(second, 0, PAGE, GIB));
    assert.deepEqual([bytes[GIB], bytes[GIB + PAGE]], [0, 1]);
    mapping.release(GIB, 2 * PAGE);
  });

  it('[utest->req~host.mapping~1] a file that is populated has all its memory', () => {
    const guest = file(16 * PAGE);
    assert.equal(fs.fstatSync(guest).blocks, 0);
    assert.ok(mapping.map(guest, 0, 16 * PAGE, GIB, { populated: true }));
    assert.equal(fs.fstatSync(guest).blocks * 512, 16 * PAGE);
    mapping.release(GIB, 16 * PAGE);
  });

  it('[utest->req~host.mapping~1] what cannot be mapped is told, and nothing has changed', () => {
    const guest = file(4 * PAGE);
    bytes[GIB] = 42;
    assert.equal(mapping.map(guest, PAGE, 4 * PAGE, GIB), false, 'beyond the end of the file');
    assert.equal(mapping.map(987_654, 0, PAGE, GIB), false, 'no descriptor');
    const event = createEventFd();
    open.push(event);
    assert.equal(mapping.map(event, 0, PAGE, GIB), false, 'no file');
    const readOnly = fs.openSync(`/proc/self/fd/${guest}`, 'r');
    open.push(readOnly);
    assert.equal(mapping.map(readOnly, 0, PAGE, GIB), false, 'not open for writing');
    assert.equal(bytes[GIB], 42);
    mapping.release(GIB, PAGE);
  });

  it('[utest->req~host.mapping~1] a range that is not inside the arena is a defect', () => {
    const guest = file(4 * PAGE);
    const end = memory.buffer.byteLength;
    for (const [at, length] of [
      [end, PAGE],
      [end - PAGE, 2 * PAGE],
      [-PAGE, PAGE],
      [1, PAGE],
      [GIB, 100],
      [GIB, 0],
      [NaN, PAGE],
    ] as const) {
      assert.throws(() => mapping.map(guest, 0, length, at), /range/);
      assert.throws(() => mapping.release(at, length), /range/);
    }
    assert.throws(() => mapping.map(guest, 100, PAGE, GIB), /file offsets are page-aligned/);
    assert.throws(() => mapping.map(guest, -PAGE, PAGE, GIB), /file offsets are page-aligned/);
  });

  it('[utest->req~host.mapping~1] the last page of the arena can be mapped', () => {
    const at = memory.buffer.byteLength - PAGE;
    const guest = file(PAGE);
    assert.ok(mapping.map(guest, 0, PAGE, at));
    bytes[memory.buffer.byteLength - 1] = 9;
    assert.equal(byteOf(guest, PAGE - 1), 9);
    mapping.release(at, PAGE);
  });

  it('[utest->req~host.self-test~1] here everything works that guests need', () => {
    assert.equal(mapping.selfTest(3 * GIB, arena.copy), undefined);
    assert.equal(bytes[3 * GIB], 0);
    assert.equal(bytes[3 * GIB + SELF_TEST_BYTES - 1], 0);
  });

  it('[utest->req~host.self-test~1] what does not work is said', () => {
    const noCopy = () => {};
    assert.equal(
      mapping.selfTest(3 * GIB, noCopy),
      'copying from a mapped range of the arena does not work',
    );
    // An arena that is elsewhere: what is mapped is not seen.
    const other = new ArenaMapping(Arena.memory(4));
    Object.assign(other, { bytes: new Uint8Array(4 * WASM_PAGE) });
    assert.equal(
      other.selfTest(WASM_PAGE, noCopy),
      'two mappings of one memory file do not show the same bytes',
    );
  });

  const NOT_MAPPED = 'this host does not map a memory file into the arena';
  for (const [what, grants, sentence] of [
    ['mapping nothing', () => ({ map: () => false }), NOT_MAPPED],
    ['mapping once', mapsOnce, `${NOT_MAPPED} twice`],
    ['releasing nothing', releasesLate, 'a released range of the arena is not zeros'],
  ] as const) {
    it(`[utest->req~host.self-test~1] a host that is ${what} is found out, and nothing stays mapped`, () => {
      const limited = Object.assign(Object.create(mapping) as ArenaMapping, grants());
      assert.equal(limited.selfTest(3 * GIB, arena.copy), sentence);
      mapping.release(3 * GIB, SELF_TEST_BYTES);
      assert.deepEqual([bytes[3 * GIB], bytes[3 * GIB + SELF_TEST_BYTES - 1]], [0, 0]);
    });
  }

  function mapsOnce(): Pick<ArenaMapping, 'map'> {
    let left = 1;
    return { map: (...words) => left-- > 0 && mapping.map(...words) };
  }

  /** Ranges are released at the end only, when all of them are. */
  function releasesLate(): Pick<ArenaMapping, 'release'> {
    return {
      release(at, length) {
        if (length === SELF_TEST_BYTES) mapping.release(at, length);
      },
    };
  }
});

describe('facts of a memory file', () => {
  const open: number[] = [];
  let directory: string;

  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'gateway-facts-'));
  });

  afterEach(() => {
    for (const descriptor of open.splice(0)) closeDescriptor(descriptor);
    fs.rmSync(directory, { recursive: true });
  });

  const facts = (descriptor: number): FileFacts => {
    open.push(descriptor);
    return fileFacts(descriptor)!;
  };

  it('[utest->req~host.file-facts~1] a sealed memory file', () => {
    const descriptor = createMemoryFile('m', 3 * GIB, { seal: true });
    const found = facts(descriptor);
    assert.equal(found.inode, fs.fstatSync(descriptor).ino);
    assert.deepEqual(found, {
      device: found.device,
      inode: found.inode,
      bytes: 3 * GIB,
      fileSystem: 'tmpfs',
      regular: true,
      writable: true,
      shrinkSealed: true,
      pageBytes: PAGE,
    });
  });

  it('[utest->req~host.file-facts~1] a memory file without seals can shrink', () => {
    assert.equal(facts(createMemoryFile('m', PAGE, { seal: false })).shrinkSealed, false);
  });

  it('[utest->req~host.file-facts~1] two descriptors of one file have the same identity, two files have not', () => {
    const descriptor = createMemoryFile('m', PAGE, { seal: false });
    const first = facts(descriptor);
    const again = facts(fs.openSync(`/proc/self/fd/${descriptor}`, 'r+'));
    const second = facts(createMemoryFile('m', PAGE, { seal: false }));
    assert.deepEqual([again.device, again.inode], [first.device, first.inode]);
    assert.notDeepEqual([second.device, second.inode], [first.device, first.inode]);
  });

  it('[utest->req~host.file-facts~1] a file that may only be read', () => {
    const descriptor = createMemoryFile('m', PAGE, { seal: false });
    open.push(descriptor);
    assert.equal(facts(fs.openSync(`/proc/self/fd/${descriptor}`, 'r')).writable, false);
  });

  it('[utest->req~host.file-facts~1] huge pages are told apart from tmpfs', function () {
    let descriptor: number;
    try {
      descriptor = createMemoryFile('m', 2 ** 21, { seal: true, hugePages: true });
    } catch (error) {
      // A kernel without hugetlbfs cannot be asked; then there is nothing to tell apart.
      assert.match(String(error), /errno (22|38|12)/);
      return;
    }
    const found = facts(descriptor);
    assert.equal(found.fileSystem, 'hugetlbfs');
    assert.equal(found.pageBytes, 2 ** 21);
    assert.equal(found.shrinkSealed, true);
  });

  it('[utest->req~host.file-facts~1] a file in /dev/shm is tmpfs and cannot be sealed', () => {
    const name = `/dev/shm/gateway-facts-${process.pid}`;
    const found = facts(fs.openSync(name, 'w+'));
    fs.unlinkSync(name);
    assert.deepEqual([found.fileSystem, found.shrinkSealed, found.regular], ['tmpfs', false, true]);
  });

  it('[utest->req~host.file-facts~1] files elsewhere, devices and sockets are something else', () => {
    const elsewhere = facts(fs.openSync(__filename, 'r'));
    assert.deepEqual([elsewhere.fileSystem, elsewhere.regular], ['other', true]);
    const device = facts(fs.openSync('/dev/zero', 'r+'));
    assert.deepEqual([device.fileSystem, device.regular], ['other', false]);
    const event = facts(createEventFd());
    assert.deepEqual([event.fileSystem, event.regular], ['other', false]);
  });

  it('[utest->req~host.file-facts~1] what is no descriptor has no facts', () => {
    assert.equal(fileFacts(987_654), undefined);
  });
});
