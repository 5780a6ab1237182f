/**
 * A guest that changes its memory between two reads of the device (catalogue 20, 21).
 *
 * For each layout of a request: no guest byte is read twice in one decision; and flipping what was
 * read, after the n-th read for every n, changes nothing of what comes out.
 */
import { strict as assert } from 'node:assert';
import { FetchDecisions, type Flip, type Range, type Watch } from '../support/fetch-decisions.ts';
import {
  commandScenario,
  packetScenario,
  ringParts,
  type FetchScenario,
  type Outcome,
} from '../support/fetch-scenarios.ts';
import { NET_COMMANDS } from '../support/net-commands.ts';
import { LAYOUTS, layoutsOf } from '../support/ring-layouts.ts';
import { ALL_PACKED, Rig } from '../support/rig.ts';
import { checksumRequest, segmentRequest } from '../support/tcp-packet.ts';

const MASKS = [0xff, 0x01, 0x80];
const SCOPES = ['last read', 'all reads of the decision'] as const;

const MERGEABLE = ['VIRTIO_NET_F_MRG_RXBUF'];
const CHECKSUM = ['VIRTIO_NET_F_CSUM'];

const tagged = (rig: Rig) => ({ bytes: rig.packet('a', 'b', 150, [0x81, 0, 0, 7, 8, 6]) });

const SCENARIOS: readonly FetchScenario[] = [
  ...layoutsOf(ALL_PACKED).flatMap(([where, layout]) => [
    packetScenario({ title: `a packet ${where}`, send: layout }),
    packetScenario({ title: `a receive buffer ${where}`, receive: layout }),
  ]),
  packetScenario({
    title: 'three merged receive buffers',
    buffers: [100, 40, 2048],
    features: { b: MERGEABLE },
  }),
  packetScenario({
    title: 'merged receive buffers in tables',
    buffers: [100, 2048],
    features: { b: MERGEABLE },
    receive: LAYOUTS['in an indirect table at an odd address']!,
  }),
  packetScenario({ title: 'a packet for two receivers', fanOut: true }),
  packetScenario({ title: 'a tagged packet', packet: tagged, route: { vlan: 7 } }),
  packetScenario({
    title: 'a packet that loses its tag',
    packet: tagged,
    route: { vlan: 7, vlanAction: 'remove' },
  }),
  packetScenario({ title: 'a packet that gets a tag', route: { vlan: 7, vlanAction: 'insert' } }),
  packetScenario({
    title: 'a packet whose checksum the receiver completes',
    packet: checksumRequest,
    features: { a: CHECKSUM, b: ['VIRTIO_NET_F_GUEST_CSUM'] },
  }),
  packetScenario({
    title: 'a packet whose checksum the gateway completes',
    packet: checksumRequest,
    features: { a: CHECKSUM },
    send: LAYOUTS['with its header in single bytes']!,
  }),
  packetScenario({
    title: 'a packet that the gateway cuts',
    packet: segmentRequest,
    buffers: [2048, 2048, 2048],
    features: { a: [...CHECKSUM, 'VIRTIO_NET_F_HOST_TSO4'] },
    send: LAYOUTS['in three descriptors']!,
  }),
  packetScenario({
    title: 'a packet with notifications by event index',
    features: { a: ['VIRTIO_RING_F_EVENT_IDX'], b: ['VIRTIO_RING_F_EVENT_IDX'] },
  }),
  ...NET_COMMANDS.map((command) => commandScenario(command)),
];

function covers(ranges: readonly Range[], offset: number): boolean {
  return ranges.some(({ at, bytes }) => offset >= at && offset < at + bytes);
}

interface Played {
  readonly outcome: Outcome;
  readonly watch: Watch;
  readonly writable: readonly Range[];
}

class Player {
  readonly rig: Rig;
  private readonly decisions: FetchDecisions;
  private readonly scenario: FetchScenario;

  constructor(scenario: FetchScenario) {
    this.scenario = scenario;
    this.rig = new Rig(scenario.options);
    this.decisions = new FetchDecisions(this.rig);
  }

  play(flip?: Flip): Played {
    const round = this.scenario.round(this.rig);
    const watch = this.decisions.majorFrame(flip, round.exempt);
    return { outcome: round.outcome(), watch, writable: round.writable() };
  }
}

for (const scenario of SCENARIOS) {
  describe(`${scenario.title}, while its guest changes it`, () => {
    it('[utest->req~mem.single-fetch~1] no byte is read twice in one decision (catalogue 20, 21)', () => {
      const { watch, outcome } = new Player(scenario).play();
      assert.equal(outcome.served, true, 'the honest request is served');
      assert.deepEqual([...watch.repeated], [], 'guest bytes that were read twice');
      assert.deepEqual([...watch.stray], [], 'guest bytes that were read outside of any decision');
    });

    it('[utest->req~mem.single-fetch~1] what was read is not asked for again, wherever it changes (catalogue 20, 21)', () => {
      const player = new Player(scenario);
      const { outcome, watch } = player.play();
      for (const mask of MASKS) {
        for (const scope of SCOPES) {
          for (let after = 1; after <= watch.reads; after++) {
            assert.deepEqual(
              player.play({ after, mask, scope }).outcome,
              outcome,
              `${scope} ^ 0x${mask.toString(16)} after read ${after} of ${watch.reads}`,
            );
          }
        }
      }
    });

    it('[utest->req~mem.zero-residue~1] only used rings and filled bytes are written, none is read (catalogue 22)', () => {
      const player = new Player(scenario);
      const { watch, writable } = player.play();
      const { written, both } = ringParts(player.rig);
      assert.deepEqual(
        [...watch.read].filter((offset) => covers([...written, ...writable], offset)),
        [],
      );
      assert.deepEqual(
        [...watch.written].filter((offset) => !covers([...written, ...both, ...writable], offset)),
        [],
      );
    });
  });
}
