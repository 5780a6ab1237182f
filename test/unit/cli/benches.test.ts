/** What benches make of their measurements: pairs, ratios, medians, tables, and one document for programs. */
import { strict as assert } from 'node:assert';
import { bench, type Bench } from '../../../src/cli/bench.ts';
import { gpuCopies } from '../../../src/cli/bench/gpu-copies.ts';
import type { GpuNeighbour } from '../../../src/cli/bench/gpu-neighbour.ts';
import { gpu, type DisplaySample } from '../../../src/cli/bench/gpu.ts';
import { guests } from '../../../src/cli/bench/guests.ts';
import { spreadOf } from '../../../src/cli/bench/spread.ts';
import { vhostUser } from '../../../src/cli/bench/vhost-user.ts';
import { UsageError } from '../../../src/cli/arguments.ts';

/** What is said while a bench measures. */
class Said {
  readonly lines: string[] = [];
  readonly progress = (line: string): void => void this.lines.push(line);
}

const NO_NEIGHBOUR: GpuNeighbour = {
  ...{ pairs: 0, seconds: 0, flows: [], quiet: [], flooded: [] },
  windowStartGrowthNs: { median: 0, min: 0, max: 0 },
};

describe('what a bench says', () => {
  const printed: string[] = [];
  const stderr: string[] = [];
  const { log } = console;
  const { write } = process.stderr;
  const { isTTY } = process.stderr;

  beforeEach(() => {
    printed.length = 0;
    stderr.length = 0;
  });

  /** One bench that needs nothing, and one that needs what is not there. */
  const BENCHES: Readonly<Record<string, Bench>> = {
    good: {
      needs: [],
      run: (progress) => {
        progress('measuring');
        return { document: { runs: 3 }, text: 'three runs' };
      },
    },
    needy: { needs: ['chromium'], run: () => assert.fail('it was run') },
  };

  async function run(terminal: boolean, ...words: string[]): Promise<number> {
    console.log = (line: string) => void printed.push(line);
    process.stderr.write = (text: string | Uint8Array) => stderr.push(String(text)) > 0;
    process.stderr.isTTY = terminal;
    try {
      return await bench(words, BENCHES);
    } finally {
      console.log = log;
      process.stderr.write = write;
      process.stderr.isTTY = isTTY;
    }
  }

  it('[utest->req~cli.bench~1] its text goes to stdout, and no progress where there is no terminal', async () => {
    assert.equal(await run(false, 'good'), 0);
    assert.deepEqual([printed, stderr], [['three runs'], []]);
  });

  it('[utest->req~cli.bench~1] on a terminal one line of progress changes, and goes', async () => {
    assert.equal(await run(true, 'good'), 0);
    assert.deepEqual(stderr, ['\r\x1b[Kmeasuring', '\r\x1b[K']);
  });

  it('[utest->req~cli.bench~1] with --json it is one document, with its name and the machine', async () => {
    assert.equal(await run(false, 'good', '--json'), 0);
    assert.equal(printed.length, 1);
    const { machine, ...rest } = JSON.parse(printed[0]!) as { machine: Record<string, unknown> };
    assert.deepEqual(rest, { bench: 'good', runs: 3 });
    assert.deepEqual(Object.keys(machine), ['cpu', 'cores', 'node']);
  });

  it('[utest->req~cli.errors~1] one missing client is named in the singular, and nothing is run', async () => {
    const { PATH } = process.env;
    process.env['PATH'] = '';
    try {
      await assert.rejects(run(false, 'needy'), (error: unknown) => {
        assert.ok(error instanceof UsageError);
        assert.equal(error.message, 'chromium is missing: run test/install-clients');
        return true;
      });
    } finally {
      process.env['PATH'] = PATH;
    }
    assert.deepEqual(printed, []);
  });

  it('[utest->req~cli.errors~1] names of other things are no benches', async () => {
    await assert.rejects(run(false, 'toString'), /no bench "toString"; there are good, needy$/);
  });
});

describe('figures of benches', () => {
  it('[utest->req~cli.bench~1] a spread is a median and its extremes, whatever the order', () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
    assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 3, min: 1, max: 4 });
    assert.deepEqual(spreadOf([7]), { median: 7, min: 7, max: 7 });
  });

  it('[utest->req~cli.bench~1] displays are compared pair by pair, not median by median', async () => {
    const said = new Said();
    // The gateway is always twice as fast as its neighbour in time, on a machine that slows down.
    const rates = { gateway: [800, 400, 200, 100, 50], peer: [400, 200, 100, 50, 25] };
    const next = { gateway: 0, peer: 0 };
    const sample = (system: 'gateway' | 'peer'): Promise<DisplaySample> => {
      const perSecond = rates[system][next[system]++]!;
      const backEndNs = system === 'gateway' ? 50_000 : 200_000;
      const drawn = { count: 10, perSecond, backEndNs };
      return Promise.resolve({ dirty: drawn, flip: { ...drawn, perSecond: 2 * perSecond } });
    };
    const { document, text } = await gpu(said.progress, {
      drawOver: sample,
      copies: () => gpuCopies(2),
      neighbour: () => Promise.resolve(NO_NEIGHBOUR),
    });
    const { runs, display } = document as {
      runs: number;
      display: Record<string, unknown>[];
    };
    assert.equal(runs, 5);
    const same = {
      ...{ ratio: 2, ratios: { median: 2, min: 2, max: 2 }, cpuRatio: 0.25 },
      gatewayCpuUs: { median: 50, min: 50, max: 50 },
      peerCpuUs: { median: 200, min: 200, max: 200 },
    };
    assert.deepEqual(display, [
      { operation: 'dirty', gatewayPerSecond: 200, peerPerSecond: 100, ...same },
      { operation: 'flip', gatewayPerSecond: 400, peerPerSecond: 200, ...same },
    ]);
    assert.match(text, /^1280x800, 5 pairs of boots/);
    assert.match(
      text,
      /^dirty +200 +100 +2\.00 \(2\.00-2\.00\) +50 \(50-50\) +200 \(200-200\) +0\.25$/m,
    );
    assert.deepEqual(said.lines.slice(0, 3), [
      ...['copies', 'pair 1 of 5 at most, gateway', 'pair 1 of 5 at most, peer'],
    ]);
  });

  it('[utest->req~cli.bench~1] guests are compared run by run, in the favour of the gateway above 1', async () => {
    const said = new Said();
    let run = 0;
    const { document, text } = await guests(said.progress, (system) => {
      // Each run is slower than the one before, for all systems alike.
      const slowness = 1 + Math.floor(run++ / 5);
      const factor = { testpmd: 2, 'qemu socket': 0.5 }[system as string] ?? 1;
      return Promise.resolve({
        roundTripNs: 100_000 * slowness * factor,
        mbitPerSecond: 600 / slowness / factor,
      });
    });
    const { runs, systems } = document as {
      runs: number;
      systems: Record<string, number | string>[];
    };
    assert.equal(runs, 5);
    assert.deepEqual(
      systems.map(({ system, roundTripRatio, throughputRatio }) => [
        ...[system, Number(roundTripRatio), Number((throughputRatio as number).toFixed(6))],
      ]),
      [
        ['gateway', 1, 1],
        ['testpmd', 2, 2],
        ['testpmd tso=1', 1, 1],
        ['qemu stream', 1, 1],
        ['qemu socket', 0.5, 0.5],
      ],
    );
    assert.match(text, /medians \(min-max\) of 5 alternating runs/);
    assert.match(text, /^gateway +300\.0 µs +100\.0 µs-500\.0 µs +200 +120-600 +1\.00 +1\.00$/m);
    assert.equal(said.lines.length, 25);
    assert.equal(said.lines[6], 'run 2 of 5 at most, testpmd');
  });

  /** A sample of either system, in which each side had so much of its processor. */
  const sample = (mpps: number, share = 1) => ({
    ...{ mpps, clientShare: share, serverShare: share, cpuNsPerPacket: 1000 / mpps },
  });

  it('[utest->req~cli.bench~1] packets are forwarded in pairs of runs, at each size of the first series', async () => {
    const said = new Said();
    const { document, text } = await vhostUser(said.progress, {
      gateway: (bytes) => Promise.resolve(sample(bytes === 64 ? 6 : 3)),
      peer: () => Promise.resolve(sample(4)),
    });
    const { forwarding, series } = document as {
      forwarding: Record<string, unknown>[];
      series: { name: string; forwarding: { bytes: number }[] }[];
    };
    assert.deepEqual(
      series.map((each) => each.forwarding.map(({ bytes }) => bytes)),
      [[64, 256, 1514], [64], [64]],
    );
    assert.deepEqual(forwarding[0], {
      ...{ bytes: 64, gatewayMpps: 6, peerMpps: 4, ratio: 1.5, disturbed: 0 },
      ...{ ratios: { median: 1.5, min: 1.5, max: 1.5 }, peerCpuNsPerPacket: 250 },
      gatewayCpuNsPerPacket: 1000 / 6,
    });
    assert.match(
      text,
      /^windows-250us 256 B: gateway 3\.00 Mpps, DPDK 4\.00 Mpps, ratio 0\.75 \(.*, 333 .*, 0 of 5 pairs disturbed$/m,
    );
    assert.equal(said.lines.length, 5);
  });

  it('[utest->req~cli.bench~1] a pair in which somebody lacked a processor is tried again, then counted', async () => {
    let tries = 0;
    const { document } = await vhostUser(() => undefined, {
      gateway: () => Promise.resolve(sample(5)),
      // Only the first pair of all comes right, and at its second try.
      peer: () => Promise.resolve(sample(5, ++tries === 2 ? 1 : 0.5)),
    });
    const { forwarding } = document as { forwarding: { disturbed: number }[] };
    assert.deepEqual(
      forwarding.map(({ disturbed }) => disturbed),
      [4, 5, 5],
    );
    assert.equal(tries, 2 + 24 * 3, 'three tries for each of the others');
  });
});
