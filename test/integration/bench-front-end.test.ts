/** The front-ends of the benches, on a gateway in this process. */
import { strict as assert } from 'node:assert';
import { CrossingBench } from '../../src/cli/bench/crossing.ts';
import { FRONT_END_BYTES, FrontEnd } from '../../src/cli/bench/front-end.ts';
import { View } from '../../src/cli/bench/shared-memory.ts';
import { pause } from '../../src/cli/clients/wait.ts';
import { UnixListener, type UnixSocket } from '../../src/host/unix-socket.ts';
import { FrontendRequest, REPLY_FLAGS, VhostFlag, VhostHeader } from '../../src/wire/vhost-user.ts';
import { TestDirectory } from '../support/command-line.ts';
import { GatewayHost, TWO_PAIRS } from '../support/vhost/gateway-host.ts';

const DEADLINE_NS = 500_000_000;

describe('front-ends of the benches', function () {
  this.timeout(30_000);
  let host: GatewayHost;
  const view = new View(TWO_PAIRS.length + 1, FRONT_END_BYTES);
  const frontEnds: FrontEnd[] = [];

  before(async () => {
    const size = { queueSize: 256, memoryMiB: FRONT_END_BYTES / 2 ** 20 };
    host = await GatewayHost.start(TWO_PAIRS.map(({ id }) => ({ id, ...size })));
    for (const { id } of TWO_PAIRS)
      frontEnds.push(await FrontEnd.connect(host.socket(id), view.memory()));
  });

  after(async () => {
    for (const frontEnd of frontEnds) frontEnd.close();
    view.close();
    await host.stop();
  });

  it('[utest->req~vhost.clients~1] every packet of a pair arrives or is counted as dropped, with a neighbour that floods and without', async () => {
    const [victim, peer, flood, sink] = TWO_PAIRS.map(({ id }, n) => ({
      ...{ frontEnd: frontEnds[n]!, mac: host.mac(id) },
    }));
    await host.running.reaches('normal', ...TWO_PAIRS.map(({ id }) => id));
    const crossing = new CrossingBench({
      ...{ view, victim: victim!, peer: peer!, flood: flood!, sink: sink! },
    });
    const quiet = crossing.measure(0.3, false);
    const flooded = crossing.measure(0.3, true);
    for (const { samples, discarded, p50Ns, p99Ns, maxNs } of [quiet, flooded]) {
      assert.ok(samples + discarded > 10, `${samples} and ${discarded} packets`);
      // A host that stops this process all the time leaves nothing that could be measured.
      if (samples === 0) continue;
      assert.ok(0 < p50Ns && p50Ns <= p99Ns && p99Ns <= maxNs && maxNs < DEADLINE_NS);
    }
    // After a stall of the host more packets are waiting than the quota of a major frame admits.
    const { plan, counters } = host.running.gateway;
    const { sent, delivered } = counters.delivery(
      plan.routes.find(({ id }) => id === 'a-net0-b-net0')!.index,
    );
    assert.equal(quiet.lost + flooded.lost, sent - delivered);
    assert.ok(delivered > 0);
    assert.equal(quiet.floodMpps, 0);
    assert.ok(flooded.floodMpps > 0, 'the flood is there');
    host.assertAlive();
    for (const { id } of TWO_PAIRS) assert.deepEqual(host.troubleLines(id), []);
  });

  it('[utest->req~vhost.single-owner~1] a front-end that finds its place taken says so', async () => {
    await assert.rejects(
      FrontEnd.connect(host.socket('a'), view.memory()),
      /the back-end does not/,
    );
  });

  it('[utest->req~cli.errors~1] memory that is too small for the rings is an error of the bench', () => {
    const memory = new View(1, 65_536).memory();
    assert.throws(() => memory.allocate(70_000, 16), /not enough/);
  });
});

describe('front-ends of the benches at a back-end that is none', function () {
  this.timeout(30_000);
  const files = new TestDirectory();
  const socketPath = files.file('back-end.sock');
  const view = new View(1, FRONT_END_BYTES);
  const memory = view.memory();
  let listener: UnixListener | undefined;
  const accepted: UnixSocket[] = [];

  afterEach(() => {
    listener?.close();
    for (const socket of accepted.splice(0)) socket.close();
    memory.forget();
  });
  after(() => {
    view.close();
    files.remove();
  });

  /** Answers the first question for features, or closes at once. */
  function answering(flags: number, features: bigint | 'close'): void {
    listener = UnixListener.open(socketPath);
    listener.onConnection((socket) => {
      accepted.push(socket);
      if (features === 'close') return socket.close();
      const answer = Buffer.alloc(VhostHeader.BYTES + 8);
      answer.writeUInt32LE(FrontendRequest.GET_FEATURES, VhostHeader.REQUEST);
      answer.writeUInt32LE(flags, VhostHeader.FLAGS);
      answer.writeUInt32LE(8, VhostHeader.SIZE);
      answer.writeBigUInt64LE(features, VhostHeader.BYTES);
      // In two pieces, as a stream may come.
      assert.equal(socket.send(answer, 5), 5);
      assert.equal(socket.send(answer.subarray(5), answer.length - 5), answer.length - 5);
    });
  }

  it('[utest->req~vhost.clients~1] one without the features of a modern device is refused', async () => {
    answering(REPLY_FLAGS, 0n);
    await assert.rejects(
      FrontEnd.connect(socketPath, memory),
      /^Error: the back-end does not offer VERSION_1 and protocol features$/,
    );
  });

  it('[utest->req~vhost.clients~1] an answer that is marked as none is refused', async () => {
    answering(VhostFlag.VERSION, 2n ** 64n - 1n);
    await assert.rejects(FrontEnd.connect(socketPath, memory), /^Error: not a reply$/);
  });

  it('[utest->req~vhost.clients~1] one that goes away is told, and one that comes late is waited for', async () => {
    const connected = FrontEnd.connect(socketPath, memory);
    const refused = assert.rejects(connected, /^Error: the back-end does not /);
    await pause(30);
    assert.equal(accepted.length, 0);
    answering(REPLY_FLAGS, 'close');
    await refused;
    assert.equal(accepted.length, 1);
  });
});
