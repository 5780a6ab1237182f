/** An embedded guest's machine without threads: register accesses and waits run the host's side at once. */
import { MailboxOperation, type Mailbox, type RegisterAccess } from '../../src/channel/mailbox.ts';
import type { VirtioFunction } from '../../src/control-plane/pci/virtio-function.ts';
import { GuestMachine } from '../../src/guest/guest-machine.ts';
import type { FunctionBench } from './function-bench.ts';

const ALL_ONES = 0xffff_ffff;

/** Answers every access from the functions of one bus, and keeps a record. */
export class SynchronousMailbox {
  readonly accesses: RegisterAccess[] = [];
  /** Changes answers on their way: a device that is not ours. */
  tamper: (access: RegisterAccess, answer: number) => number = (_, answer) => answer;
  private readonly functions: readonly VirtioFunction[];

  constructor(functions: readonly VirtioFunction[]) {
    this.functions = functions;
  }

  access(access: RegisterAccess): number {
    this.accesses.push({ ...access });
    return this.tamper(access, this.serve(access)) >>> 0;
  }

  private serve({ operation, function: number, offset, width, low, high }: RegisterAccess): number {
    const target = this.functions[number];
    if (!target) return ALL_ONES;
    switch (operation) {
      case MailboxOperation.CONFIG_READ:
        return target.readConfig(offset, width);
      case MailboxOperation.CONFIG_WRITE:
        target.writeConfig(offset, width, low >>> 0);
        return 0;
      case MailboxOperation.BAR_READ:
        return target.readBar(offset, width);
      default:
        target.writeBar(offset, width, low >>> 0, high >>> 0);
        return 0;
    }
  }

  /** The writes to the common structure's register at this offset, oldest first. */
  writesTo(offset: number): number[] {
    return this.accesses
      .filter(
        (access) => access.operation === MailboxOperation.BAR_WRITE && access.offset === offset,
      )
      .map(({ low }) => low >>> 0);
  }

  /** Position of the first access of this kind to this offset, or -1. */
  firstAt(operation: number, offset: number): number {
    return this.accesses.findIndex(
      (access) => access.operation === operation && access.offset === offset,
    );
  }
}

export class BenchMachine extends GuestMachine {
  readonly registers: SynchronousMailbox;
  /** Waits for an interrupt so far. */
  waits = 0;
  private readonly bench: FunctionBench;

  constructor(bench: FunctionBench, partition = 0) {
    super({
      memory: bench.memory,
      area: bench.plan.layout.partitions[partition]!,
      clock: bench.time,
      pace: {
        waitUntil: (target, now) => {
          bench.settle();
          bench.time.waitUntil(target, now);
        },
      },
    });
    this.bench = bench;
    this.registers = new SynchronousMailbox(bench.busOf(partition));
    Object.assign(this, { mailbox: this.registers as Pick<Mailbox, 'access'> });
  }

  /** A wait is a major frame. */
  override waitForInterrupt(_word: number, _seen: number, _ns: number): void {
    this.waits++;
    this.bench.frames(1);
  }
}
