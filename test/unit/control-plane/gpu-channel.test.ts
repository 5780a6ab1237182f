/** The channel of a guest's display: what is told when, in which bytes, to whom who reads, dawdles, lies or leaves. */
import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import { createEventFd, closeDescriptor, openDescriptors } from '../../../src/host/descriptors.ts';
import { UnixSocket } from '../../../src/host/unix-socket.ts';
import { Stage, type StageScanout } from '../../support/gpu-stage.ts';
import { seededRuns } from '../../support/seeded-runs.ts';
import { pause } from '../../support/vhost/connection.ts';
import { answerOf, DisplayDouble, Tell } from '../../support/vhost/display-double.ts';

const SMALL: StageScanout = { widthPx: 40, heightPx: 30 };
/** Of a picture as big as this no socket takes even half. */
const LARGE: StageScanout = { widthPx: 1280, heightPx: 800 };
const TICK_BYTES = 4 * 2 ** 20;
const TURN_BYTES = 128 * 1024;
const BAND_BYTES = 64 * 1024;
const HZ_60 = 1e9 / 60;

describe("the channel of a guest's display", () => {
  let stage: Stage;
  let before: number;
  const begin = (...scanouts: readonly StageScanout[]) => {
    stage = new Stage(scanouts);
    return stage.display;
  };

  beforeEach(() => {
    before = openDescriptors();
  });

  afterEach(() => {
    stage.close();
    assert.equal(openDescriptors(), before, 'no descriptor stays open');
  });

  describe('features', () => {
    it('[utest->req~vhost.gpu-channel~1] are asked for at once, and nothing is told before the answer', async () => {
      const display = begin(SMALL);
      display.answers = false;
      stage.states[0]!.resized(40, 30);
      await display.until(() => display.told.length === 1, 'the question');
      for (let n = 0; n < 20; n++) stage.channel.tick();
      await pause(20);
      display.read();
      assert.deepEqual(display.told, [
        { request: Tell.GET_PROTOCOL_FEATURES, words: [], bytes: 0 },
      ]);
      display.send(answerOf());
      await stage.shows(0, 40, 30);
    });

    it('[utest->req~vhost.gpu-channel-exact~1] are answered in pieces as well as at once', async () => {
      const display = begin(SMALL);
      display.answers = false;
      for (const byte of answerOf()) {
        display.send(Buffer.from([byte]));
        await pause(1);
      }
      stage.states[0]!.resized(40, 30);
      await stage.shows(0, 40, 30);
    });

    it('[utest->req~vhost.gpu-channel-exact~1] are answered before the question could be sent: told in order all the same', async () => {
      // Whoever makes a pair of sockets can fill both: the channel finds no room for its question.
      const [own, theirs] = UnixSocket.pair();
      const stuffing = Buffer.alloc(65536);
      let stuffed = 0;
      for (let sent = 0; (sent = own.send(stuffing, stuffing.length)) > 0;) stuffed += sent;
      begin(SMALL);
      stage.states[0]!.resized(40, 30);
      theirs.send(answerOf(), 20);
      const channel = stage.open(own);
      for (let n = 0; n < 5; n++) {
        channel.tick();
        await pause(1);
      }
      for (let read = 0; read < stuffed;) read += theirs.receive(stuffing, stuffing.length, []);
      const display = new DisplayDouble(theirs);
      display.answers = false;
      const timer = setInterval(() => channel.tick(), 1);
      try {
        await display.shows(0, 40, stage.picture(0, 40, 30));
      } finally {
        clearInterval(timer);
        channel.close();
        display.close();
      }
    });

    const WRONG: readonly (readonly [string, Buffer])[] = [
      ['another request', answerOf(3n, 2)],
      ['no reply', answerOf(3n, 1, 0)],
      ['further flags', answerOf(3n, 1, 5)],
      ['another size', answerOf(3n, 1, 4, 408)],
      ['a size without end', answerOf(3n, 1, 4, 0xffffffff)],
      ['no payload', answerOf(3n, 1, 4, 0).subarray(0, 12)],
      ['a byte more', Buffer.concat([answerOf(), Buffer.alloc(1)])],
      ['two answers', Buffer.concat([answerOf(), answerOf()])],
    ];
    for (const [what, bytes] of WRONG) {
      it(`[utest->req~vhost.gpu-channel-exact~1] an answer with ${what} ends the channel, once`, async () => {
        const display = begin(SMALL);
        display.answers = false;
        display.send(bytes);
        await display.until(() => display.ended, 'the end');
        for (let n = 0; n < 3; n++) stage.channel.tick();
        assert.equal(stage.reasons.length, 1);
        assert.notEqual(stage.reasons[0], '', 'it says why');
      });
    }

    it('[utest->req~vhost.gpu-channel-exact~1] whatever comes later ends the channel', async () => {
      const display = begin(SMALL);
      await stage.introduced();
      display.send(Buffer.from([0]));
      await display.until(() => display.ended, 'the end');
      assert.deepEqual(stage.reasons, ['it sent what nobody asked for']);
    });

    it('[utest->req~vhost.gpu-channel-exact~1] descriptors end it, and are closed', async () => {
      const display = begin(SMALL);
      display.answers = false;
      const event = createEventFd();
      display.socket.send(answerOf(), 20, [event, event, event]);
      closeDescriptor(event);
      await display.until(() => display.ended, 'the end');
      assert.equal(stage.reasons.length, 1);
    });

    it('[utest->req~vhost.gpu-channel-exact~1] no bytes but the answer are one (property)', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 12, maxLength: 40 }), async (bytes) => {
          fc.pre(!Buffer.from(bytes).subarray(0, 12).equals(answerOf().subarray(0, 12)));
          const tried = new Stage([SMALL]);
          tried.display.answers = false;
          tried.display.send(Buffer.from(bytes));
          await tried.display.until(() => tried.display.ended, 'the end');
          assert.equal(tried.reasons.length, 1);
          tried.close();
        }),
        seededRuns(71, 50),
      );
    });
  });

  describe('pictures', () => {
    it('[utest->req~vhost.gpu-updates~1] nothing is told of a scanout that shows nothing', async () => {
      const display = begin(SMALL);
      await stage.introduced();
      for (let n = 0; n < 10; n++) stage.channel.tick();
      await pause(10);
      display.read();
      assert.equal(display.told.length, 2);
    });

    it('[utest->req~vhost.gpu-updates~1] size, then all pixels in bands, then what changed and nothing else', async () => {
      const display = begin(LARGE);
      await stage.introduced();
      stage.draw(0, [0, 0, 1280, 800], 0x11223344);
      stage.states[0]!.resized(1280, 800);
      await stage.shows(0, 1280, 800);
      const first = display.told.slice(2);
      assert.deepEqual(first[0], { request: Tell.SCANOUT, words: [0, 1280, 800], bytes: 12 });
      const bands = first.slice(1);
      assert.ok(bands.every(({ bytes }) => bytes <= 20 + BAND_BYTES));
      assert.equal(
        bands.reduce((sum, { words }) => sum + words[4]!, 0),
        800,
        'each row once',
      );
      const known = display.told.length;
      stage.draw(0, [7, 11, 3, 130], 0x55667788);
      await stage.shows(0, 1280, 800);
      const parts = display.told.slice(known).map(({ words }) => words);
      assert.deepEqual(parts, [
        [0, 7, 11, 3, 64],
        [0, 7, 75, 3, 64],
        [0, 7, 139, 3, 2],
      ]);
    });

    it('[utest->req~vhost.gpu-updates~1] a scanout smaller than its plane shows its part', async () => {
      const display = begin(SMALL);
      await stage.introduced();
      stage.draw(0, [0, 0, 40, 30], 1);
      stage.draw(0, [5, 5, 10, 10], 2);
      stage.states[0]!.resized(16, 8);
      await stage.shows(0, 16, 8);
      stage.states[0]!.resized(40, 30);
      await stage.shows(0, 40, 30);
      stage.states[0]!.resized(0, 0);
      stage.channel.tick();
      await display.until(() => display.screens.size === 0, 'the scanout is disabled');
      assert.equal(display.count(Tell.SCANOUT), 3);
    });

    it('[utest->req~vhost.gpu-updates~1] damage that was left from a larger size is cut', async () => {
      begin(SMALL);
      await stage.introduced();
      stage.states[0]!.resized(40, 30);
      await stage.shows(0, 40, 30);
      // Both before the next look: the union is that of the larger picture.
      stage.draw(0, [30, 20, 10, 10], 3);
      stage.states[0]!.resized(20, 10);
      await stage.shows(0, 20, 10);
      stage.draw(0, [30, 20, 10, 10], 4);
      stage.draw(0, [19, 9, 1, 1], 5);
      await stage.shows(0, 20, 10);
    });

    it('[utest->req~vhost.gpu-updates~1] a new channel is told everything again', async () => {
      begin(SMALL);
      await stage.introduced();
      stage.draw(0, [0, 0, 40, 30], 7);
      stage.states[0]!.resized(40, 30);
      await stage.shows(0, 40, 30);
      const [own, theirs] = UnixSocket.pair();
      const display = new DisplayDouble(theirs);
      const channel = stage.open(own);
      const timer = setInterval(() => channel.tick(), 1);
      await display.shows(0, 40, stage.picture(0, 40, 30));
      clearInterval(timer);
      channel.close();
      await display.until(() => display.ended, 'the end');
      display.close();
      assert.deepEqual(stage.reasons, [], 'who closes it is not told');
    });

    it('[utest->req~vhost.gpu-updates~1] several scanouts each show their own, whatever is drawn (property)', async () => {
      const part = fc.record({
        scanout: fc.nat(1),
        x: fc.nat(39),
        y: fc.nat(29),
        width: fc.integer({ min: 1, max: 40 }),
        height: fc.integer({ min: 1, max: 30 }),
        colour: fc.nat(0xffffff),
        tick: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(part, { maxLength: 20 }), async (parts) => {
          const tried = new Stage([SMALL, SMALL]);
          await tried.introduced();
          for (const state of tried.states) state.resized(40, 30);
          for (const { scanout, x, y, width, height, colour, tick } of parts) {
            const clipped = [x, y, Math.min(width, 40 - x), Math.min(height, 30 - y)] as const;
            tried.draw(scanout, clipped, colour);
            if (tick) tried.channel.tick();
          }
          await tried.shows(0, 40, 30);
          await tried.shows(1, 40, 30);
          tried.close();
        }),
        seededRuns(72, 30),
      );
    });
  });

  describe('cursors', () => {
    const shown = async (count: number) => {
      for (let n = 0; n < 3; n++) stage.channel.tick();
      const { display } = stage;
      await display.until(() => display.told.length >= count, `${count} messages`);
      await pause(5);
      display.read();
      return display.told.slice(2).map(({ request, words }) => [request, ...words]);
    };

    it('[utest->req~vhost.gpu-updates~1] a picture with its place, then places, then none', async () => {
      const display = begin(SMALL);
      await stage.introduced();
      const [state] = stage.states;
      const cursorAt = stage.sources[0]!.cursorAt / 4;
      stage.pixels.fill(0x80ff0000, cursorAt, cursorAt + 4096);
      state!.cursorPicture(3, 5);
      state!.cursor(true, 10, 20);
      assert.deepEqual(await shown(3), [[Tell.CURSOR_UPDATE, 0, 10, 20, 3, 5]]);
      assert.ok(display.cursors.get(0)!.pixels.every((pixel) => pixel === 0x80ff0000));
      state!.cursor(true, -7, 25);
      assert.deepEqual((await shown(4)).slice(1), [[Tell.CURSOR_POS, 0, -7, 25]]);
      state!.cursor(false, 0, 0);
      assert.deepEqual((await shown(5)).slice(2), [[Tell.CURSOR_POS_HIDE, 0, 0, 0]]);
      state!.cursor(true, 1, 1);
      assert.deepEqual((await shown(6)).slice(3), [[Tell.CURSOR_POS, 0, 1, 1]]);
    });

    it('[utest->req~vhost.gpu-updates~1] what is not seen is not told', async () => {
      begin(SMALL);
      await stage.introduced();
      stage.states[0]!.cursorPicture(0, 0);
      stage.states[0]!.cursor(false, 5, 5);
      stage.states[0]!.cursor(false, 6, 6);
      assert.deepEqual(await shown(2), []);
    });
  });

  describe('back-pressure', () => {
    it('[utest->req~vhost.gpu-back-pressure~1] who reads nothing costs nothing, and then sees the latest', async () => {
      const display = begin(LARGE);
      await stage.introduced();
      stage.states[0]!.resized(1280, 800);
      const heap = process.memoryUsage();
      for (let n = 0; n < 300; n++) {
        stage.draw(0, [0, 0, 1280, 800], n);
        stage.channel.tick();
        if (n % 30 === 0) await pause(0);
      }
      const grown = process.memoryUsage();
      assert.ok(grown.arrayBuffers - heap.arrayBuffers < 2 ** 20, 'no picture was kept');
      await stage.shows(0, 1280, 800);
      const frames = display.count(Tell.UPDATE) / (800 / 12);
      assert.ok(frames < 4, `${frames} pictures of 300 were told`);
    });

    it('[utest->req~vhost.gpu-back-pressure~1] who reads a little at a time gets whole messages', async () => {
      const display = begin({ widthPx: 320, heightPx: 240 });
      await stage.introduced();
      stage.draw(0, [0, 0, 320, 240], 9);
      stage.states[0]!.resized(320, 240);
      stage.channel.tick();
      for (let n = 0; display.bytes < 320 * 240 * 4 && n < 100_000; n++) {
        display.read(1 + ((n * 7919) % 4096));
        if (n % 8 === 0) await pause(0);
        if (n % 64 === 0) stage.channel.tick();
      }
      await stage.shows(0, 320, 240);
    });

    it('[utest->req~vhost.gpu-back-pressure~1] so many bytes between two ticks, and no more', async () => {
      const display = begin({ widthPx: 1280, heightPx: 1000 });
      await stage.introduced();
      stage.states[0]!.resized(1280, 1000);
      stage.channel.tick();
      const known = display.bytes;
      for (let quiet = 0; quiet < 40;) {
        const had = display.bytes;
        display.read();
        quiet = display.bytes === had ? quiet + 1 : 0;
        await pause(1);
      }
      const sent = display.bytes - known;
      assert.ok(sent > TICK_BYTES / 2 && sent <= TICK_BYTES + 2 * BAND_BYTES, `${sent} bytes`);
      assert.equal(display.unfinished, 0, 'nobody waits inside a message');
    });

    it('[utest->req~vhost.gpu-back-pressure~1] others have their turn between parts of a picture', async () => {
      const display = begin(LARGE);
      await stage.introduced();
      stage.states[0]!.resized(1280, 800);
      for (let n = 0; n < 10; n++) {
        stage.channel.tick();
        const had = display.bytes;
        // Nobody else comes in between: what was sent is what one turn sends.
        for (let known = -1; known !== display.bytes;) {
          known = display.bytes;
          display.read();
        }
        const sent = display.bytes - had;
        assert.ok(sent <= TURN_BYTES + 2 * BAND_BYTES, `${sent} bytes in one turn`);
      }
      await stage.shows(0, 1280, 800);
    });

    it('[utest->req~vhost.gpu-back-pressure~1] no scanout is told more often than its display is refreshed', async () => {
      const display = begin({ ...SMALL, refreshNs: HZ_60 }, { ...SMALL, refreshNs: 1e9 });
      await stage.introduced();
      for (const state of stage.states) state.resized(40, 30);
      stage.channel.tick();
      await display.until(() => display.told.length === 6, 'both scanouts');
      // A second of ticks, and something new at each.
      for (let n = 1; n <= 100; n++) {
        stage.draw(0, [0, 0, 1, 1], n);
        stage.draw(1, [0, 0, 1, 1], n);
        stage.channel.tick();
        if (n % 10 === 0) await pause(1);
        display.read();
      }
      await pause(5);
      display.read();
      const updates = (id: number) =>
        display.told.filter(({ request, words }) => request === Tell.UPDATE && words[0] === id);
      const counts = [updates(0).length, updates(1).length];
      assert.ok(counts[0]! >= 59 && counts[0]! <= 62, `${counts[0]} at 60 Hz`);
      assert.ok(counts[1]! <= 2, `${counts[1]} at 1 Hz`);
    });

    it('[utest->req~vhost.gpu-back-pressure~1] who leaves in the middle of a picture is left', async () => {
      const display = begin(LARGE);
      await stage.introduced();
      stage.states[0]!.resized(1280, 800);
      stage.channel.tick();
      display.read(100_000);
      display.close();
      await pause(10);
      for (let n = 0; n < 5; n++) stage.channel.tick();
      await pause(5);
      assert.deepEqual(stage.reasons, [''], 'an end in order, told once');
    });

    it('[utest->req~vhost.gpu-channel~1] who has left before is left', async () => {
      begin(SMALL);
      const [own, theirs] = UnixSocket.pair();
      theirs.close();
      const channel = stage.open(own);
      channel.tick();
      await pause(5);
      assert.deepEqual(stage.reasons, ['']);
      channel.close();
    });
  });
});
