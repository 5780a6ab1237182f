/** Memory that front-ends share: where it is mapped, and in real-time mode there and locked, no longer than that. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import {
  PartitionMemory,
  type MappedRange,
} from '../../../src/control-plane/vhost-user/partition-memory.ts';
import { ArenaMapping } from '../../../src/host/arena-mapping.ts';
import { closeDescriptor, createMemoryFile } from '../../../src/host/descriptors.ts';
import { ResidentMemory } from '../../../src/host/realtime.ts';
import { compilePlan } from '../../../src/schedule/compile-plan.ts';
import { twoPartitions } from '../../support/two-partitions.ts';

const KIB = 1024;
const BYTES = 256 * KIB;

/** Kilobytes of this process in a line of its status or of its memory map. */
function kilobytes(file: string, name: string): number {
  const lines = readFileSync(`/proc/self/${file}`, 'utf8').matchAll(
    new RegExp(`^${name}:\\s*(\\d+) kB$`, 'gm'),
  );
  return [...lines].reduce((sum, match) => sum + Number(match[1]), 0);
}

describe('memory of front-ends in real-time mode', () => {
  const plan = compilePlan(twoPartitions());
  const area = plan.layout.partitions[0]!;
  const memory = new WebAssembly.Memory({
    initial: plan.layout.pages,
    maximum: plan.layout.pages,
    shared: true,
  });
  const mapping = new ArenaMapping(memory);
  const lines: string[] = [];
  let file: number;

  beforeEach(() => {
    lines.length = 0;
    file = createMemoryFile('guest', BYTES, { seal: true });
  });

  afterEach(() => closeDescriptor(file));

  function partition(resident: ResidentMemory | undefined): PartitionMemory {
    return new PartitionMemory({
      partition: 0,
      area,
      mapping,
      resident,
      acceptUnsealed: false,
      claims: new Map(),
    });
  }

  function mapped(shared: PartitionMemory, from = 0, to = BYTES): MappedRange {
    const range = shared.acquire(file, { from, to });
    assert.ok(typeof range !== 'string', String(range));
    return range;
  }

  const say = (line: string): void => void lines.push(line);
  const locked = (): number => kilobytes('status', 'VmLck');
  /** Pages of memory files that this process has mapped and that are there. */
  const resident = (): number => kilobytes('status', 'RssShmem');

  it('[utest->req~host.realtime~1] what is mapped is there and locked, what is released is not', () => {
    const [lockedBefore, residentBefore] = [locked(), resident()];
    const shared = partition(new ResidentMemory(mapping, say));
    const first = mapped(shared, 0, BYTES / 2);
    const second = mapped(shared, BYTES / 2, BYTES);
    assert.equal(locked() - lockedBefore, BYTES / KIB);
    assert.equal(resident() - residentBefore, BYTES / KIB);
    shared.release(first);
    assert.equal(locked() - lockedBefore, BYTES / 2 / KIB);
    shared.release(second);
    assert.deepEqual([locked(), resident()], [lockedBefore, residentBefore]);
    new Uint8Array(memory.buffer, area.sliceAt, BYTES).fill(1);
    assert.equal(locked(), lockedBefore, 'the zeros instead are not locked either');
    assert.deepEqual(lines, []);
  });

  it('[utest->req~host.realtime~1] without real-time mode nothing is locked or faulted in', () => {
    const before = [locked(), resident()];
    const shared = partition(undefined);
    const range = mapped(shared);
    assert.deepEqual([locked(), resident()], before);
    shared.release(range);
  });

  for (const [what, grants, line] of [
    [
      'locking',
      { populate: () => true, lock: () => false },
      'real time: memory that a front-end shares is faulted in, but locking it is refused',
    ],
    [
      'faulting in',
      { populate: () => false, lock: () => true },
      'real time: the host has no room to fault in memory that a front-end shares',
    ],
  ] as const) {
    it(`[utest->req~host.realtime~1] refused ${what} is said once, and the memory is served`, () => {
      const refusing = Object.assign(Object.create(mapping) as ArenaMapping, grants);
      const shared = partition(new ResidentMemory(refusing, say));
      const ranges = [mapped(shared, 0, BYTES / 2), mapped(shared, BYTES / 2, BYTES)];
      assert.deepEqual(lines, [line]);
      for (const range of ranges) shared.release(range);
    });
  }

  it('[utest->req~vhost.memory-checked~1] a range that the host does not map is refused, and its file stays free', () => {
    const claims = new Map<string, number>();
    const refusing = Object.assign(Object.create(mapping) as ArenaMapping, { map: () => false });
    const parts = { area, resident: undefined, acceptUnsealed: false, claims };
    const shared = new PartitionMemory({ ...parts, partition: 0, mapping: refusing });
    assert.equal(shared.acquire(file, { from: 0, to: BYTES }), 'mmap failed');
    assert.equal(claims.size, 0);
    const other = new PartitionMemory({ ...parts, partition: 1, mapping });
    other.release(mapped(other));
  });

  it('[utest->req~vhost.memory-private~1] ranges lie side by side, and one that has gone leaves its place to the next', () => {
    const shared = partition(undefined);
    const quarter = BYTES / 4;
    const [first, second] = [mapped(shared, 0, quarter), mapped(shared, quarter, 2 * quarter)];
    assert.deepEqual([first.arenaAt, second.arenaAt], [area.sliceAt, area.sliceAt + quarter]);
    shared.release(first);
    const larger = mapped(shared, 2 * quarter, BYTES);
    assert.equal(larger.arenaAt, area.sliceAt + 2 * quarter, 'it does not fit into the gap');
    const fitting = mapped(shared, 0, quarter);
    assert.equal(fitting.arenaAt, area.sliceAt);
    const rest = area.sliceBytes - BYTES;
    const file = createMemoryFile('more', rest + 4096, { seal: true });
    assert.match(String(shared.acquire(file, { from: 0, to: rest + 4096 })), /^no room for /);
    closeDescriptor(file);
    for (const range of [second, larger, fitting]) shared.release(range);
  });
});
