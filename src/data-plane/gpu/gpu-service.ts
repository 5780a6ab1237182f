/**
 * One queue of a GPU device (5.7.2): commands in order, each in pieces that fit a window; what is
 * answered is complete.
 */
import { Fault, NO_FAULT, type FaultCode } from '../../base/fault.ts';
import { QueueCounter } from '../../channel/counters.ts';
import { GPU_PIECE_BYTES } from '../../schedule/cost-model.ts';
import { GpuHeader, GpuResponse } from '../../wire/virtio-gpu.ts';
import type { DeviceQueue } from '../device-queue.ts';
import { ArrivalStamps } from '../arrival-stamps.ts';
import type { FlowProbe } from '../flow-probe.ts';
import type { FrameTime } from '../frame-time.ts';
import type { Publications } from '../publications.ts';
import { Served, type QueueService } from '../queue-service.ts';
import { GOES_ON, type GpuCommand } from './commands/command.ts';
import type { GpuDevice } from './gpu-device.ts';
import type { GpuRequest } from './gpu-request.ts';
import type { PlaneUpdate } from './plane-update.ts';

/** A piece that moves pixels moves at least so many bytes, or waits for the next window. */
const PIECE_BYTES_MIN = 256;

export interface GpuServiceParts {
  readonly device: GpuDevice;
  readonly queue: DeviceQueue;
  readonly request: GpuRequest;
  /** The commands of this queue by their type. */
  readonly commands: ReadonlyMap<number, GpuCommand>;
  /** Commands of this type are what the queue's flows measure. */
  readonly measuredType: number;
  /** On cursorq drivers in use leave out the room for an answer. */
  readonly isCursor: boolean;
  readonly update: PlaneUpdate;
  readonly publications: Publications;
  readonly probes: readonly FlowProbe[];
  readonly time: FrameTime;
}

// [impl->req~gpu.refuse~1]
function faultOf(answer: number): FaultCode {
  if (answer < GpuResponse.ERR_UNSPEC) return NO_FAULT;
  return answer === GpuResponse.ERR_OUT_OF_MEMORY
    ? Fault.GpuQuotaExceeded
    : Fault.GpuCommandRefused;
}

// [impl->req~gpu.resumable~1]
export class GpuService implements QueueService {
  lastBytes = 0;
  private readonly parts: GpuServiceParts;
  private readonly stamps: ArrivalStamps;
  /** The command under way, and the buffer it came in. */
  private active: GpuCommand | undefined;
  private head = 0;
  private position = 0;
  private measured = false;
  private knownStarts = 0;

  constructor(parts: GpuServiceParts) {
    this.parts = parts;
    this.stamps = new ArrivalStamps(parts.device.plan.queueSizeMax);
  }

  majorFrameBegins(): void {}

  /** A command under way is undone as far as it must be: its buffer will be offered again. */
  reset(): void {
    this.active?.abandon();
    this.active = undefined;
    this.parts.update.abandon();
  }

  look(): number {
    const { device, queue, time } = this.parts;
    if (!device.started || !queue.enabled) return 0;
    if (queue.starts !== this.knownStarts) this.ringStarted();
    const before = queue.ring.seen;
    const available = queue.look();
    const { ring } = queue;
    if (!ring.started || !queue.partition.running) return 0;
    if (!this.active && before === ring.taken) this.stamps.idle();
    this.stamps.looked(before, ring.seen, time.now, ring.sawAll);
    // A command of many pieces is more than one request to the serving rule.
    return this.active ? available + 1 : available;
  }

  private ringStarted(): void {
    const { device, queue, isCursor } = this.parts;
    this.knownStarts = queue.starts;
    this.stamps.restart(queue.startedAt);
    if (queue.isFresh && !isCursor) device.renew();
  }

  serveMany(): number {
    return 0;
  }

  serve(bytesLeft: number): number {
    this.lastBytes = 0;
    if (bytesLeft < PIECE_BYTES_MIN) return Served.CLOSED;
    if (this.active) return this.goOn(this.active, bytesLeft);
    const { queue, request } = this.parts;
    const { ring } = queue;
    this.position = ring.taken;
    this.head = ring.takeHead();
    if (this.head < 0) {
      queue.fault(ring.brokenBy);
      return Served.BROKEN;
    }
    request.chain.begin();
    const fault = ring.walk(request.chain, this.head, request.chain.descriptorsMax);
    queue.count(QueueCounter.REQUESTS, 1);
    if (fault !== NO_FAULT) return this.refuse(fault);
    if (request.chain.readableBytes < GpuHeader.SIZE || !this.hasRoom(GpuHeader.SIZE)) {
      return this.refuse(Fault.GpuCommandMalformed);
    }
    const type = request.readHeader();
    const command = this.parts.commands.get(type);
    this.measured = false;
    if (!command?.available) return this.end(GpuResponse.ERR_UNSPEC, GpuHeader.SIZE);
    if (!this.hasRoom(command.answerBytes) || !request.readRest(command.bytes)) {
      queue.fault(Fault.GpuCommandMalformed);
      return this.respond(GpuResponse.ERR_UNSPEC, GpuHeader.SIZE);
    }
    this.measured = type === this.parts.measuredType;
    request.begin(command.answerBytes);
    const answer = command.begin(request);
    if (answer !== GOES_ON) return this.end(answer, command.answerBytes);
    this.active = command;
    return this.goOn(command, bytesLeft);
  }

  private hasRoom(bytes: number): boolean {
    const { isCursor, request } = this.parts;
    const { writableBytes } = request.chain;
    return writableBytes >= bytes || (isCursor && writableBytes === 0);
  }

  /** A buffer that says nothing goes back with length 0. */
  private refuse(fault: FaultCode): number {
    const { queue } = this.parts;
    queue.ring.complete(this.head, 0);
    queue.fault(fault);
    return Served.ONE;
  }

  private goOn(command: GpuCommand, bytesLeft: number): number {
    const bytesMax = bytesLeft < GPU_PIECE_BYTES ? bytesLeft : GPU_PIECE_BYTES;
    const answer = command.advance(this.parts.request, bytesMax);
    this.lastBytes = command.movedBytes;
    this.parts.queue.count(QueueCounter.BYTES, command.movedBytes);
    if (answer === GOES_ON) return Served.ONE;
    this.active = undefined;
    // What lies where answers are put together may have become another queue's meanwhile.
    this.parts.request.begin(command.answerBytes);
    return this.end(answer, command.answerBytes);
  }

  /** Answers a command; an error has the header only. */
  private end(answer: number, answerBytes: number): number {
    const fault = faultOf(answer);
    if (fault === NO_FAULT) return this.respond(answer, answerBytes);
    this.parts.queue.fault(fault);
    this.measured = false;
    return this.respond(answer, GpuHeader.SIZE);
  }

  private respond(answer: number, bytes: number): number {
    const { request, queue } = this.parts;
    if (answer >= GpuResponse.ERR_UNSPEC) request.begin(bytes);
    queue.ring.complete(this.head, request.answer(answer, bytes));
    if (this.measured) this.noteFlows();
    return Served.ONE;
  }

  private noteFlows(): void {
    const { probes } = this.parts;
    for (let n = 0; n < probes.length; n++) probes[n]!.served(this.stamps, this.position);
  }

  publish(): void {
    const { publications, queue, probes, time } = this.parts;
    publications.publish(queue);
    for (let n = 0; n < probes.length; n++) {
      const probe = probes[n]!;
      if (!probe.waiting) continue;
      time.read();
      probe.published();
    }
  }
}
