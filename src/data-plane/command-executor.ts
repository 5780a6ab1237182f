/** Carries out the control plane's commands, in control windows, a bounded number at a time. */
import { GatewayCounter, type Counters } from '../channel/counters.ts';
import {
  CommandKind,
  CommandWord,
  RingFlag,
  type CommandChannel,
} from '../channel/command-channel.ts';
import type { ArenaLayout } from '../schedule/arena-layout.ts';
import type { Device } from './device.ts';
import type { DeviceQueue } from './device-queue.ts';
import type { FrameTime } from './frame-time.ts';
import type { Partition } from './partition.ts';
import type { QueueService } from './queue-service.ts';

const COMMANDS_MAX = 64;

export interface ExecutorParts {
  readonly channel: CommandChannel;
  readonly counters: Counters;
  readonly queues: readonly DeviceQueue[];
  readonly services: readonly (QueueService | undefined)[];
  readonly devices: readonly Device[];
  readonly partitions: readonly Partition[];
  /** Tables of memory regions lie in the areas of their devices. */
  readonly words: Int32Array;
  readonly layout: ArenaLayout;
}

export class CommandExecutor {
  /** The control plane has asked the data plane to end. */
  stopped = false;
  /** Clock after the last command of the window, in nanoseconds of the major frame, or 0. */
  endedAt = 0;
  private readonly command = new Int32Array(CommandWord.COUNT);

  private readonly parts: ExecutorParts;

  constructor(parts: ExecutorParts) {
    this.parts = parts;
  }

  /** Runs waiting commands while one more still fits before `end`. */
  // [impl->req~ctrl.budget~1]
  run(time: FrameTime, end: number, commandNs: number): void {
    let now = time.read();
    this.endedAt = 0;
    for (let n = 0; n < COMMANDS_MAX; n++) {
      if (now + commandNs > end || !this.runOne()) return;
      now = this.endedAt = time.read();
    }
  }

  /** Runs the next waiting command, if there is one. */
  runOne(): boolean {
    const { channel, counters } = this.parts;
    if (!channel.take(this.command)) return false;
    channel.acknowledge(this.carryOut());
    counters.words[GatewayCounter.COMMANDS]! += 1;
    return true;
  }

  /** The answer to the command, 0 where there is nothing to say. */
  private carryOut(): number {
    const { command, parts } = this;
    const target = command[CommandWord.TARGET]!;
    switch (command[CommandWord.KIND]) {
      case CommandKind.START_QUEUE:
        this.startQueue(target);
        return 0;
      case CommandKind.STOP_QUEUE:
        return this.stopQueue(target);
      case CommandKind.ENABLE_QUEUE:
        parts.queues[target]!.enabled = command[CommandWord.ENABLED] !== 0;
        this.ringsChanged();
        return 0;
      case CommandKind.SET_NOTIFICATION:
        parts.queues[target]!.notifyBy(
          command[CommandWord.NOTIFY_KIND]!,
          command[CommandWord.NOTIFY_TARGET]!,
        );
        return 0;
      case CommandKind.START_DEVICE:
      case CommandKind.STOP_DEVICE:
      case CommandKind.SET_MEMORY:
        this.changeDevice(parts.devices[target]!);
        return 0;
      case CommandKind.RUN_PARTITION:
      case CommandKind.HOLD_PARTITION:
        parts.partitions[target]!.running = command[CommandWord.KIND] === CommandKind.RUN_PARTITION;
        return 0;
      default:
        this.stopped = true;
        return 0;
    }
  }

  private changeDevice(device: Device): void {
    const { command } = this;
    switch (command[CommandWord.KIND]) {
      case CommandKind.START_DEVICE:
        return device.start(
          command[CommandWord.FEATURES_LOW]! >>> 0,
          command[CommandWord.FEATURES_HIGH]! >>> 0,
        );
      case CommandKind.STOP_DEVICE:
        return device.stop();
      default: {
        const { regionsAt } = this.parts.layout.devices[device.plan.index]!;
        device.memory.load(this.parts.words, regionsAt, command[CommandWord.REGIONS]!);
      }
    }
  }

  private startQueue(target: number): void {
    const { command } = this;
    const flags = command[CommandWord.FLAGS]!;
    const queue = this.parts.queues[target]!;
    this.parts.services[target]?.reset();
    queue.start(
      {
        size: command[CommandWord.SIZE]!,
        descAt: command[CommandWord.DESC]!,
        availAt: command[CommandWord.AVAIL]!,
        usedAt: command[CommandWord.USED]!,
        eventIdx: (flags & RingFlag.EVENT_IDX) !== 0,
        indirect: (flags & RingFlag.INDIRECT) !== 0,
        packed: (flags & RingFlag.PACKED) !== 0,
        index: command[CommandWord.INDEX]!,
      },
      command[CommandWord.NOTIFY_KIND]!,
      command[CommandWord.NOTIFY_TARGET]!,
    );
    queue.enabled = (flags & RingFlag.DISABLED) === 0;
    this.ringsChanged();
  }

  /** The base at which a ring that starts again goes on. */
  private stopQueue(target: number): number {
    const { ring } = this.parts.queues[target]!;
    ring.stop();
    this.parts.services[target]?.reset();
    this.ringsChanged();
    return ring.base;
  }

  private ringsChanged(): void {
    const { devices } = this.parts;
    for (let n = 0; n < devices.length; n++) devices[n]!.ringsChanged();
  }
}
