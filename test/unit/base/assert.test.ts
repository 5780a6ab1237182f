/** Assertions: our own mistakes are exceptions of one kind, and nothing else is. */
import { strict as assert } from 'node:assert';
import { assert as claim, InternalError, present } from '../../../src/base/assert.ts';

describe('base/assert', () => {
  it('[utest->req~fault.safe-state~1] an assertion that holds does nothing', () => {
    assert.equal(claim(true, 'never shown'), undefined);
  });

  it('[utest->req~fault.safe-state~1] an assertion that fails throws an InternalError with its message', () => {
    assert.throws(
      () => claim(false, 'the table is sorted'),
      (error: unknown) =>
        error instanceof InternalError &&
        error instanceof Error &&
        error.name === 'InternalError' &&
        error.message === 'the table is sorted',
    );
  });

  it('[utest->req~fault.safe-state~1] a value that is there is handed through, however false it looks', () => {
    for (const value of [0, '', false, NaN]) assert.equal(present(value, 'value'), value);
  });

  it('[utest->req~fault.safe-state~1] a value that is missing is an InternalError that names it', () => {
    for (const missing of [undefined, null]) {
      assert.throws(() => present(missing, 'queue 7'), {
        name: 'InternalError',
        message: 'missing: queue 7',
      });
    }
  });
});
