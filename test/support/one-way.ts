/** One route from a to b, for tests of the receiving side: known buffers, and why a packet was dropped. */
import { strict as assert } from 'node:assert';
import { supplyPieces } from './net-guest.ts';
import { Rig, netDevice, route, type DeviceOptions } from './rig.ts';

/** What every byte of a supplied buffer holds before the device writes it. */
export const FILL = 0xee;

export function oneWay(b: DeviceOptions = {}, receiveDescriptorsMax = 20): Rig {
  return new Rig({
    devices: { a: netDevice(1), b: netDevice(2, b) },
    routes: [route('a', 'b', { receiveDescriptorsMax })],
  });
}

/** Gives b buffers of one descriptor each; their addresses. */
export function supplyEach(rig: Rig, ...lengths: number[]): number[] {
  return lengths.map((length) => {
    const [address] = supplyPieces(rig, 'b', [length]);
    rig.guest('b').slice.write(address!, new Array(length).fill(FILL));
    return address!;
  });
}

/** Sends a packet of so many bytes from a to b, and runs a major frame. */
export function sendOne(rig: Rig, bytes: number): number[] {
  const packet = rig.packet('a', 'b', bytes);
  rig.send('a', packet);
  rig.frames();
  return packet;
}

export function usedLengths(rig: Rig): number[] {
  return rig.guest('b').receive[0]!.usedElements.map(({ length }) => length);
}

/** The one packet was dropped for this reason; its sender got its buffer back and did nothing wrong. */
export function assertDropped(
  rig: Rig,
  reason: string,
  receiverFaults: object,
  lengths: readonly number[],
): void {
  assert.deepEqual(rig.route('a-b').drops, { [reason]: 1 });
  assert.deepEqual(rig.faults('b'), receiverFaults);
  assert.deepEqual(rig.faults('a'), {});
  assert.equal(rig.guest('a').transmit[0]!.usedIndex, 1);
  assert.deepEqual(usedLengths(rig), lengths);
}
