/**
 * Who took the time of a window that ended late: the host, a garbage collection, or a wrong cost
 * model.
 */
import { getHeapStatistics } from 'node:v8';
import { readMonotonic, readThreadCpu } from './native/clock.ts';

/** Wall time without processor time below this is measurement noise. */
const NOT_RUNNING_NS_MIN = 2_000;

/** The order of the causes is the dispatcher's. */
const CAUSE = { COST_MODEL: 0, HOST: 1, GARBAGE_COLLECTION: 2 } as const;

export class HostEvidence {
  private readonly wall = new Float64Array(1);
  private readonly cpu = new Float64Array(1);
  private readonly wallNow = new Float64Array(1);
  private readonly cpuNow = new Float64Array(1);
  private heapBytes = getHeapStatistics().used_heap_size;

  mark(): void {
    readMonotonic(this.wall);
    readThreadCpu(this.cpu);
  }

  /** Asked after an overrun only, so that it may allocate. */
  cause(): number {
    readMonotonic(this.wallNow);
    readThreadCpu(this.cpuNow);
    const before = this.heapBytes;
    this.heapBytes = getHeapStatistics().used_heap_size;
    // The data plane allocates nothing, so only a collection can have made its heap smaller.
    if (this.heapBytes < before) return CAUSE.GARBAGE_COLLECTION;
    const wall = this.wallNow[0]! - this.wall[0]!;
    const cpu = this.cpuNow[0]! - this.cpu[0]!;
    return wall - cpu >= NOT_RUNNING_NS_MIN ? CAUSE.HOST : CAUSE.COST_MODEL;
  }
}
