/** The closed list of faults: a code for every name, a meaning for every code, and which ones stop a ring. */
import { strict as assert } from 'node:assert';
import {
  FAULT_COUNT,
  FAULT_NAMES,
  Fault,
  faultMeaning,
  faultName,
  NO_FAULT,
  stopsRing,
} from '../../../src/base/fault.ts';

describe('base/fault', () => {
  it('[utest->req~queue.chain-checked~1] every fault but "none" has one constant, named like it, with its own code', () => {
    const named = Object.entries(Fault).map(([constant, code]) => {
      const name = constant.replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
      assert.equal(faultName(code), name);
      return code;
    });
    assert.deepEqual(
      named.toSorted((a, b) => a - b),
      Array.from({ length: FAULT_COUNT - 1 }, (_, n) => n + 1),
    );
  });

  it('[utest->req~queue.chain-checked~1] the names are all different, and there are as many as counted', () => {
    assert.equal(new Set(FAULT_NAMES).size, FAULT_COUNT);
    assert.equal(FAULT_NAMES.length, FAULT_COUNT);
  });

  it('[utest->req~fault.contain~1] codes fit the 64 bits in which a partition remembers what it reported', () => {
    assert.ok(FAULT_COUNT <= 64);
  });

  it('[utest->req~queue.chain-checked~1] code 0 is "none", and so is every code that does not exist', () => {
    assert.equal(NO_FAULT, 0);
    for (const code of [NO_FAULT, -1, FAULT_COUNT, 0.5]) assert.equal(faultName(code), 'none');
  });

  it('[utest->req~queue.chain-checked~1] every fault has a meaning of its own, and no other code has one', () => {
    const meanings = FAULT_NAMES.map((_, code) => faultMeaning(code));
    assert.ok(meanings.every((meaning) => meaning.length > 0));
    assert.equal(new Set(meanings).size, FAULT_COUNT);
    for (const code of [-1, FAULT_COUNT]) assert.equal(faultMeaning(code), '');
  });

  it('[utest->req~queue.chain-returned~1] exactly the faults of the available ring stop it, all others are returned', () => {
    const stopping = FAULT_NAMES.filter((_, code) => stopsRing(code));
    assert.deepEqual(stopping, [
      'avail-index-out-of-range',
      'head-out-of-range',
      'head-in-flight',
      'descriptor-marks-invalid',
      'descriptor-list-incomplete',
    ]);
    for (const code of [-1, FAULT_COUNT]) assert.equal(stopsRing(code), false);
  });
});
