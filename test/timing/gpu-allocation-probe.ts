/** Serves a million GPU commands and composes what they draw; prints how much the heap grew meanwhile. */
import { getHeapStatistics } from 'node:v8';
import { DisplayCounter, QueueCounter, RegionCounter } from '../../src/channel/counters.ts';
import { GpuFormat } from '../../src/wire/virtio-gpu.ts';
import {
  assignUuid,
  attach,
  create2d,
  createBlob,
  detach,
  flush,
  getDisplayInfo,
  getEdid,
  moveCursor,
  setScanout,
  setScanoutBlob,
  transfer,
  unref,
  updateCursor,
} from '../support/gpu-commands.ts';
import type { GpuDouble } from '../support/gpu-double.ts';
import { GpuRig } from '../support/gpu-rig.ts';
import type { RingDouble } from '../support/ring-double.ts';

const COMMANDS = 1_000_000;
const WARM_UP = 640_000;
const WARM_UP_CALLS = 100;
const BURST = 32;
const ANSWER_BYTES = 1056;

const rig = new GpuRig({
  display: {
    refreshHz: 240,
    protectedRegions: [
      { id: 'r', plane: 'high', rectPx: [0, 0, 16, 16], frozenAfterUs: 50_000_000 },
    ],
  },
  windowUs: 4000,
});
rig.notifier.notify = () => {};
const b = rig.guest('b');
const WHOLE = [0, 0, 80, 64] as const;
b.picture(1, 80, 64);
b.picture(2, 64, 64, GpuFormat.B8G8R8A8_UNORM);
b.present(1, 80, 64);
const [entry] = b.memory([80 * 64 * 4]);

/** A ring full of commands that succeed again and again. */
const CONTROL = [
  create2d(3, 16, 16),
  attach(3, [entry!]),
  transfer(3, [1, 1, 8, 8]),
  assignUuid(3),
  detach(3),
  unref(3),
  createBlob(4, 4096, [entry!]),
  setScanoutBlob(4, { rect: [0, 0, 32, 32], width: 32, height: 32 }),
  flush(4, [0, 0, 32, 32]),
  setScanout(0, 1, WHOLE),
  unref(4),
  getDisplayInfo({ flags: 1, fence: 0xffffffffffffffffn }),
  getEdid(0),
  // Answered with errors: no resource, no parameter, no room.
  unref(99),
  transfer(1, [80, 64, 1, 1]),
  create2d(5, 65535, 65535),
];
const DRAWING = [transfer(1, [3, 3, 40, 20]), flush(1, [3, 3, 40, 20])];
const control = Array.from({ length: BURST }, (_, n) => CONTROL[n] ?? DRAWING[n % 2]!);
const cursor = Array.from({ length: BURST }, (_, n) =>
  n % 8 === 0 ? updateCursor({ id: 2, x: n, y: n }) : moveCursor({ x: n * 3, y: -n }),
);

/** Fills a ring: each command has two descriptors, so that two bursts go round once. */
function prepare({ slice }: GpuDouble, ring: RingDouble, commands: readonly (readonly number[])[]) {
  commands.forEach((bytes, n) => {
    const at = slice.allocate(bytes.length);
    slice.write(at, bytes);
    const answer = slice.allocate(ANSWER_BYTES);
    ring.describe(2 * n, { address: at, length: bytes.length, flags: 1, next: 2 * n + 1 });
    ring.describe(2 * n + 1, { address: answer, length: ANSWER_BYTES, flags: 2 });
  });
  const ringAt = (slice.at(ring.avail) + 4) / 2;
  for (let n = 0; n < ring.size; n++) slice.arena.u16[ringAt + n] = 2 * (n % BURST);
}

rig.frames(3);
const queues = ['b.gpu0.controlq', 'b.gpu0.cursorq'].map((name) => rig.queue(name).index);
prepare(b, b.control, control);
prepare(b, b.cursor, cursor);
let controlIndex = b.control.availIndex;
let cursorIndex = b.cursor.availIndex;
// What was served before ended in the middle of a burst: the next one begins with the first command.
for (const ring of [b.control, b.cursor]) {
  const odd = ring.availIndex % BURST;
  const ringAt = (ring.slice.at(ring.avail) + 4) / 2;
  for (let at = 0; at < ring.size; at++) {
    ring.slice.arena.u16[ringAt + at] = 2 * ((at + BURST - odd) % BURST);
  }
}

const kept: unknown[] = new Array(BURST).fill({});
const leaky = process.argv[2] === 'leaky';

function serve(commands: number): void {
  for (let done = 0; done < commands; done += 2 * BURST) {
    controlIndex = (controlIndex + BURST) & 0xffff;
    cursorIndex = (cursorIndex + BURST) & 0xffff;
    b.control.setAvailIndex(controlIndex);
    b.cursor.setAvailIndex(cursorIndex);
    rig.plane.dispatcher.majorFrame();
    if (leaky) for (let n = 0; n < BURST; n++) kept[n] = controlIndex + n + 0.25;
  }
}

function requests(): number {
  return queues.reduce((sum, queue) => sum + rig.counters.queue(queue, QueueCounter.REQUESTS), 0);
}

for (let n = 0; n < WARM_UP_CALLS; n++) serve(WARM_UP / WARM_UP_CALLS);
gc?.();
const servedBefore = requests();
const composedBefore = rig.counters.display(0, DisplayCounter.COMPOSED);
const checkedBefore = rig.counters.region(0, RegionCounter.CHECKS);
const before = getHeapStatistics().used_heap_size;
serve(COMMANDS);
const bytes = getHeapStatistics().used_heap_size - before;
const served = requests() - servedBefore;
if (served < COMMANDS - 2 * BURST) throw new Error(`only ${served} commands were served`);
process.stdout.write(
  JSON.stringify({
    bytes,
    requests: served,
    sliceAt: b.slice.sliceAt,
    composed: rig.counters.display(0, DisplayCounter.COMPOSED) - composedBefore,
    checks: rig.counters.region(0, RegionCounter.CHECKS) - checkedBefore,
    faults: rig.faults('b'),
  }),
);
