/** Hostile descriptor chains on every kind of queue, beside an honest pair (VIRTIO 2.7.4, 2.7.5). */
import { HOSTILE_FIRST as FIRST, type ChainContext } from '../support/attack-targets.ts';
import { testChainAttacks, type ChainAttack } from '../support/chain-attack.ts';
import { linked, NEXT, raw, WRITE, type RawDesc } from '../support/hostile-ring.ts';

const QUEUE_SIZE = 64;
const DESCRIPTORS_MAX = 20;

/** `count` good descriptors in a chain, the last of which goes on to `next`. */
function chainTo({ good }: ChainContext, count: number, next: number): RawDesc[] {
  const descs = linked(
    Array.from({ length: count }, () => good(64)),
    FIRST,
  );
  const last = descs.pop()!;
  return [...descs, { ...last, flags: last.flags | NEXT, next }];
}

function chainOf(descs: readonly RawDesc[]): RawDesc[] {
  return linked(descs, FIRST);
}

function at(address: number, flags: number, length = 64): RawDesc {
  return raw(address, length, flags);
}

const readable = ({ rig }: ChainContext, bytes = 64) =>
  at(rig.guest('a').slice.allocate(bytes), 0, bytes);
const writable = ({ rig }: ChainContext, bytes = 64) =>
  at(rig.guest('a').slice.allocate(bytes), WRITE, bytes);

const LOOPS: readonly ChainAttack[] = [
  {
    catalogue: '1',
    title: 'a descriptor that names itself',
    fault: 'descriptor-loop',
    requirement: 'queue.bounded-walk',
    chain: (c) => chainTo(c, 1, FIRST),
  },
  {
    catalogue: '1',
    title: 'two descriptors that name each other',
    fault: 'descriptor-loop',
    requirement: 'queue.bounded-walk',
    chain: (c) => chainTo(c, 2, FIRST),
  },
  {
    catalogue: '1',
    title: 'a chain that runs back into its middle',
    fault: 'descriptor-loop',
    requirement: 'queue.bounded-walk',
    chain: (c) => chainTo(c, 4, FIRST + 2),
  },
  {
    catalogue: '1',
    title: 'a cycle as long as the longest chain',
    fault: ['descriptor-loop', 'chain-too-long'],
    requirement: 'queue.bounded-walk',
    chain: (c) => chainTo(c, DESCRIPTORS_MAX, FIRST),
  },
];

const NEXT_AND_LENGTH: readonly ChainAttack[] = [
  ...[QUEUE_SIZE, QUEUE_SIZE + 1, 0x8000, 0xffff].map((next): ChainAttack => ({
    catalogue: '2',
    title: `next ${next} in a table of ${QUEUE_SIZE}`,
    fault: 'next-out-of-range',
    chain: (c) => chainTo(c, 1, next),
  })),
  {
    catalogue: '2',
    title: 'next out of range at the third hop',
    fault: 'next-out-of-range',
    chain: (c) => chainTo(c, 3, QUEUE_SIZE),
  },
  {
    catalogue: '2',
    title: 'one descriptor more than the longest chain',
    fault: 'chain-too-long',
    requirement: 'queue.bounded-walk',
    chain: ({ good }) => chainOf(Array.from({ length: DESCRIPTORS_MAX + 1 }, () => good(64))),
  },
];

const DIRECTIONS: readonly ChainAttack[] = [
  {
    catalogue: '12',
    title: 'readable behind writable',
    fault: 'readable-after-writable',
    chain: (c) => chainOf([readable(c), writable(c), readable(c)]),
  },
  {
    catalogue: '12',
    title: 'readable behind a writable descriptor without bytes',
    fault: 'readable-after-writable',
    chain: (c) => chainOf([writable(c, 0), readable(c)]),
  },
  {
    catalogue: '13',
    title: 'a writable buffer',
    fault: 'wrong-direction',
    roles: ['transmit'],
    chain: (c) => [writable(c, 256)],
  },
  {
    catalogue: '13',
    title: 'a packet with a writable tail',
    fault: 'wrong-direction',
    roles: ['transmit'],
    chain: (c) => chainOf([readable(c, 256), writable(c, 1)]),
  },
  {
    catalogue: '13',
    title: 'a readable buffer',
    fault: 'wrong-direction',
    roles: ['receive'],
    chain: (c) => [readable(c, 2048)],
  },
  {
    catalogue: '13',
    title: 'a buffer with a readable head',
    fault: 'wrong-direction',
    roles: ['receive'],
    chain: (c) => chainOf([readable(c, 1), writable(c, 2048)]),
  },
  {
    catalogue: '13',
    title: 'a command without an ack byte',
    fault: 'control-malformed',
    roles: ['control'],
    chain: (c) => [readable(c, 3)],
  },
  {
    catalogue: '13',
    title: 'a command without a readable byte',
    fault: 'control-malformed',
    roles: ['control'],
    chain: (c) => [writable(c, 3)],
  },
];

const LENGTHS: readonly ChainAttack[] = [
  {
    catalogue: '9',
    title: 'a whole chain without a byte',
    fault: { transmit: 'wrong-direction', receive: 'chain-empty', control: 'control-malformed' },
    chain: ({ good }) => chainOf([good(0), good(0), good(0)]),
  },
  {
    catalogue: '9',
    title: 'one descriptor without a byte',
    fault: { transmit: 'wrong-direction', receive: 'chain-empty', control: 'control-malformed' },
    chain: ({ good }) => [good(0)],
  },
  ...[0x7fffffff, 0x80000000, 0xffffffff].map((length): ChainAttack => ({
    catalogue: '10',
    title: `length 0x${length.toString(16)}`,
    fault: 'address-out-of-range',
    requirement: 'mem.bounds',
    chain: ({ good }) => [{ ...good(), length }],
  })),
];

const MIDDLE: readonly ChainAttack[] = [
  {
    catalogue: '30',
    title: 'a bad address behind five good descriptors',
    fault: 'address-out-of-range',
    requirement: 'queue.chain-returned',
    chain: ({ good, target }) =>
      chainOf([
        good(600),
        good(600),
        good(600),
        good(600),
        good(600),
        at(0, target.direction),
        good(600),
      ]),
  },
  {
    catalogue: '30',
    title: 'a wrong next behind five good descriptors',
    fault: 'next-out-of-range',
    requirement: 'queue.chain-returned',
    chain: (c) => chainTo(c, 6, QUEUE_SIZE),
  },
];

describe('a hostile descriptor chain', () => {
  testChainAttacks([...LOOPS, ...NEXT_AND_LENGTH, ...DIRECTIONS, ...LENGTHS, ...MIDDLE]);
});
