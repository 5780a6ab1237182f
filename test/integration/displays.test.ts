/**
 * Guests with displays, with their threads: what is shown is what they drew, also beside one that floods or
 * freezes.
 */
import { strict as assert } from 'node:assert';
import { Fault } from '../../src/base/fault.ts';
import {
  DisplayCounter,
  PlaneCounter,
  QueueCounter,
  RegionCounter,
} from '../../src/channel/counters.ts';
import { GuestStatistic } from '../../src/channel/guest-statistics.ts';
import { readPng } from '../../src/host/png.ts';
import { gateway, TestDirectory } from '../support/command-line.ts';
import { RunningGateway, until as untilSoon } from '../support/running-gateway.ts';
import {
  KnownPictures,
  setProgram,
  smallCockpit,
  type CockpitDraft,
  type SceneName,
} from '../support/small-cockpit.ts';

const { ANSWERED, FRAME, FRAMES_SHOWN, REFUSED, STARTED, ERRORS, CORRUPT, LOST } = GuestStatistic;
const CLUSTER = 1;
/** Pictures that may lie between the one that is shown and the one that was drawn last. */
const BEHIND_MAX = 120;

/** Drawing takes processors that a busy host lends late. */
const PATIENCE_MS = 90_000;
const until = (condition: () => boolean, what: string) => untilSoon(condition, what, PATIENCE_MS);

describe('guests with displays', function () {
  this.timeout(3 * PATIENCE_MS);
  let running: RunningGateway | undefined;

  function started(change: (draft: CockpitDraft) => void = () => {}): RunningGateway {
    const config = smallCockpit(change);
    running = new RunningGateway(config);
    return running;
  }

  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  const shown = (guest: string) => running!.statistic(guest, FRAMES_SHOWN);

  /** Until so many pictures more of a guest are shown. */
  async function shows(count: number, ...guests: readonly string[]): Promise<void> {
    for (const guest of guests) {
      const before = shown(guest);
      await until(() => shown(guest) >= before + count, `${count} pictures of ${guest}`);
    }
  }

  /** Until so many more requests of the cluster are answered. */
  async function answers(count: number): Promise<void> {
    const answered = () => running!.statistic('cluster', ANSWERED);
    const before = answered();
    await until(() => answered() >= before + count, `${count} more answers`);
  }

  /** Until the display shows a whole picture of the scene in its own part. */
  async function showsScene(name: SceneName): Promise<void> {
    const [display] = running!.gateway.displays;
    const { widthPx: width, heightPx: height } = display!;
    const split = 80;
    await until(() => {
      const bytes = display!.snapshot();
      if (!bytes) return false;
      const part =
        name === 'cluster'
          ? { height: split, fromRow: 0, toRow: split }
          : { height, fromRow: split, toRow: height };
      const last = running!.statistic(name, FRAME);
      const known = new KnownPictures(name, { width, bytes, ...part });
      return known.find(last - 12, last) >= 0;
    }, `a picture of the ${name}`);
  }

  it('[utest->req~guest.display-pictures~1] two guests share a display, each with the pictures that it drew, and nothing is wrong', async () => {
    const { gateway: own } = started();
    await shows(30, 'cluster', 'infotainment');
    await showsScene('cluster');
    await showsScene('infotainment');
    for (const guest of ['cluster', 'infotainment']) {
      assert.equal(running!.statistic(guest, REFUSED), 0);
    }
    const { counters } = own;
    assert.ok(counters.region(0, RegionCounter.CHECKS) > 0);
    assert.equal(counters.region(0, RegionCounter.MISMATCHES), 0);
    assert.ok(counters.planeLatency(CLUSTER).count > 0);
    assert.equal(counters.fault(0, Fault.RegionCrcMismatch), 0);
  });

  it('[utest->req~guest.display-pictures~1] pictures that are transferred, a cursor, and traffic besides', async () => {
    started((draft) => {
      setProgram(draft, 'cluster', { blob: false });
      setProgram(draft, 'infotainment', { blob: false, cursor: true });
    });
    await shows(20, 'cluster', 'infotainment');
    await showsScene('cluster');
    await answers(20);
    assert.equal(running!.statistic('cluster', CORRUPT), 0);
    assert.equal(running!.statistic('infotainment', REFUSED), 0);
  });

  it('[utest->req~gpu.frozen-plane~1] a cluster that stops to draw is noticed, and started anew', async () => {
    const { gateway: own, transitions } = started((draft) => {
      setProgram(draft, 'cluster', { freezeAfterFrames: 5 });
      draft.displays![0]!.protectedRegions![0]!.frozenAfterUs = 1_500_000;
    });
    await until(() => transitions.some(({ cause }) => cause === 'restart'), 'a restart');
    assert.ok(own.counters.region(0, RegionCounter.FROZEN) > 0);
    assert.ok(own.counters.fault(0, Fault.FrozenPlane) > 0);
    await until(() => running!.statistic('cluster', STARTED) >= 2, 'the cluster, once more');
    await until(() => shown('cluster') > 5, 'its pictures');
    assert.equal(running!.mode('infotainment'), 'normal');
    assert.ok(own.counters.plane(CLUSTER, PlaneCounter.REPLACED) > 0);
  });

  it('[utest->req~gpu.region-crc~1] warning lamps that nobody allowed are noticed, and their plane is black', async () => {
    const { gateway: own } = started((draft) => {
      draft.displays![0]!.protectedRegions![0]!.crcs = ['00000000'];
    });
    await until(() => running!.mode('cluster') === 'isolated', 'the cluster isolated');
    assert.ok(own.counters.region(0, RegionCounter.MISMATCHES) > 0);
    const [display] = own.displays;
    const bytes = display!.widthPx * 80 * 4;
    await until(() => {
      const rows = display!.snapshot()?.subarray(0, bytes);
      return rows !== undefined && rows.every((byte, n) => byte === (n % 4 === 3 ? 0xff : 0));
    }, 'a black plane');
    await shows(5, 'infotainment');
    await showsScene('infotainment');
  });

  it('[utest->req~guest.gpu-flood~1] beside a guest that floods its GPU the cluster draws on, and its packets arrive', async () => {
    const { gateway: own } = started((draft) => {
      setProgram(draft, 'infotainment', {}, 'gpu-babbler');
    });
    await shows(20, 'cluster');
    const { plan, counters } = own;
    const flood = plan.queues.find(({ name }) => name === 'infotainment.gpu0.controlq')!;
    const frames = counters.display(0, DisplayCounter.REFRESHES);
    const requests = counters.queue(flood.index, QueueCounter.REQUESTS);
    const before = running!.trouble;
    await shows(60, 'cluster');
    await answers(10);
    await showsScene('cluster');
    const after = running!.trouble;
    assert.ok(
      counters.queue(flood.index, QueueCounter.REQUESTS) - requests >
        counters.display(0, DisplayCounter.REFRESHES) - frames,
      'it floods',
    );
    assert.equal(after.corrupt, 0);
    assert.ok(after.lost - before.lost <= after.dropped - before.dropped);
    assert.deepEqual(
      [running!.statistic('cluster', REFUSED), running!.statistic('cluster', ERRORS)],
      [0, 0],
    );
    assert.equal(counters.region(0, RegionCounter.MISMATCHES), 0);
    assert.equal(running!.statistic('cluster', LOST), after.lost);
  });
});

interface Report {
  readonly partitions: readonly {
    readonly id: SceneName;
    readonly faults: Readonly<Record<string, number>>;
    readonly guest: { readonly pictures?: { readonly last: number; readonly shown: number } };
  }[];
  readonly displays: readonly {
    readonly id: string;
    readonly composed: number;
    readonly planes: readonly {
      readonly id: string;
      readonly latency: { readonly p50Ns: number; readonly maxNs: number };
      readonly regions: readonly { readonly checks: number; readonly mismatches: number }[];
    }[];
  }[];
}

describe('command line: run with displays', function () {
  this.timeout(3 * PATIENCE_MS);
  let directory: TestDirectory;
  beforeEach(() => {
    directory = new TestDirectory();
  });
  afterEach(() => {
    directory.remove();
  });

  const run = (...words: string[]) =>
    gateway(['run', 'config/cockpit.json', '--json', '--no-dashboard', ...words], PATIENCE_MS);

  /** The numbers of the two pictures that a screenshot shows. */
  function picturesIn(file: string, report: Report): number[] {
    const { width, height, bytes } = readPng(file);
    assert.deepEqual([width, height], [1280, 800]);
    return (['cluster', 'infotainment'] as const).map((name) => {
      const last = report.partitions.find(({ id }) => id === name)!.guest.pictures?.last ?? 0;
      const part =
        name === 'cluster'
          ? { height: 320, fromRow: 0, toRow: 320 }
          : { height, fromRow: 320, toRow: height };
      const known = new KnownPictures(name, { width, bytes, ...part });
      return known.find(last - BEHIND_MAX, last);
    });
  }

  it('[utest->req~disp.screenshot~1] the cockpit: a screenshot is made of the pictures that the programs drew, pixel by pixel', () => {
    const file = directory.file('center.png');
    // A host that is busy may not come to a picture, or stop a composition in its middle.
    let found = [-1];
    for (let seconds = 5; seconds < 50 && found.includes(-1); seconds *= 2) {
      const { stdout } = run('--duration', String(seconds), '--screenshot', `center=${file}`);
      const report = JSON.parse(stdout) as Report;
      const [display] = report.displays;
      assert.equal(display!.id, 'center');
      found = picturesIn(file, report);
    }
    assert.ok(!found.includes(-1), String(found));
  });

  it('[utest->req~disp.report~1] the report tells of planes and regions, as a document and as a table', () => {
    const { stdout } = run('--duration', '4');
    const { displays, partitions } = JSON.parse(stdout) as Report;
    const planes = displays[0]!.planes.map(({ id, regions }) => [id, regions.length]);
    assert.deepEqual(planes, [
      ['center.infotainment', 0],
      ['center.cluster', 1],
    ]);
    assert.equal(
      partitions.find(({ id }) => id === 'cluster')!.faults['region-crc-mismatch'],
      undefined,
    );
    const words = ['run', 'config/cockpit.json', '--duration', '2', '--no-dashboard'];
    const table = gateway(words, PATIENCE_MS).stdout;
    assert.match(table, /^plane +composed +p50 +p99 +p99.9 +max +checks +wrong +frozen$/m);
    assert.match(table, /^center\.cluster +\d+/m);
    assert.match(table, /^cluster-picture +\d+ +-/m);
  });

  for (const [word, sentence] of [
    ['center', '--screenshot needs DISPLAY=FILE.png, not "center"'],
    ['=x.png', '--screenshot needs DISPLAY=FILE.png, not "=x.png"'],
    ['center=', '--screenshot needs DISPLAY=FILE.png, not "center="'],
    ['centre=x.png', 'there is no display "centre". Did you mean "center"?'],
    ['center=/no/such/directory/x.png', '/no/such/directory/x.png: no such file'],
    ['center=/proc', '/proc: it is a directory'],
  ] as const) {
    it(`[utest->req~disp.screenshot~1] --screenshot ${word} is refused before the run`, () => {
      const { code, stdout, stderr } = run('--duration', '30', '--screenshot', word);
      assert.deepEqual([code, stdout], [2, '']);
      assert.equal(stderr.split('\n')[0], `virtio-gateway: error: ${sentence}`);
    });
  }

  it('[utest->req~disp.screenshot~1] a configuration without displays has none to show', () => {
    const { code, stderr } = gateway([
      'run',
      'test/support/three-guests.json',
      '--screenshot',
      'center=x.png',
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /there is no display "center"\. The configuration has none\./);
  });
});
