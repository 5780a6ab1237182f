/**
 * Measures how long single packets take from one front-end to another, while a third may flood: one
 * thread drives all of them and reads one clock.
 */
import { Histogram, HISTOGRAM_WORDS } from '../../base/histogram.ts';
import { NS_PER_MS, NS_PER_S } from '../../base/time.ts';
import { monotonicClock } from '../../host/monotonic-clock.ts';
import { setAffinity, setThreadNice, thisThread } from '../../host/native/thread.ts';
import { allowedCpus, thisHost } from '../../host/host-view.ts';
import { Ethernet } from '../../wire/ethernet.ts';
import { NetHeader } from '../../wire/virtio-net.ts';
import { BUFFER_BYTES, RING_SIZE, type FrontEnd } from './front-end.ts';
import type { View } from './shared-memory.ts';

const PACKET_BYTES = 64;
/** IEEE 802 local experimental EtherType 1. */
const ETHER_TYPE = 0x88b5;
const SEQUENCE = 16;
/** Between two packets of the measured pair, at random, so that they keep step with nothing. */
const SPACING_NS_MIN = 100_000;
const SPACING_NS_MAX = 300_000;
/** Packets of the flood for each turn of the loop: it must not make the measurement coarse. */
const FLOOD_BATCH = 8;
/** This process did not run for so long: what was under way then is not measured. */
const GAP_NS = 20_000;
/** For packets that are under way at the end of a series, and at the start of one. */
const SETTLE_NS = 200 * NS_PER_MS;

export interface Endpoint {
  readonly frontEnd: FrontEnd;
  readonly mac: readonly number[];
}

export interface Crossing {
  readonly samples: number;
  readonly lost: number;
  /** Packets not measured, because this process itself did not run meanwhile. */
  readonly discarded: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
  readonly maxNs: number;
  /** What the flood had carried to its end. */
  readonly floodMpps: number;
  /** How often this process was stopped for longer than 20 µs, and for how long at most. */
  readonly gapsPerSecond: number;
  readonly gapNsMax: number;
}

export interface CrossingParts {
  readonly view: View;
  readonly victim: Endpoint;
  readonly peer: Endpoint;
  readonly flood: Endpoint;
  readonly sink: Endpoint;
}

export class CrossingBench {
  private readonly parts: CrossingParts;
  private readonly histogram = new Histogram(new Float64Array(HISTOGRAM_WORDS));
  private readonly sentNs = new Float64Array(RING_SIZE);
  private readonly cell = new Float64Array(1);
  private readonly latency = new Float64Array(1);
  private sequence = 0;
  private received = 0;
  private discarded = 0;
  private flooded = 0;
  private gapEndNs = 0;
  private gaps = 0;
  private gapNsMax = 0;
  private measuring = false;
  private random = 1;
  /** Buffers of the flood that the back-end does not have. */
  private readonly free = Uint16Array.from({ length: RING_SIZE }, (_, n) => n);
  private freeCount = RING_SIZE;

  constructor(parts: CrossingParts) {
    this.parts = parts;
    const { victim, peer, flood, sink } = parts;
    for (const { frontEnd } of [peer, sink]) {
      for (let n = 0; n < RING_SIZE; n++) frontEnd.receiveq.expose(n, BUFFER_BYTES, true);
      frontEnd.receiveq.publish();
    }
    this.address(victim, peer);
    this.address(flood, sink);
  }

  /** Every buffer of a sender's holds a packet to its receiver. */
  private address({ frontEnd, mac }: Endpoint, to: Endpoint): void {
    const { u8 } = this.parts.view;
    for (let n = 0; n < RING_SIZE; n++) {
      const at = frontEnd.transmitq.bufferAt(n);
      u8.fill(0, at, at + NetHeader.SIZE + PACKET_BYTES);
      u8.set(to.mac, at + NetHeader.SIZE + Ethernet.DESTINATION);
      u8.set(mac, at + NetHeader.SIZE + Ethernet.SOURCE);
      u8.set([ETHER_TYPE >>> 8, ETHER_TYPE & 0xff], at + NetHeader.SIZE + Ethernet.TYPE);
    }
  }

  /** Runs for so many seconds without giving the processor back, on the first one. */
  measure(seconds: number, flooding: boolean): Crossing {
    const cpus = allowedCpus(thisHost);
    setAffinity(thisThread(), cpus.slice(0, 1));
    const favoured = setThreadNice(-20);
    try {
      return this.series(seconds, flooding);
    } finally {
      setAffinity(thisThread(), cpus);
      if (favoured) setThreadNice(0);
    }
  }

  private series(seconds: number, flooding: boolean): Crossing {
    this.turnsUntil(this.now() + SETTLE_NS, flooding, false);
    this.histogram.clear();
    const before = { sequence: this.sequence, received: this.received, flooded: this.flooded };
    this.discarded = 0;
    this.gaps = 0;
    this.gapNsMax = 0;
    this.measuring = true;
    const from = this.now();
    this.turnsUntil(from + seconds * NS_PER_S, flooding, true);
    const floodMpps = ((this.flooded - before.flooded) / (this.now() - from)) * 1000;
    this.turnsUntil(this.now() + SETTLE_NS, flooding, false);
    this.measuring = false;
    const { histogram } = this;
    const sent = this.sequence - before.sequence;
    return {
      samples: histogram.count,
      lost: sent - (this.received - before.received),
      discarded: this.discarded,
      p50Ns: histogram.quantile(0.5),
      p99Ns: histogram.quantile(0.99),
      p999Ns: histogram.quantile(0.999),
      maxNs: histogram.max,
      floodMpps,
      gapsPerSecond: this.gaps / seconds,
      gapNsMax: this.gapNsMax,
    };
  }

  private now(): number {
    monotonicClock.readInto(this.cell);
    return this.cell[0]!;
  }

  private turnsUntil(endNs: number, flooding: boolean, sending: boolean): void {
    let next = this.now() + this.spacing();
    let last = this.now();
    for (let now = last; now < endNs; now = this.now()) {
      if (now - last > GAP_NS) this.stopped(now, now - last);
      last = now;
      this.receive(now);
      if (sending && now >= next) {
        this.send(now);
        next = now + this.spacing();
      }
      this.recycle(flooding);
    }
  }

  private stopped(now: number, ns: number): void {
    this.gapEndNs = now;
    this.gaps++;
    this.gapNsMax = Math.max(this.gapNsMax, ns);
  }

  /** A linear congruential generator is chance enough here. */
  private spacing(): number {
    this.random = (Math.imul(this.random, 1_664_525) + 1_013_904_223) >>> 0;
    return SPACING_NS_MIN + (this.random / 2 ** 32) * (SPACING_NS_MAX - SPACING_NS_MIN);
  }

  private send(now: number): void {
    const { transmitq } = this.parts.victim.frontEnd;
    // Each buffer is back long before its turn comes again: a packet every 200 µs.
    const index = this.sequence % RING_SIZE;
    if (transmitq.outstanding === RING_SIZE) return;
    const word = (transmitq.bufferAt(index) + NetHeader.SIZE + SEQUENCE) >>> 2;
    this.parts.view.i32[word] = this.sequence;
    this.sentNs[index] = now;
    this.sequence++;
    transmitq.expose(index, NetHeader.SIZE + PACKET_BYTES, false);
    transmitq.publish();
  }

  /** At most one packet a turn: there is hardly ever more than one under way. */
  private receive(now: number): void {
    const { receiveq } = this.parts.peer.frontEnd;
    const index = receiveq.reap();
    if (index < 0) return;
    const sequence =
      this.parts.view.i32[(receiveq.bufferAt(index) + NetHeader.SIZE + SEQUENCE) >>> 2]!;
    receiveq.expose(index, BUFFER_BYTES, true);
    receiveq.publish();
    this.received++;
    if (!this.measuring) return;
    const sentNs = this.sentNs[sequence % RING_SIZE]!;
    this.latency[0] = now - sentNs;
    if (sentNs < this.gapEndNs) this.discarded++;
    else this.histogram.recordFrom(this.latency, 0);
  }

  private recycle(flooding: boolean): void {
    const { victim, flood, sink } = this.parts;
    victim.frontEnd.transmitq.reap();
    const { transmitq } = flood.frontEnd;
    const { receiveq } = sink.frontEnd;
    for (let n = 0; n < FLOOD_BATCH; n++) {
      const back = transmitq.reap();
      if (back >= 0) this.free[this.freeCount++] = back;
      if (flooding && this.freeCount > 0)
        transmitq.expose(this.free[--this.freeCount]!, NetHeader.SIZE + PACKET_BYTES, false);
      const index = receiveq.reap();
      if (index < 0) continue;
      this.flooded++;
      receiveq.expose(index, BUFFER_BYTES, true);
    }
    transmitq.publish();
    receiveq.publish();
  }
}
