/** What a QEMU guest draws through a back-end for displays is what it draws on QEMU's own device, pixel for pixel. */
import { strict as assert } from 'node:assert';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QemuGuest, type QemuDisplay } from '../../src/cli/clients/qemu-guest.ts';
import { DISPLAY_BACK_ENDS, type RunningBackEnd } from '../support/clients/display-back-end.ts';
import {
  clears,
  control,
  drawing,
  draws,
  negative,
  rateOf,
  screenOf,
  shows,
  writesConsole,
} from '../support/clients/guest-display.ts';
import { DisplayTap } from '../support/clients/display-tap.ts';
import { describeWithClients, showTails } from '../support/clients/missing-clients.ts';
import { difference, litPixels, type Picture } from '../support/clients/picture.ts';
import {
  drawnCursor,
  toldCursor,
  toldPicture,
  toldPlaces,
  toldUntil,
} from '../support/clients/told-display.ts';
import { TestDirectory } from '../support/command-line.ts';

const MEMORY_MIB = 192;
/** More lines than the console has, so that it scrolls. */
const TEXT = 'cat /proc/version; seq 1 60; seq -s " " 1 999';
/** Neither aligned, nor whole rows, nor within one page of the picture. */
const BOX = { x: 77, y: 131, width: 1003, height: 517 } as const;
/** The driver draws the console at leisure. */
const LOOKS = 50;
const LOOK_MS = 100;
/** Fewer pixels are not black on a console without text. */
const LIT_MIN = 5000;
const BOX_STEP = `box=${Object.values(BOX).join()}`;
/** Room for both buffers of the program: a thousand entries for the backing of each. */
const SCATTERED = 'scatter=10';
const TINY = { x: 1279, y: 799, width: 1, height: 1 } as const;
const TINY_STEP = `box=${Object.values(TINY).join()}`;

/** Machines are halted so often, and so long after one another, while so many pages are flipped. */
const HALTS = 5;
const HALT_MS = 100;
const FLIPS = 151;

const startGuest = (name: string, display: QemuDisplay) =>
  QemuGuest.start(name, { devices: [], display, memoryMiB: MEMORY_MIB });

/** A console that nobody writes to any more, and that has something on it. */
async function consoleOf(guest: QemuGuest): Promise<Picture> {
  let last: Picture | undefined;
  for (let n = 0; n < LOOKS; n++) {
    const next = await screenOf(guest);
    if (last && litPixels(next) > LIT_MIN && !difference(last, next)) return next;
    last = next;
    await sleep(LOOK_MS);
  }
  assert.fail(`there is no text on the console of ${guest.name}`);
}

describeWithClients("a guest's display", ['display'], (suite) => {
  suite.timeout(120_000);
  let reference: QemuGuest;

  before(async () => {
    reference = await startGuest('reference', { device: 'virtio-gpu-pci' });
  });

  after(() => reference?.kill());

  it('[utest->req~gpu.real-guests~1] on the device of QEMU itself shows what was drawn', async () => {
    await draws(reference, 'picture');
    await shows(reference, drawing());
  });

  for (const backEnd of DISPLAY_BACK_ENDS) {
    describe(`over ${backEnd.name}`, () => {
      let directory: TestDirectory;
      let served: RunningBackEnd;
      let guest: QemuGuest;

      let tap: DisplayTap | undefined;

      const serve = async () => {
        if (!served?.process.running) served = await backEnd.start(directory);
        return backEnd.socket(directory);
      };

      before(async () => {
        directory = new TestDirectory();
        guest = await startGuest('guest', { device: 'vhost-user-gpu-pci', socket: await serve() });
      });

      afterEach(function () {
        if (this.currentTest?.state === 'failed') showTails(served, guest);
      });

      after(async () => {
        await guest?.kill();
        tap?.close();
        await served?.process.kill();
        directory.remove();
      });

      const sameConsole = async () => {
        for (const each of [reference, guest]) {
          await clears(each);
          await writesConsole(each, TEXT);
        }
        await shows(guest, await consoleOf(reference));
      };

      it('[utest->req~gpu.real-guests~1] has the console that the guest booted to', async () => {
        await sameConsole();
      });

      it('[utest->req~gpu.real-guests~1] shows a drawing in all its pixels', async () => {
        await Promise.all([reference, guest].map((each) => draws(each, 'picture')));
        await shows(guest, drawing());
        assert.equal(difference(await screenOf(guest), await screenOf(reference)), undefined);
      });

      it('[utest->req~gpu.real-guests~1] changes in the parts that were drawn again', async () => {
        await draws(guest, 'picture', BOX_STEP);
        await shows(guest, drawing(BOX));
        await draws(guest, 'picture', TINY_STEP);
        await shows(guest, drawing(TINY));
        await draws(guest, 'picture', 'redraw');
        await shows(guest, negative());
      });

      it('[utest->req~gpu.real-guests~1] shows a drawing whose memory lies in single pages', async () => {
        await draws(guest, SCATTERED, 'picture', BOX_STEP);
        await shows(guest, drawing(BOX));
        await draws(guest, SCATTERED, 'picture', 'flip=3');
        await shows(guest, negative());
      });

      it('[utest->req~gpu.real-guests~1] is updated again and again', async () => {
        const said = await draws(guest, 'picture', 'dirty=200');
        assert.ok(rateOf(said, 'dirty') > 1, said);
        await shows(guest, drawing());
      });

      it('[utest->req~gpu.real-guests~1] flips between two pictures', async () => {
        const said = await draws(guest, 'picture', 'flip=41');
        assert.ok(rateOf(said, 'flip') > 1, said);
        await shows(guest, negative());
        await draws(guest, 'picture', 'flip=40');
        await shows(guest, drawing());
      });

      it('[utest->req~gpu.real-guests~1] has no part of a cursor in it, wherever that moves', async () => {
        await draws(guest, 'picture', 'cursor=640,400', 'move=100');
        await shows(guest, drawing());
        await draws(guest, 'picture', 'cursor=1270,790', 'move=20', 'nocursor');
        await shows(guest, drawing());
      });

      it('[utest->req~gpu.real-guests~1] survives drawings that are killed', async () => {
        for (let n = 0; n < 5; n++) {
          await clears(guest);
          await guest.succeed('draw picture flip=100000 & usleep 150000; killall -9 draw');
        }
        await sameConsole();
      });

      if (backEnd.lasting)
        it('[utest->req~gpu.real-guests~1] comes back when the guest reboots', async () => {
          await draws(guest, 'picture', 'cursor=10,20');
          await guest.reboot();
          await sameConsole();
          await draws(guest, 'picture', BOX_STEP);
          await shows(guest, drawing(BOX));
        });

      if (backEnd.lasting)
        it('[utest->req~gpu.real-guests~1] goes on where it was when its machine was halted', async () => {
          await draws(guest, 'picture');
          for (let n = 0; n < HALTS; n++) {
            // QEMU closes the channel of its display as soon as its machine halts.
            await shows(guest, drawing());
            await control(guest, 'stop');
            await control(guest, 'cont');
          }
          await draws(guest, 'picture', BOX_STEP);
          await shows(guest, drawing(BOX));
          const flips = await guest.background(`killall draw; draw picture flip=${FLIPS}`);
          for (let n = 0; n < HALTS; n++) {
            await sleep(HALT_MS);
            await control(guest, 'stop');
            await control(guest, 'cont');
          }
          const { output } = await flips.result();
          assert.match(output, new RegExp(`^flip=${FLIPS} done$`, 'm'));
          await sameConsole();
        });

      it("[utest->req~gpu.real-guests~1] is the next guest's when this one is killed", async () => {
        await draws(guest, 'picture', 'cursor=10,20');
        await guest.kill();
        if (!backEnd.lasting) await served.process.exited;
        assert.equal(served.process.running, backEnd.lasting);
        const socket = path.join(directory.path, 'tap.sock');
        tap = new DisplayTap(socket, await serve());
        guest = await startGuest('next', { device: 'vhost-user-vga', socket });
        await sameConsole();
        await draws(guest, 'picture');
        await shows(guest, drawing());
        const told = toldPicture(tap.messages(), drawing());
        assert.equal(difference(told, drawing()), undefined);
      });

      it('[utest->req~gpu.real-guests~1] has the cursor that the guest gave it, where the guest moved it', async () => {
        tap!.messages();
        await draws(guest, 'cursor=640,400', 'move=3', 'cursor=12,34');
        const told = await toldUntil(tap!, [12, 34]);
        assert.deepEqual(toldCursor(told), drawnCursor());
        // Every place is one of the guest's, in the guest's order; who is slower leaves some out.
        const path = [
          [640, 400],
          [641, 401],
          [642, 402],
          [643, 403],
          [640, 400],
          [12, 34],
        ].map(String);
        const places = toldPlaces(told).map(String);
        let at = 0;
        // Before the first of them the cursor of the drawing before may be taken away.
        for (const place of places.slice(places.findIndex((each) => path.includes(each)))) {
          at = path.indexOf(place, at);
          assert.notEqual(at, -1, `${place} in ${JSON.stringify(places)}`);
        }
      });

      if (backEnd.hidesCursor)
        it('[utest->req~gpu.real-guests~1] has no cursor when the guest wants none', async () => {
          await draws(guest, 'cursor=640,400');
          await toldUntil(tap!, [640, 400]);
          await clears(guest);
          await toldUntil(tap!, 'hidden');
        });

      it('[utest->req~gpu.real-guests~1] is lost with its back-end, and the guest goes on', async () => {
        await draws(guest, 'picture');
        await shows(guest, drawing());
        await served.process.kill();
        assert.equal((await guest.succeed('echo alive')).trim(), 'alive');
        await shows(guest, drawing());
      });
    });
  }
});
