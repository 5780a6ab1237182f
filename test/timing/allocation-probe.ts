/** Serves a million requests through the dispatcher and prints how much the heap grew meanwhile. */
import { getHeapStatistics } from 'node:v8';
import { PackedDesc, PackedDescFlag, VirtqDescFlag } from '../../src/wire/virtqueue.ts';
import type { RingDouble } from '../support/ring-double.ts';
import { ALL_PACKED, Rig } from '../support/rig.ts';

const SLICES_FROM = 2 ** 31 + 2 ** 20;
const BURST = 32;
const REQUESTS = 1_000_000;
const WARM_UP = 320_000;
const WARM_UP_CALLS = 100;

const rig = new Rig({
  slicesFrom: SLICES_FROM,
  flows: [
    {
      id: 'flow',
      from: 'a.net0.transmitq0',
      route: 'a-b',
      bytesMax: 1514,
      deadlineUs: 20_000,
      arrival: { periodUs: 10_000, jitterUs: 0, spacingUs: 0 },
    },
  ],
});
rig.notifier.notify = () => {};
const { arena } = rig.plane;
const a = rig.guest('a');
const b = rig.guest('b');
rig.supply('b', 64);
for (let n = 0; n < 64; n++) rig.send('a', rig.packet('a', 'b', 64 + n * 16));
rig.frames(1);
// The heads come back in order: bumping the available index makes the same buffers available again.
if (!ALL_PACKED)
  for (let n = 0; n < 64; n++) arena.u16[(a.slice.at(a.transmit[0]!.avail) + 4) / 2 + n] = n;
let index = 64;

/** Writes ids, lengths and marks of a packed ring again, where used descriptors have replaced them. */
class PackedRefill {
  private position = 0;
  private marks: number = PackedDescFlag.USED;
  private readonly at: number;

  constructor(ring: RingDouble) {
    this.at = ring.slice.at(ring.desc);
  }

  refill(flags: number): void {
    for (let n = 0; n < BURST; n++) {
      const at = this.at + 16 * this.position;
      arena.i32[(at + PackedDesc.LEN) / 4] = flags === 0 ? 76 + 16 * this.position : 2048;
      arena.u16[(at + PackedDesc.ID) / 2] = this.position;
      arena.u16[(at + PackedDesc.FLAGS) / 2] = this.marks | flags;
      if (++this.position < 64) continue;
      this.position = 0;
      this.marks ^= PackedDescFlag.AVAIL | PackedDescFlag.USED;
    }
  }
}

const transmit = new PackedRefill(a.transmit[0]!);
const receive = new PackedRefill(b.receive[0]!);

/** Makes a burst of buffers available on both sides. */
function expose(): void {
  index = (index + BURST) & 0xffff;
  if (ALL_PACKED) {
    transmit.refill(0);
    receive.refill(VirtqDescFlag.WRITE);
    return;
  }
  a.transmit[0]!.setAvailIndex(index);
  b.receive[0]!.setAvailIndex(index);
}

/** A boxed double, 16 bytes, for each request, where the test wants to see one. */
const kept: unknown[] = new Array(BURST).fill({});
const leaky = process.argv[2] === 'leaky';

function serve(requests: number): void {
  for (let done = 0; done < requests; done += BURST) {
    expose();
    rig.plane.dispatcher.majorFrame();
    if (leaky) for (let n = 0; n < BURST; n++) kept[n] = index + n + 0.25;
  }
}

// In many calls, so that the loop itself is compiled before anything is measured.
for (let n = 0; n < WARM_UP_CALLS; n++) serve(WARM_UP / WARM_UP_CALLS);
gc?.();
const before = getHeapStatistics().used_heap_size;
serve(REQUESTS);
const bytes = getHeapStatistics().used_heap_size - before;
const { delivered } = rig.route('a-b');
if (delivered < REQUESTS) throw new Error(`only ${delivered} packets were delivered`);
process.stdout.write(JSON.stringify({ bytes, requests: REQUESTS, sliceAt: a.slice.sliceAt }));
