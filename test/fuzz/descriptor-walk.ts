/** Fuzz target: a split ring and its tables from arbitrary bytes; the walk must stay bounded and inside. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Arena } from '../../src/data-plane/arena.ts';
import { GuestMemory } from '../../src/data-plane/guest-memory.ts';
import { DescriptorChain } from '../../src/data-plane/virtqueue/descriptor-chain.ts';
import { SplitQueue } from '../../src/data-plane/virtqueue/split-queue.ts';

const BASE = 0x1_0000_0000;
const SLICE_AT = 0x10000;
const SLICE_BYTES = 0x10000;
const HOLE_AT = 0x8000;
const HOLE_BYTES = 0x1000;
const DESC_SCRATCH_AT = 0x100;
const AVAIL_AT = 0x2000;
const USED_AT = 0x3000;
const TABLE_AT = 0x4000;
const DESCRIPTORS_MAX = 20;
const HEADS_MAX = 8;

const kernel = new WebAssembly.Module(
  readFileSync(path.resolve(__dirname, '../../src/data-plane/arena-kernel.wasm')),
);
const arena = new Arena(Arena.memory(2), kernel);
const memory = new GuestMemory();
memory.setRegions([
  { guestPhysical: BASE, size: HOLE_AT, arenaAt: SLICE_AT },
  {
    guestPhysical: BASE + HOLE_AT + HOLE_BYTES,
    size: SLICE_BYTES - HOLE_AT - HOLE_BYTES,
    arenaAt: SLICE_AT + HOLE_AT + HOLE_BYTES,
  },
]);
const chain = new DescriptorChain(arena, memory, DESCRIPTORS_MAX, DESC_SCRATCH_AT);

/** Bytes of the input, zero behind its end. */
class Input {
  private at = 0;
  private readonly data: Uint8Array;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  byte(): number {
    return this.data[this.at++] ?? 0;
  }

  word(): number {
    return this.byte() | (this.byte() << 8);
  }

  get left(): number {
    return this.data.length - this.at;
  }
}

const HIGH_HALVES = [1, 1, 1, 0, 2, 0x200000, 0xffffffff, 0x80000001];
const LENGTH_SCALE = [1, 16, 4096, 0x10000];

/** One descriptor of eight input bytes: every field can take its interesting values. */
function describe(input: Input, at: number): void {
  const word = at / 4;
  const low = input.word();
  const shape = input.byte();
  const length = input.byte() * LENGTH_SCALE[shape & 3]!;
  arena.i32[word] = low;
  arena.i32[word + 1] = HIGH_HALVES[(shape >> 2) & 7]!;
  arena.i32[word + 2] = (shape & 0x80) !== 0 ? -length : length;
  arena.i32[word + 3] = (input.byte() & 0xf) | (input.byte() << 16);
}

function insideRegions(at: number, length: number): boolean {
  const into = (at >>> 0) - SLICE_AT;
  const end = into + length;
  const behindHole = into >= HOLE_AT + HOLE_BYTES && end <= SLICE_BYTES;
  return (into >= 0 && end <= HOLE_AT) || behindHole;
}

/** Walks every available head of the ring that the bytes describe; throws when an invariant breaks. */
export function fuzz(data: Uint8Array): void {
  const input = new Input(data);
  const shape = input.byte();
  const size = 1 << (shape & 5);
  const queue = new SplitQueue(arena, size);
  arena.u8.fill(0, SLICE_AT, SLICE_AT + TABLE_AT + 0x1000);
  queue.start({
    size,
    descAt: SLICE_AT,
    availAt: SLICE_AT + AVAIL_AT,
    usedAt: SLICE_AT + USED_AT,
    eventIdx: (shape & 8) !== 0,
    indirect: (shape & 16) !== 0,
    packed: false,
    index: 0,
  });
  arena.u16[(SLICE_AT + AVAIL_AT + 2) / 2] = input.byte();
  for (let n = 0; n < HEADS_MAX; n++) arena.u16[(SLICE_AT + AVAIL_AT + 4) / 2 + n] = input.byte();
  for (let n = 0; n < size && input.left > 0; n++) describe(input, SLICE_AT + 16 * n);
  for (let n = 0; n < 64 && input.left > 0; n++) describe(input, SLICE_AT + TABLE_AT + 16 * n);
  if (queue.look() !== 0) return assert.equal(queue.started, false);
  assert.ok(queue.available <= size);
  for (let n = 0; n < size && queue.started && queue.available > 0; n++) serveOne(queue);
  queue.publish();
}

function serveOne(queue: SplitQueue): void {
  const head = queue.takeHead();
  if (head < 0) return assert.equal(queue.started, false);
  chain.begin();
  const fault = queue.walk(chain, head, DESCRIPTORS_MAX);
  assert.ok(chain.steps <= DESCRIPTORS_MAX + 1, 'steps are bounded');
  assert.ok(chain.segments <= DESCRIPTORS_MAX, 'segments are bounded');
  let readable = 0;
  let writable = 0;
  for (let n = 0; n < chain.segments; n++) {
    assert.ok(chain.length[n]! > 0);
    assert.ok(insideRegions(chain.at[n]!, chain.length[n]!), 'segments are inside one region');
    if (n < chain.readableSegments) readable += chain.length[n]!;
    else writable += chain.length[n]!;
  }
  if (fault === 0)
    assert.deepEqual([chain.readableBytes, chain.writableBytes], [readable, writable]);
  queue.complete(head, 0);
}
