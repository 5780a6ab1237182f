/** The register mailbox between a guest's thread and the host: one request, one answer, nothing read twice. */
import { strict as assert } from 'node:assert';
import { Worker } from 'node:worker_threads';
import path from 'node:path';
import fc from 'fast-check';
import {
  Mailbox,
  MailboxOperation,
  MailboxState,
  type RegisterAccess,
} from '../../../src/channel/mailbox.ts';
import { MailboxWord } from '../../../src/schedule/arena-layout.ts';
import { MailboxGuest } from '../../support/mailbox-guest.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

const BASE = 16;

function host() {
  const words = new Int32Array(new SharedArrayBuffer(4 * (BASE + 2 * MailboxWord.COUNT)));
  return { words, mailbox: new Mailbox(words, BASE), guest: new MailboxGuest(words, 4 * BASE) };
}

/** A guest's thread that makes the accesses one after the other and tells the answers. */
function guestThread(words: Int32Array, accesses: readonly RegisterAccess[]): Promise<number[]> {
  const module = path.resolve(__dirname, '../../../src/channel/mailbox.js');
  const body = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { Mailbox } = require(workerData.module);
    const mailbox = new Mailbox(workerData.words, ${BASE});
    parentPort.postMessage(workerData.accesses.map((access) => mailbox.access(access)));`;
  return new Promise((resolve, reject) => {
    const worker = new Worker(body, { eval: true, workerData: { module, words, accesses } });
    let answers: number[] = [];
    worker.on('message', (message: number[]) => {
      answers = message;
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(answers));
  });
}

async function nextRequest(mailbox: Mailbox): Promise<RegisterAccess> {
  for (;;) {
    const request = mailbox.request();
    if (request) return request;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

describe('register mailbox', () => {
  it('[utest->req~ctrl.register-budget~1] the host sees a request only while the state says so', () => {
    const { mailbox, guest } = host();
    for (const state of [MailboxState.IDLE, MailboxState.ANSWERED, 3, -1]) {
      guest.post({ operation: 1 }, state);
      assert.equal(mailbox.request(), undefined);
    }
    guest.post({ operation: 1 });
    assert.ok(mailbox.request());
  });

  it('[utest->req~ctrl.register-budget~1] any words are taken over as unsigned numbers', () => {
    const { mailbox, guest } = host();
    const word = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
    const access = fc.record({
      operation: word,
      function: word,
      offset: word,
      width: word,
      low: word,
      high: word,
    });
    fc.assert(
      fc.property(access, (posted) => {
        guest.post(posted);
        const { operation, ...rest } = mailbox.request()!;
        assert.equal(operation | 0, posted.operation);
        for (const key of ['function', 'offset', 'width', 'low', 'high'] as const)
          assert.equal(rest[key], posted[key] >>> 0);
      }),
      seededRuns(93, 200),
    );
  });

  it('[utest->req~mem.single-fetch~1] a request is a copy: what the guest writes later does not change it', () => {
    const { mailbox, guest } = host();
    guest.post({ operation: 2, function: 1, offset: 4, width: 2, low: 7, high: 8 });
    const request = mailbox.request()!;
    for (let word: number = MailboxWord.OPERATION; word <= MailboxWord.HIGH; word++)
      guest.set(word, -1);
    assert.deepEqual(request, { operation: 2, function: 1, offset: 4, width: 2, low: 7, high: 8 });
  });

  it('[utest->req~ctrl.register-budget~1] an answer is one word and ends the request; no word beside the mailbox is written', () => {
    const { words, mailbox, guest } = host();
    words.fill(-7);
    guest.post({ operation: 1 });
    mailbox.answer(0xfedc_ba98);
    assert.equal(guest.answer, 0xfedc_ba98);
    assert.equal(guest.state, MailboxState.ANSWERED);
    assert.equal(mailbox.request(), undefined);
    const outside = [...words.subarray(0, BASE), ...words.subarray(BASE + MailboxWord.COUNT)];
    assert.deepEqual(new Set(outside), new Set([-7]));
  });

  it("[utest->req~guest.honest-driver~1] a guest's thread waits for each answer, and gets its own", async () => {
    const { words, mailbox, guest } = host();
    const accesses = Array.from({ length: 200 }, (_, n): RegisterAccess => ({
      operation: MailboxOperation.BAR_READ,
      function: 0,
      offset: 4 * n,
      width: 4,
      low: n,
      high: -n,
    }));
    const answers = guestThread(words, accesses);
    for (const { offset, low } of accesses) {
      const request = await nextRequest(mailbox);
      assert.deepEqual([request.offset, request.low], [offset, low]);
      mailbox.answer(0xffff_0000 + request.offset);
    }
    assert.deepEqual(
      await answers,
      accesses.map(({ offset }) => 0xffff_0000 + offset),
    );
    assert.equal(guest.state, MailboxState.IDLE);
  });
});
