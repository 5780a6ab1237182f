/** DPDK's virtio-user, a driver without a kernel: every ring format, several queue pairs, new connections. */
import { strict as assert } from 'node:assert';
import { rmSync } from 'node:fs';
import { describeWithClients, showTails } from '../support/clients/missing-clients.ts';
import {
  bothWays,
  NET_FEATURES,
  socketOf,
  guestsConfig,
} from '../../src/cli/clients/guests-config.ts';
import { GatewayProcess } from '../../src/cli/clients/gateway-process.ts';
import { Testpmd, type VirtioUserPort } from '../../src/cli/clients/testpmd.ts';
import { TestDirectory } from '../support/command-line.ts';

const FEATURES = [...NET_FEATURES, 'VIRTIO_F_RING_PACKED', 'VIRTIO_F_IN_ORDER'];
const PAIRS = { one: 1, four: 4, served: 1 } as const;
type Partition = keyof typeof PAIRS;
/** Packets that have to come back to each port. */
const ENOUGH = 20_000;
const SOME = 5000;
const PATIENCE_MS = 20_000;
const MEMORY_MIB = 128;
const YES_NO = [false, true] as const;

const macOf = (partition: Partition, port: number) =>
  `52:54:00:00:0${Object.keys(PAIRS).indexOf(partition)}:0${port}`;

describeWithClients('DPDK virtio-user', ['dpdk'], (suite) => {
  suite.timeout(60_000);
  let directory: TestDirectory;
  let gateway: GatewayProcess;
  let testpmd: Testpmd | undefined;

  const start = async () => {
    const ids = Object.keys(PAIRS) as Partition[];
    gateway = await GatewayProcess.start(
      guestsConfig(
        directory.path,
        ids.map((id) => ({
          ...{ id, memoryMiB: 2 * MEMORY_MIB, unsealed: 'accept' as const },
          socketMode: id === 'served' ? ('connect' as const) : ('listen' as const),
          devices: [0, 1].map((port) => ({
            ...{ id: `net${port}`, mac: macOf(id, port), features: FEATURES },
            queuePairs: PAIRS[id],
          })),
        })),
        ids.flatMap((id) => bothWays(`${id}.net0`, `${id}.net1`)),
      ),
    );
  };

  /** Two ports of one process, each sending to the other. */
  const startPorts = (id: Partition, changes: Partial<VirtioUserPort> = {}) =>
    Testpmd.start(`testpmd-${id}`, {
      ports: [0, 1].map((port) => ({
        ...{ driver: 'virtio-user' as const, socket: socketOf(directory.path, id, `net${port}`) },
        ...{ mac: macOf(id, port), queues: PAIRS[id], ...changes },
      })),
      // The source guard wants the address of the port that sends.
      forward: 'mac',
      peers: [macOf(id, 1), macOf(id, 0)],
      memoryMiB: MEMORY_MIB,
    });

  /** Which queues of both ports have got packets, and how many packets each port got at least. */
  const received = async (client: Testpmd, pairs: number) => {
    const ports = await Promise.all([0, 1].map((port) => client.extendedStatistics(port)));
    const queues = ports.flatMap((found, port) =>
      Array.from({ length: pairs }, (_, pair) => pair)
        .filter((pair) => found[`rx_q${pair}_good_packets`]! > 0)
        .map((pair) => `${port}.${pair}`),
    );
    return { queues, packets: Math.min(...ports.map((found) => found['rx_good_packets']!)) };
  };

  /**
   * Packets go round until each port has got enough of them. They stay on the pair that they came
   * by: as long as a pair is just being enabled, others carry its packets, so that more are sent.
   */
  const bounces = async (client: Testpmd, pairs: number) => {
    await client.succeed('clear port xstats all');
    const end = performance.now() + PATIENCE_MS;
    let found = await received(client, pairs);
    while (found.queues.length < 2 * pairs || found.packets < ENOUGH) {
      await client.succeed('start tx_first');
      const { packets } = found;
      do {
        found = await received(client, pairs);
        const sofar = `${found.packets} packets, queues ${found.queues.join()}`;
        assert.ok(performance.now() < end, `${sofar}\n${client.process.tail()}`);
      } while (found.packets < packets + SOME);
      await client.succeed('stop');
    }
  };

  const stopsWithoutFaults = async () => {
    await gateway.stop();
    for (const { id, faults } of gateway.report().partitions) assert.deepEqual(faults, {}, id);
  };

  before(async () => {
    directory = new TestDirectory();
    await start();
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') showTails(gateway, testpmd);
    await testpmd?.kill();
    testpmd = undefined;
  });

  after(async () => {
    await gateway?.kill();
    directory.remove();
  });

  for (const id of ['one', 'four'] as const) {
    for (const packed of YES_NO)
      for (const inOrder of YES_NO)
        for (const mergeable of YES_NO) {
          const words = [
            packed ? 'packed' : 'split',
            ...(inOrder ? ['in order'] : []),
            ...(mergeable ? ['merged buffers'] : []),
          ];
          it(`[utest->req~vhost.clients~1] ${id} queue pair(s), ${words.join(', ')}: packets bounce, also after a stop`, async () => {
            testpmd = await startPorts(id, { packed, inOrder, mergeable });
            await bounces(testpmd, PAIRS[id]);
            await testpmd.succeed('port stop all');
            await testpmd.succeed('port start all');
            await bounces(testpmd, PAIRS[id]);
            assert.equal(await testpmd.quit(), 0);
          });
        }
  }

  it('[utest->req~fault.contain~1] none of it was a fault', async () => {
    await stopsWithoutFaults();
    await start();
  });

  it('[utest->req~vhost.reconnect~1] ports that listen are found: by the gateway, by its successor, and after their own', async () => {
    testpmd = await startPorts('served', { server: true });
    await bounces(testpmd, 1);
    await gateway.kill();
    await start();
    await gateway.serves('served');
    await bounces(testpmd, 1);
    await testpmd.kill();
    // DPDK does not take a socket over that somebody else has left.
    for (const device of ['net0', 'net1']) rmSync(socketOf(directory.path, 'served', device));
    testpmd = await startPorts('served', { server: true });
    await bounces(testpmd, 1);
    await stopsWithoutFaults();
  });
});
