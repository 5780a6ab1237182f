/** `bench memory`: what a gateway with eight connected partitions needs, silent and busy. */
import { NS_PER_S } from '../../base/time.ts';
import { nowNs } from '../clients/wait.ts';
import { textTable } from '../text-table.ts';
import type { BenchResult, Progress } from './bench-result.ts';
import { EightPartitions, MAJOR_FRAME_US, POLL_US, type Resident } from './eight-partitions.ts';

const WARM_UP_S = 3;
const IDLE_S = 10;
/** With everything before it somewhat less than ten minutes. */
const SOAK_S = 550;
const SAMPLE_S = 5;
/** Before the soak, so that it begins with a heap that has been collected. */
const RECONNECTIONS = 200;
/** The first samples still see code being compiled. */
const EARLY_SAMPLES = 24;
/** Of so many samples the least counts: what is garbage is no growth. */
const SAMPLES_PER_MINIMUM = 6;

interface Sample extends Resident {
  /** Since the start of the soak. */
  readonly seconds: number;
}

const beyondGuests = ({ anonymous, file }: Resident) => anonymous + file;

function minima(samples: readonly Sample[]): Sample[] {
  const groups = Math.floor(samples.length / SAMPLES_PER_MINIMUM);
  return Array.from({ length: groups }, (_, n) =>
    samples
      .slice(n * SAMPLES_PER_MINIMUM, (n + 1) * SAMPLES_PER_MINIMUM)
      .reduce((least, sample) => (beyondGuests(sample) < beyondGuests(least) ? sample : least)),
  );
}

/** MiB per hour: slopes between any two minima, their median (Theil, Sen) and their quartiles. */
export interface Growth {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function growth(samples: readonly Sample[]): Growth {
  const least = minima(samples);
  const slopes = least
    .flatMap((later, n) =>
      least
        .slice(0, n)
        .map(
          (earlier) =>
            (3600 * (beyondGuests(later) - beyondGuests(earlier))) /
            (later.seconds - earlier.seconds),
        ),
    )
    .sort((one, other) => one - other);
  const at = (share: number) => slopes[Math.floor(share * (slopes.length - 1))]!;
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

async function soak(partitions: EightPartitions, progress: Progress): Promise<Sample[]> {
  const samples: Sample[] = [];
  const from = nowNs();
  for (let seconds = SAMPLE_S; seconds <= SOAK_S; seconds += SAMPLE_S) {
    progress(`soak: ${seconds} of ${SOAK_S} s`);
    await partitions.send(SAMPLE_S);
    samples.push({ seconds: (nowNs() - from) / NS_PER_S, ...partitions.resident });
  }
  return samples;
}

export async function memory(progress: Progress): Promise<BenchResult> {
  const partitions = new EightPartitions();
  try {
    progress('idle');
    await partitions.start();
    await partitions.send(WARM_UP_S);
    for (let n = 0; n < RECONNECTIONS; n++) await partitions.reconnect(n);
    const idlePercent = await partitions.idlePercent(IDLE_S);
    const idle = partitions.resident;
    const samples = await soak(partitions, progress);
    const hourly = growth(samples.slice(EARLY_SAMPLES));
    const last = samples.at(-1)!;
    const row = (state: string, resident: Resident) => [
      state,
      ...[beyondGuests(resident), resident.anonymous, resident.file, resident.shared].map((mib) =>
        mib.toFixed(1),
      ),
    ];
    const text = [
      `idle: ${idlePercent.toFixed(1)} % of a processor (idle: sleep, major frame ` +
        `${MAJOR_FRAME_US} µs, pollUs ${POLL_US})`,
      textTable([
        ['resident MiB', 'beyond guests', 'anonymous', 'files', 'guests'],
        row('silent', idle),
        row(`after ${SOAK_S} s`, last),
      ]),
      `soak: ${RECONNECTIONS} reconnections, then ${partitions.received} packets, ` +
        `${hourly.median.toFixed(2)} MiB per hour (half of all slopes are between ` +
        `${hourly.low.toFixed(2)} and ${hourly.high.toFixed(2)}: no less is resolved)`,
    ];
    return {
      document: {
        runs: 1,
        idle: { seconds: IDLE_S, majorFrameUs: MAJOR_FRAME_US, pollUs: POLL_US, idlePercent },
        residentMiB: { beyondGuests: beyondGuests(last), ...last },
        soak: {
          seconds: SOAK_S,
          reconnections: RECONNECTIONS,
          packets: partitions.received,
          mibPerHour: hourly,
          samples,
        },
      },
      text: text.join('\n'),
    };
  } finally {
    await partitions.stop();
  }
}
