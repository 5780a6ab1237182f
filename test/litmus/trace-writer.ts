/** Thread that writes visits as fast as it can, each made from its own number. */
import { workerData } from 'node:worker_threads';
import { WindowTrace } from '../../src/channel/window-trace.ts';

const { buffer, visits } = workerData as { buffer: SharedArrayBuffer; visits: number };
const trace = new WindowTrace(buffer);
const times = {
  windowStart: new Float64Array(1),
  started: new Float64Array(1),
  now: new Float64Array(1),
};
for (let n = 0; n < visits; n++) {
  times.windowStart[0] = n;
  times.started[0] = n + 1;
  times.now[0] = n + 2;
  trace.visited(n & 0xff, times, n, n, n & 3);
}
