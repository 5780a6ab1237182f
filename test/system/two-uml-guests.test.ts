/** Two user-mode Linux guests: commands of their drivers, features of their rings, the state of their links. */
import { strict as assert } from 'node:assert';
import { address, configure, hasCarrier } from '../../src/cli/clients/guest-network.ts';
import {
  knows,
  negotiated,
  packetsReceived,
  pingsAll,
  receivesPacketsOf,
  transfer,
} from '../support/clients/guest-traffic.ts';
import type { LinuxGuest } from '../../src/cli/clients/linux-guest.ts';
import { describeWithClients, showTails } from '../support/clients/missing-clients.ts';
import {
  bothWays,
  NET_FEATURES,
  netFeature,
  socketOf,
  guestsConfig,
} from '../../src/cli/clients/guests-config.ts';
import { GatewayProcess } from '../../src/cli/clients/gateway-process.ts';
import { UmlGuest } from '../support/clients/uml-guest.ts';
import { TestDirectory } from '../support/command-line.ts';
import { bitOf } from '../../src/wire/features.ts';

const MACS = ['52:54:00:00:00:01', '52:54:00:00:00:02'] as const;
const STRANGER = '52:54:00:00:00:99';
const [ONE, OTHER, NOBODY] = [1, 2, 99];
const VLAN = 100;
const COUNT = 10;
/** 239.1.2.3 and its address in an Ethernet header. */
const GROUP = { ip: '239.1.2.3', mac: '01:00:5e:01:02:03' };
const FEATURES = [...NET_FEATURES, netFeature('HOST_TSO6'), netFeature('GUEST_TSO6')];

describeWithClients('two user-mode Linux guests', ['uml'], (suite) => {
  suite.timeout(60_000);
  let directory: TestDirectory;
  let gateway: GatewayProcess;
  let one: UmlGuest;
  let other: UmlGuest;

  const guestOf = (id: string) => new UmlGuest(id, { sockets: [socketOf(directory.path, id)] });

  before(async () => {
    directory = new TestDirectory();
    gateway = await GatewayProcess.start(
      guestsConfig(
        directory.path,
        ['one', 'other'].map((id, n) => ({
          ...{ id, unsealed: 'accept' as const },
          devices: [{ mac: MACS[n]!, queuePairs: 2, features: FEATURES }],
        })),
        [...bothWays('one.net0', 'other.net0'), ...bothWays('one.net0', 'other.net0', VLAN)],
      ),
    );
    [one, other] = [guestOf('one'), guestOf('other')];
    await Promise.all([one, other].map((guest) => guest.booted()));
    await gateway.serves('one', 'other');
    await Promise.all([configure(one, ONE), configure(other, OTHER)]);
    // Somebody who is not there, and a group that nobody has joined yet.
    await knows(one, NOBODY, STRANGER);
    await one.succeed('ip route add 239.0.0.0/8 dev eth0');
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') showTails(gateway, one, other);
  });

  after(async () => {
    await Promise.all([one, other].map((guest) => guest?.kill()));
    await gateway?.kill();
    directory.remove();
  });

  /** How many of a few packets to an address reach the other's driver. */
  const reaching = (to: string) => receivesPacketsOf(other, one, to, COUNT);

  it('[utest->req~vhost.features~1] EVENT_IDX, indirect descriptors, merged buffers and segmentation are negotiated', async () => {
    for (const guest of [one, other]) {
      const bits = await negotiated(guest);
      for (const name of [...FEATURES, netFeature('MQ')])
        assert.equal(bits[bitOf('virtio-net', name)], '1', `${guest.name}: ${name}`);
    }
    await Promise.all([pingsAll(one, OTHER), pingsAll(other, ONE)]);
  });

  it('[utest->req~net.offload-completion~1] TCP sends segments of many packets, and they arrive whole', async () => {
    const sent = async (what: string) =>
      Number(await one.succeed(`cat /sys/class/net/eth0/statistics/tx_${what}`));
    const [bytes, packets] = [await sent('bytes'), await sent('packets')];
    const rate = await transfer({ from: one, to: other, host: OTHER, times: 8 });
    const mean = ((await sent('bytes')) - bytes) / ((await sent('packets')) - packets);
    console.log(`      ${rate.toFixed(0)} Mbit/s in segments of ${mean.toFixed(0)} bytes`);
    assert.ok(mean > 3000, `${mean} bytes on average`);
  });

  it('[utest->req~net.receive-filter~1] a guest in promiscuous mode hears packets for others, and only then', async () => {
    assert.equal(await reaching(address(NOBODY)), 0);
    await other.succeed('ip link set eth0 promisc on');
    assert.equal(await reaching(address(NOBODY)), COUNT);
    await other.succeed('ip link set eth0 promisc off');
    assert.equal(await reaching(address(NOBODY)), 0);
    await pingsAll(one, OTHER, { count: COUNT });
  });

  it('[utest->req~net.receive-filter~1] a guest hears a group after it has joined it, or all groups', async () => {
    assert.equal(await reaching(GROUP.ip), 0);
    await other.succeed(`ip maddr add ${GROUP.mac} dev eth0`);
    assert.equal(await reaching(GROUP.ip), COUNT);
    await other.succeed(`ip maddr del ${GROUP.mac} dev eth0`);
    assert.equal(await reaching(GROUP.ip), 0);
    await other.succeed('ip link set eth0 allmulticast on');
    assert.equal(await reaching(GROUP.ip), COUNT);
    await other.succeed('ip link set eth0 allmulticast off');
    await pingsAll(one, OTHER, { count: COUNT });
  });

  it('[utest->req~net.vlan~1] guests talk in a VLAN that both have, and not when one has left it', async () => {
    const join = async (guest: LinuxGuest, host: number) => {
      await guest.succeed('modprobe 8021q');
      await guest.succeed(`ip link add link eth0 name tagged type vlan id ${VLAN}`);
      await guest.succeed(`ip addr add 10.1.0.${host}/24 dev tagged && ip link set tagged up`);
    };
    await Promise.all([join(one, ONE), join(other, OTHER)]);
    await pingsAll(one, `10.1.0.${OTHER}`, { count: COUNT });
    await other.succeed('ip link del tagged');
    await one.succeed(
      `ip neigh replace 10.1.0.${OTHER} lladdr ${MACS[1]} nud permanent dev tagged`,
    );
    assert.equal(await reaching(`10.1.0.${OTHER}`), 0);
    await pingsAll(one, OTHER, { count: COUNT });
    await one.succeed('ip link del tagged');
  });

  it('[utest->req~net.multiqueue~1] with two pairs packets take the second, too', async () => {
    // Its statistics list the pairs in use.
    const queueOfOne = async (name: string) => {
      const line = new RegExp(`${name}: (\\d+)`).exec(await one.succeed('ethtool -S eth0'));
      return Number(line?.[1] ?? 0);
    };
    assert.equal(await queueOfOne('tx_queue_1_packets'), 0);
    await Promise.all([one, other].map((guest) => guest.succeed('ethtool -L eth0 combined 2')));
    assert.match(await one.succeed('ls /sys/class/net/eth0/queues'), /rx-1\s[^]*tx-1/);
    // Each connection hashes to one of the queues: one of these is almost surely on the second.
    for (let n = 0; n < 8; n++) await transfer({ from: one, to: other, host: OTHER, times: 1 });
    assert.ok((await queueOfOne('tx_queue_1_packets')) > 0, 'nothing on the second transmitq');
    assert.ok((await queueOfOne('rx_queue_1_packets')) > 0, 'nothing on the second receiveq');
    await Promise.all([pingsAll(one, OTHER), pingsAll(other, ONE)]);
    await Promise.all([one, other].map((guest) => guest.succeed('ethtool -L eth0 combined 1')));
    await Promise.all([pingsAll(one, OTHER), pingsAll(other, ONE)]);
  });

  it('[utest->req~net.control-exact~1] receive offloads are turned off and on while the guests talk', async () => {
    for (const state of ['off', 'on']) {
      await other.succeed(`ethtool -K eth0 rx-gro-hw ${state}`);
      assert.match(await other.succeed('ethtool -k eth0'), new RegExp(`rx-gro-hw: ${state}`));
      const before = await packetsReceived(other);
      await transfer({ from: one, to: other, host: OTHER, times: 1 });
      const received = (await packetsReceived(other)) - before;
      // 4 MiB in packets of the MTU, or in segments of up to 64 KiB.
      if (state === 'off') assert.ok(received > 2500, `${received} packets`);
      else assert.ok(received < 2500, `${received} segments`);
    }
  });

  it('[utest->req~net.link-state~1] a link is down while nobody is there, and up again when somebody comes', async () => {
    await hasCarrier(one, true);
    await other.kill();
    await hasCarrier(one, false);
    other = await guestOf('other').booted();
    await hasCarrier(one, true);
    await configure(other, OTHER);
    await Promise.all([pingsAll(one, OTHER), pingsAll(other, ONE)]);
  });

  it('[utest->req~vhost.ring-states~1] a guest that powers itself off leaves in order', async () => {
    assert.equal(await other.powerOff(), 0);
    await hasCarrier(one, false);
    await gateway.stop();
    for (const { id, faults } of gateway.report().partitions) assert.deepEqual(faults, {}, id);
  });
});
