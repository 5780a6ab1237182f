/** A configuration of any size: partitions in a ring, every window one queue, ten flows a sender. */
import {
  deviceDraft,
  routeDraft,
  twoPartitions,
  windowDraft,
  type ConfigDraft,
} from './two-partitions.ts';

const PLACE_US = 400;

export interface Size {
  readonly partitions: number;
  readonly flowsEach: number;
  readonly visitsEach: number;
}

export function manyFlows({ partitions, flowsEach, visitsEach }: Size): ConfigDraft {
  const ids = Array.from({ length: partitions }, (_, n) => `p${n}`);
  const next = (n: number) => ids[(n + 1) % partitions]!;
  return twoPartitions((draft) => {
    draft.schedule.majorFrameUs = PLACE_US * (partitions * visitsEach + 1);
    draft.partitions = ids.map((id, n) => ({
      id,
      asil: 'QM',
      memoryMiB: 1,
      guest: { type: 'embedded', program: 'echo' },
      devices: [deviceDraft(1, { mac: `52:54:00:00:01:${n.toString(16).padStart(2, '0')}` })],
    }));
    draft.network.routes = ids.map((id, n) =>
      routeDraft(id, next(n), {
        packetsPerMajorFrame: 4096,
        bytesPerMajorFrame: 10_000_000,
        excess: 'defer',
      }),
    );
    draft.schedule.windows = Array.from({ length: partitions * visitsEach }, (_, n) =>
      windowDraft(ids[n % partitions]!, n * PLACE_US, {
        id: `w${n}`,
        durationUs: PLACE_US - 50,
        pollUs: 20,
        queues: [{ queue: 'net0.transmitq0', requestsMax: 64, bytesMax: 97_152 }],
      }),
    );
    const frameUs = draft.schedule.majorFrameUs;
    draft.flows = ids.flatMap((id, n) =>
      Array.from({ length: flowsEach }, (_, f) => ({
        id: `${id}-f${f}`,
        from: `${id}.net0.transmitq0`,
        route: `${id}-to-${next(n)}`,
        arrival: {
          periodUs: frameUs / 2 + 137 * f,
          jitterUs: 1000 + 10 * f,
          spacingUs: 0,
          burst: 1 + (f % 3),
        },
        bytesMax: 256 + f,
        deadlineUs: 4 * frameUs,
      })),
    );
    draft.health.reactions = [{ fault: '*', partition: '*', action: 'isolate', log: true }];
  });
}
