/** Rules about guests with front-ends: sealed memory, and sockets that are possible and their own. */
import { assertBreaks, assertValid } from '../../support/judged.ts';
import type { ConfigDraft } from '../../support/two-partitions.ts';

const DIRECTORY_MOST = 107 - '/net0.sock'.length;

function vhostUser(draft: ConfigDraft, partition: number, socketDirectory: string): void {
  draft.partitions[partition]!.guest = {
    type: 'vhost-user',
    socketDirectory,
    socketMode: 'listen',
    unsealed: 'refuse',
  };
}

function unsealed(draft: ConfigDraft, asil: ConfigDraft['gateway']['asil']): void {
  draft.gateway.asil = asil;
  vhostUser(draft, 1, 'run/telematics');
  Object.assign(draft.partitions[1]!.guest, { unsealed: 'accept' });
}

describe('rules: guests with front-ends', () => {
  it('[utest->req~cfg.unsealed-qm~1] a QM gateway may accept memory that can shrink', () => {
    assertValid((draft) => unsealed(draft, 'QM'));
  });

  for (const asil of ['A', 'B', 'C', 'D'] as const) {
    it(`[utest->req~cfg.unsealed-qm~1] a gateway of ASIL ${asil} may not, whatever its partition is`, () => {
      assertBreaks(
        'unsealed-above-qm',
        '/partitions/1/guest/unsealed',
        ['"telematics"', `not "${asil}"`],
        (draft) => unsealed(draft, asil),
      );
    });
  }

  it('[utest->req~cfg.unsealed-qm~1] a gateway of any level may refuse it', () => {
    assertValid((draft) => vhostUser(draft, 1, 'run/telematics'));
  });

  it('[utest->req~cfg.semantic~1] the path of a socket has at most 107 bytes, not characters', () => {
    assertValid((draft) => vhostUser(draft, 1, 'x'.repeat(90)));
    // Two bytes each.
    assertValid((draft) => vhostUser(draft, 1, `${'é'.repeat((DIRECTORY_MOST - 1) / 2)}x`));
    assertBreaks(
      'socket-path-too-long',
      '/partitions/1/guest/socketDirectory',
      ['108 bytes', 'at most 107'],
      (draft) => vhostUser(draft, 1, 'é'.repeat((DIRECTORY_MOST + 1) / 2)),
    );
  });

  it('[utest->req~cfg.semantic~1] one directory for two partitions is right while their devices differ', () => {
    assertValid((draft) => {
      vhostUser(draft, 0, 'run');
      vhostUser(draft, 1, 'run/telematics');
    });
  });

  for (const other of ['run', './run', 'run/', 'run/x/..']) {
    it(`[utest->req~cfg.semantic~1] "run" and "${other}" are the same directory`, () => {
      assertBreaks(
        'socket-shared',
        '/partitions/1/guest/socketDirectory',
        ['"telematics.net0"', '"cluster.net0"', 'run/net0.sock'],
        (draft) => {
          vhostUser(draft, 0, 'run');
          vhostUser(draft, 1, other);
        },
      );
    });
  }
});
