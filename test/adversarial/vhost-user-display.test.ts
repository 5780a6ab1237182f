/** Displays that are not what they should be: silence, nonsense, floods; a neighbour must not notice. */
import { strict as assert } from 'node:assert';
import { closeDescriptor, createEventFd, openDescriptors } from '../../src/host/descriptors.ts';
import { UnixSocket } from '../../src/host/unix-socket.ts';
import { pause, within } from '../support/vhost/connection.ts';
import { answerOf, DisplayDouble } from '../support/vhost/display-double.ts';
import { GpuGuest } from '../support/vhost/gpu-guest.ts';
import { gpuSuite } from '../support/vhost/gpu-host.ts';
import { vhostSuite } from '../support/vhost/suite.ts';
import { HeaderFlag, Request } from '../support/vhost/message.ts';
import { negotiateProtocol, qemuAttach } from '../support/vhost/sequences.ts';
import { StrangeDescriptors } from '../support/vhost/strange-descriptors.ts';

const EVERYTHING = 2n ** 64n - 1n;
const WIDTH = 160;
const HEIGHT = 120;
const ALL = [0, 0, WIDTH, HEIGHT] as const;
const FLOOD = 500;
/** One line for each that was refused, as long as the log has room. */
const LINES_MAX = 60;

describe('vhost-user: hostile displays', function () {
  this.timeout(60_000);
  const { host } = gpuSuite();
  const strange = new StrangeDescriptors();
  let neighbour: GpuGuest;
  let pixels = 0;
  let painted = 0;

  before(async () => {
    neighbour = await GpuGuest.open(host().socket('b'));
    await neighbour.run();
    pixels = await neighbour.create(1, WIDTH, HEIGHT);
    await neighbour.show(0, 1, ALL);
  });

  after(() => {
    neighbour.end();
    strange.close();
  });

  /** The neighbour draws, and its display shows it. */
  async function assertNeighbour(): Promise<void> {
    const picture = new Uint32Array(WIDTH * HEIGHT).fill(++painted);
    neighbour.paint(pixels, picture);
    await neighbour.flush(1, ALL, WIDTH);
    await neighbour.display!.shows(0, WIDTH, picture);
  }

  const connected = async (): Promise<GpuGuest> => {
    const guest = await host().guest('a');
    await qemuAttach(guest);
    return guest;
  };

  it('[utest->req~vhost.gpu-channel~1] nothing but an end of a stream socket is taken for a channel', async () => {
    const guest = await connected();
    const { event: counter, directory, device, zero, pipe, diskFile, memory } = strange;
    const wrong = { counter, directory, device, zero, pipe, diskFile, memory };
    const refused = async () => {
      for (const [what, descriptor] of Object.entries(wrong)) {
        const taken = await guest.frontEnd.acknowledged({
          request: Request.GPU_SET_SOCKET,
          descriptors: [descriptor],
        });
        assert.equal(taken, false, what);
      }
    };
    // The threads that close files apart have descriptors of their own from the first time on.
    await refused();
    const before = openDescriptors();
    await refused();
    const event = createEventFd();
    for (const count of [0, 2, 3]) {
      const descriptors = new Array<number>(count).fill(event);
      const taken = await guest.frontEnd.acknowledged({
        request: Request.GPU_SET_SOCKET,
        descriptors,
      });
      assert.equal(taken, false, `${count} descriptors`);
    }
    closeDescriptor(event);
    await guest.frontEnd.assertUsable();
    assert.ok(await within(5000, () => (openDescriptors() <= before ? true : undefined)));
    await assertNeighbour();
  });

  it('[utest->req~vhost.framing~1] the message has no payload', async () => {
    const guest = await connected();
    const [own, theirs] = UnixSocket.pair();
    const taken = await guest.frontEnd.acknowledged({
      request: Request.GPU_SET_SOCKET,
      payload: Buffer.alloc(8),
      descriptors: [theirs.descriptor],
    });
    assert.equal(taken, false);
    own.close();
    theirs.close();
  });

  it('[utest->req~vhost.gpu-channel~1] a display that never answers keeps its guest from nothing', async () => {
    const guest = await host().guest('a');
    await qemuAttach(guest);
    const started = guest.start();
    // The double reads nothing: it is not even asked.
    await started;
    await guest.create(1, 16, 16);
    await guest.show(0, 1, [0, 0, 16, 16]);
    await guest.flush(1, [0, 0, 16, 16], 16);
    await assertNeighbour();
    await guest.frontEnd.assertUsable();
  });

  it('[utest->req~vhost.gpu-channel-exact~1] nonsense ends the channel with one line, and the guest goes on', async () => {
    const guest = await connected();
    const lines = host().trouble('a').length;
    const display = await guest.start();
    display.answers = false;
    display.send(answerOf(0n, 7));
    await display.until(() => display.ended, 'the channel is closed');
    await guest.create(1, 16, 16);
    await pause(50);
    const said = host().trouble('a').slice(lines);
    assert.equal(said.length, 1, said.join('\n'));
    assert.match(said[0]!, /the channel of its display was closed: its answer is none/);
    await assertNeighbour();
  });

  it('[utest->req~vhost.gpu-channel~1] the end of its own connection harms nobody else', async () => {
    const guest = await connected();
    const { connection } = guest.frontEnd;
    const descriptors = [connection.descriptor];
    await connection.send({ request: Request.GPU_SET_SOCKET, descriptors });
    // What the back-end asks arrives at the back-end, as if the front-end had said it.
    await guest.frontEnd.assertClosed();
    await assertNeighbour();
  });

  it('[utest->req~vhost.gpu-channel~1] one end twice is a channel like any other', async () => {
    const guest = await connected();
    const [own, theirs] = UnixSocket.pair();
    const display = new DisplayDouble(own);
    const descriptors = [theirs.descriptor];
    for (let n = 0; n < 2; n++)
      await guest.frontEnd.set(Request.GPU_SET_SOCKET, undefined, descriptors);
    await guest.frontEnd.assertUsable();
    await assertNeighbour();
    display.close();
    theirs.close();
  });

  it('[utest->req~vhost.control-budget~1] channels without end are taken one after the other, and no descriptor is left', async () => {
    const before = openDescriptors();
    const guest = await connected();
    const lines = host().running.lines.length;
    const flags = HeaderFlag.VERSION;
    const [own, theirs] = UnixSocket.pair();
    for (let n = 0; n < FLOOD; n++) {
      const descriptors = [theirs.descriptor];
      await guest.frontEnd.connection.send({ request: Request.GPU_SET_SOCKET, flags, descriptors });
      if (n % 50 === 0) own.send(answerOf(0n, 9), 20);
      if (n % 100 === 0) await assertNeighbour();
    }
    await guest.frontEnd.assertUsable();
    own.close();
    theirs.close();
    guest.end();
    assert.ok(host().running.lines.length - lines < LINES_MAX);
    const back = await within(5000, () => (openDescriptors() <= before ? true : undefined));
    assert.ok(back, `${openDescriptors()} descriptors instead of ${before}`);
    await assertNeighbour();
  });

  it('[utest->req~vhost.gpu-back-pressure~1] a display that reads single bytes or nothing at all is no burden for its neighbour', async () => {
    const guest = await host().guest('a');
    const display = await guest.run();
    const address = await guest.create(1, 64, 48);
    await guest.show(0, 1, [0, 0, 64, 48]);
    for (let n = 0; n < 100; n++) {
      guest.paint(address, new Uint32Array(64 * 48).fill(n));
      await guest.flush(1, [0, 0, 64, 48], 64);
      display.read(1);
      if (n % 25 === 0) await assertNeighbour();
    }
    await display.shows(0, 64, new Uint32Array(64 * 48).fill(99));
    await assertNeighbour();
  });

  it('[utest->req~vhost.reconnect~1] a guest that is killed in the middle of a picture leaves nothing behind', async () => {
    const before = openDescriptors();
    for (let n = 0; n < 5; n++) {
      const guest = await host().guest('a');
      const display = await guest.run();
      await guest.create(1, 64, 48);
      await guest.show(0, 1, [0, 0, 64, 48]);
      guest.post(0, Buffer.alloc(24));
      await display.until(() => display.told.length > 0, 'the question');
      display.read(100);
      guest.end();
      await assertNeighbour();
    }
    const back = await within(5000, () => (openDescriptors() <= before ? true : undefined));
    assert.ok(back, `${openDescriptors()} descriptors instead of ${before}`);
  });
});

describe('vhost-user: a display where none belongs', () => {
  const suite = vhostSuite([{ id: 'a' }, { id: 'b' }]);

  it('[utest->req~vhost.gpu-channel~1] is refused by a network device, and closed', async () => {
    const a = await suite.frontEnd('a', EVERYTHING);
    const [own, theirs] = UnixSocket.pair();
    const descriptors = [theirs.descriptor];
    assert.equal(await a.acknowledged({ request: Request.GPU_SET_SOCKET, descriptors }), false);
    theirs.close();
    const display = new DisplayDouble(own);
    await display.until(() => display.ended, 'nobody keeps it');
    display.close();
    await a.assertUsable();
    await negotiateProtocol(a, EVERYTHING);
  });
});
