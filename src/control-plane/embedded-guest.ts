/** One embedded guest: its thread, its PCI bus, and the service of its register accesses. */
import { Fault, type FaultCode } from '../base/fault.ts';
import { GuestStatistic, GuestStatistics } from '../channel/guest-statistics.ts';
import {
  Mailbox,
  MailboxOperation,
  MailboxState,
  type RegisterAccess,
} from '../channel/mailbox.ts';
import { PlaneThread } from '../host/plane-thread.ts';
import type { GatewayPlan, PlanPartition } from '../schedule/gateway-plan.ts';
import { ofWidth } from './pci/register-bytes.ts';
import type { Guest } from './guest.ts';
import type { VirtioFunction } from './pci/virtio-function.ts';

/**
 * Register accesses that are served at once in one supervision tick; the others wait for the next.
 */
const ACCESSES_PER_TICK = 512;
/** A guest that only plays with the state word gets no more of the control plane than this. */
const ROUNDS_MAX = 2 * ACCESSES_PER_TICK;
const STOP_WITHIN_MS = 1000;
const NOTHING_THERE = 0xffff_ffff;
const HEAP_MB = 32;
const WIDTHS: readonly number[] = [1, 2, 4, 8];

export interface EmbeddedGuestParts {
  readonly plan: GatewayPlan;
  readonly partition: PlanPartition;
  readonly memory: WebAssembly.Memory;
  readonly functions: readonly VirtioFunction[];
  /** Register accesses have to wait until the data plane has caught up. */
  readonly mustWait: () => boolean;
  readonly onFault: (fault: FaultCode, detail: string) => void;
}

/** What the thread of a guest is given. */
export interface GuestThreadData {
  readonly memory: WebAssembly.Memory;
  readonly plan: GatewayPlan;
  readonly partition: number;
}

export class EmbeddedGuest implements Guest {
  readonly statistics: GuestStatistics;
  private readonly parts: EmbeddedGuestParts;
  private readonly mailbox: Mailbox;
  private readonly words: Int32Array;
  private thread: PlaneThread | undefined;
  private budget = ACCESSES_PER_TICK;
  private waiting = false;
  private stopping = false;
  private closed = false;

  constructor(parts: EmbeddedGuestParts) {
    const area = parts.plan.layout.partitions[parts.partition.index]!;
    const { buffer } = parts.memory;
    this.parts = parts;
    this.words = new Int32Array(buffer);
    this.mailbox = new Mailbox(this.words, area.mailboxAt / 4);
    this.statistics = new GuestStatistics(buffer, area.statisticsAt);
  }

  start(): void {
    if (this.closed) return;
    const { plan, partition, memory } = this.parts;
    this.stopping = false;
    this.statistics.words[GuestStatistic.STOP_REQUESTED] = 0;
    const data: GuestThreadData = { memory, plan, partition: partition.index };
    const thread = new PlaneThread(
      'guest-thread.js',
      data,
      {
        ended: (code, error) => {
          if (this.thread !== thread || this.stopping) return;
          this.thread = undefined;
          this.parts.onFault(Fault.GuestDied, error ?? `its thread ended with code ${code}`);
        },
      },
      { oldGenerationMb: HEAP_MB },
    );
    this.thread = thread;
    this.watch();
  }

  /** Serves what waits in the mailbox, then waits for the guest to write to it again. */
  private watch(): void {
    if (this.waiting) return;
    for (let round = 0; round < ROUNDS_MAX && this.serveWaiting(); round++) {
      const { stateIndex } = this.mailbox;
      const state = Atomics.load(this.words, stateIndex);
      if (state === MailboxState.REQUESTED) continue;
      const wait = Atomics.waitAsync(this.words, stateIndex, state);
      if (!wait.async) continue;
      this.waiting = true;
      void wait.value.then(() => {
        this.waiting = false;
        this.watch();
      });
      return;
    }
  }

  /** Answers a waiting access; false when the guest has to wait for the next tick. */
  // [impl->req~ctrl.register-budget~1]
  private serveWaiting(): boolean {
    if (this.budget === 0 || this.parts.mustWait()) return false;
    const access = this.mailbox.request();
    if (!access) return true;
    this.budget--;
    this.mailbox.answer(this.serve(access));
    return true;
  }

  /** A supervision tick: the budget is full again, and no access waits longer than until now. */
  tick(): void {
    if (this.budget === 0) {
      const detail = `${ACCESSES_PER_TICK} register accesses in one tick`;
      this.parts.onFault(Fault.RegisterFlood, detail);
    }
    this.budget = ACCESSES_PER_TICK;
    this.serveWaiting();
    this.watch();
  }

  private serve(access: RegisterAccess): number {
    const { functions } = this.parts;
    const target = functions[access.function];
    if (!WIDTHS.includes(access.width)) return NOTHING_THERE;
    if (!target) return ofWidth(NOTHING_THERE, access.width);
    switch (access.operation) {
      case MailboxOperation.CONFIG_READ:
        return target.readConfig(access.offset & 0xff, access.width);
      case MailboxOperation.CONFIG_WRITE:
        target.writeConfig(access.offset & 0xff, access.width, access.low);
        return 0;
      case MailboxOperation.BAR_READ:
        return target.readBar(access.offset, access.width);
      case MailboxOperation.BAR_WRITE:
        target.writeBar(access.offset, access.width, access.low, access.high);
        return 0;
      default:
        return NOTHING_THERE;
    }
  }

  get alive(): boolean {
    return this.thread !== undefined;
  }

  /** Ends the thread: by request, or by force when it does not listen. */
  async stop(): Promise<void> {
    const { thread } = this;
    this.stopping = true;
    this.thread = undefined;
    if (!thread) return;
    this.statistics.words[GuestStatistic.STOP_REQUESTED] = 1;
    // A guest that waits for a register answer must not wait for ever.
    if (this.mailbox.request()) this.mailbox.answer(NOTHING_THERE);
    if (!(await thread.endsWithin(STOP_WITHIN_MS))) await thread.terminate();
  }

  /** Ends the thread for good: no restart that is under way starts another. */
  async close(): Promise<void> {
    this.closed = true;
    await this.stop();
  }

  /** Stops the guest, resets its devices, and starts it anew. */
  async restart(): Promise<void> {
    await this.stop();
    for (const target of this.parts.functions) target.reset();
    Atomics.store(this.words, this.mailbox.stateIndex, MailboxState.IDLE);
    this.start();
  }
}
