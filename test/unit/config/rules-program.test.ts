/** Programs of embedded guests: the memory that their pictures need, and the devices that they drive. */
import { strict as assert } from 'node:assert';
import type { GatewayConfig } from '../../../src/schedule/gateway-config.ts';
import { breaches } from '../../support/judged.ts';
import { cockpitConfig, type CockpitDraft } from '../../support/small-cockpit.ts';

function broken(change: (draft: CockpitDraft) => void): string[] {
  const draft = cockpitConfig();
  change(draft);
  return breaches(draft as GatewayConfig).map(({ rule, message }) => `${rule}: ${message}`);
}

describe('rules about programs', () => {
  it('[utest->req~cfg.semantic~1] config/cockpit.json breaks none', () => {
    assert.deepEqual(
      broken(() => {}),
      [],
    );
  });

  for (const [partition, memoryMiB, needed] of [
    // 1.3 MiB of rings, and three pictures of 1280 x 320.
    [0, 5, 6],
    // 1.3 MiB of rings, two pictures of 1280 x 800, and the map.
    [2, 14, 15],
  ] as const) {
    it(`[utest->req~cfg.semantic~1] ${memoryMiB} MiB do not hold what the program of partition ${partition} draws`, () => {
      const [found, ...more] = broken((draft) => {
        draft.partitions[partition]!.memoryMiB = memoryMiB;
      });
      assert.deepEqual(more, []);
      assert.match(
        found!,
        new RegExp(`^memory-below-queues: .*needs ${needed} MiB .*, not ${memoryMiB}$`),
      );
      const enough = (draft: CockpitDraft) => {
        draft.partitions[partition]!.memoryMiB = needed;
      };
      assert.deepEqual(broken(enough), []);
    });
  }

  it('[utest->req~cfg.semantic~1] a program that sends packets needs a network device', () => {
    const found = broken((draft) => {
      const { guest, devices } = draft.partitions[2]!;
      if (guest.type === 'embedded') guest.program = 'echo';
      devices.splice(0, 1);
    });
    assert.ok(
      found.includes(
        'program-without-device: program "echo" drives a virtio-net device; partition "infotainment" has none',
      ),
      found.join('\n'),
    );
  });
});
