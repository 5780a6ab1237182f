/**
 * What VIRTIO 2.7.4 and 2.7.5 say about a descriptor chain, written down without regard to speed:
 * every breach that a descriptor commits is named, in no order of precedence.
 */
import type { FaultName } from '../../src/base/fault.ts';
import { INDIRECT, NEXT, WRITE } from './hostile-ring.ts';

/** A descriptor as its fields; the address as 64 bits. */
export interface ModelDesc {
  readonly address: bigint;
  readonly length: number;
  readonly flags: number;
  readonly next: number;
}

export interface ModelRegion {
  readonly start: bigint;
  readonly end: bigint;
}

export interface ModelRules {
  readonly queueSize: number;
  /** Most descriptors of a chain; the one that names a table is not counted. */
  readonly descriptorsMax: number;
  readonly indirect: boolean;
  readonly regions: readonly ModelRegion[];
}

/** `ring`: a place in the descriptor table; `table`: a place in the indirect table. */
export type Where = 'ring' | 'table';
export type Fetch = (where: Where, index: number) => ModelDesc | undefined;

export interface Segment {
  readonly address: bigint;
  readonly length: number;
  readonly writable: boolean;
}

/** Either the place that the walk needs next, or its end with every breach of the descriptor that ended it. */
export type Judgement =
  | { readonly needs: readonly [Where, number] }
  | { readonly faults: ReadonlySet<FaultName>; readonly segments: readonly Segment[] };

const DESC_BYTES = 16;
const BUFFER_BYTES_END = 2 ** 31;

export function judgeChain(rules: ModelRules, fetch: Fetch, head: number): Judgement {
  const segments: Segment[] = [];
  /** Places of the buffers in {@link segments}. */
  const places: string[] = [];
  const longest = Math.min(rules.queueSize, rules.descriptorsMax);
  const sums = { readable: 0, writable: 0 };
  let where: Where = 'ring';
  let tableEntries = rules.queueSize;
  let index = head;
  while (segments.length < longest) {
    const desc = fetch(where, index);
    if (!desc) return { needs: [where, index] };
    if ((desc.flags & INDIRECT) !== 0) {
      const breaches = breachesOfTable(rules, where, desc);
      if (breaches.length > 0) return end(segments, breaches);
      where = 'table';
      tableEntries = desc.length / DESC_BYTES;
      index = 0;
      continue;
    }
    const writable = (desc.flags & WRITE) !== 0;
    sums[writable ? 'writable' : 'readable'] += desc.length;
    const breaches = breachesOfBuffer(
      rules,
      desc,
      segments,
      Math.max(sums.readable, sums.writable),
    );
    if (breaches.length > 0) return end(segments, breaches);
    segments.push({ address: desc.address, length: desc.length, writable });
    places.push(`${where}${index}`);
    if ((desc.flags & NEXT) === 0) return end(segments, []);
    if (desc.next >= tableEntries) return end(segments, ['next-out-of-range']);
    index = desc.next;
    const first = places.indexOf(`${where}${index}`);
    if (first >= 0) return end(segments, breachesOfLoop(segments, first));
  }
  return end(segments, ['chain-too-long']);
}

/** Who goes round gets too long, and meets the readable buffers of the loop behind writable ones. */
function breachesOfLoop(segments: readonly Segment[], first: number): FaultName[] {
  const mixed =
    segments.some((segment) => segment.writable) &&
    segments.slice(first).some((segment) => !segment.writable);
  return [
    'descriptor-loop',
    'chain-too-long',
    ...(mixed ? ['readable-after-writable' as const] : []),
  ];
}

function end(segments: readonly Segment[], faults: readonly FaultName[]): Judgement {
  return { faults: new Set(faults), segments };
}

function inOneRegion({ regions }: ModelRules, { address, length }: ModelDesc): boolean {
  return regions.some(
    (region) =>
      address >= region.start && address < region.end && address + BigInt(length) <= region.end,
  );
}

/** 2.7.5.3. */
function breachesOfTable(rules: ModelRules, where: Where, desc: ModelDesc): FaultName[] {
  const breaches: FaultName[] = [];
  if (where === 'table') breaches.push('indirect-nested');
  if (!rules.indirect) breaches.push('indirect-not-negotiated');
  if ((desc.flags & NEXT) !== 0) breaches.push('indirect-with-next');
  const entries = desc.length / DESC_BYTES;
  if (entries === 0 || !Number.isInteger(entries) || entries > rules.queueSize)
    breaches.push('indirect-length');
  if (!inOneRegion(rules, desc)) breaches.push('address-out-of-range');
  return breaches;
}

/** 2.7.4.2 and 2.7.5. */
function breachesOfBuffer(
  rules: ModelRules,
  desc: ModelDesc,
  before: readonly Segment[],
  bytes: number,
): FaultName[] {
  const breaches: FaultName[] = [];
  if (!inOneRegion(rules, desc)) breaches.push('address-out-of-range');
  if (bytes >= BUFFER_BYTES_END) breaches.push('chain-bytes-exceeded');
  if ((desc.flags & WRITE) === 0 && before.some((segment) => segment.writable)) {
    breaches.push('readable-after-writable');
  }
  return breaches;
}
