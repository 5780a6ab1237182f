/** The dashboard in a browser: the values of the run, in every light and size, for every hand. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { PNG } from 'pngjs';
import { Fault } from '../../src/base/fault.ts';
import type { RunReport } from '../../src/control-plane/run-report.ts';
import { startGateway } from '../support/command-line.ts';
import { Browser, type Page, type RunFunction, type Viewport } from '../support/clients/browser.ts';
import { describeWithClients } from '../support/clients/missing-clients.ts';
import {
  CUT_OFF,
  figuresOf,
  HIDE_LETTERS,
  LOW_CONTRAST,
  tableOf,
  TOO_WIDE,
} from '../support/clients/page-probes.ts';
import { cellsOf, difference } from '../support/clients/picture-compare.ts';
import { repositoryPath } from '../support/judged.ts';
import { until } from '../support/running-gateway.ts';
import { SyntheticDisplay } from '../support/synthetic-display.ts';
import { OpenDashboard, WatchedRig } from '../support/watched.ts';

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844, mobile: true };
const VIEWS: Readonly<Record<string, Viewport>> = {
  'desk-light': { ...DESK, scheme: 'light' },
  'desk-dark': { ...DESK, scheme: 'dark' },
  'phone-light': { ...PHONE, scheme: 'light' },
  'phone-dark': { ...PHONE, scheme: 'dark' },
};
const LIVE = 'document.querySelector("#connection").dataset.state === "live"';
const ENDED = 'document.querySelector("#connection").dataset.state === "ended"';
const DRAWN =
  'document.querySelectorAll("#gantt .visit").length > 0 && document.querySelector("#plot canvas")';
/** Share of the cells of a picture that may differ from the reference. */
const DIFFERENCE_MAX = 0.02;
/** Functions of the page that a run must reach, at least. */
const FUNCTIONS_MIN = 0.9;

describeWithClients('dashboard in Chromium', ['chromium'], (suite) => {
  suite.timeout(120_000);
  let browser: Browser;
  let page: Page;
  let dashboard: OpenDashboard | undefined;
  const ran = new Map<string, RunFunction>();

  before(async () => {
    browser = await Browser.start();
  });
  after(async () => {
    await browser.close();
  });
  beforeEach(async () => {
    page = await browser.page();
  });
  afterEach(async () => {
    await noteFunctions();
    await dashboard?.close();
    dashboard = undefined;
    await page.close();
  });

  async function noteFunctions(): Promise<void> {
    for (const each of await page.functions()) {
      const key = `${each.script} ${each.name} ${each.at}`;
      if (each.ran || !ran.has(key)) ran.set(key, each);
    }
  }

  /** A page on a data plane whose clock stands still: what it shows never changes by itself. */
  async function look(watched: WatchedRig, view: Viewport = DESK): Promise<void> {
    dashboard = await OpenDashboard.start(watched);
    await page.show(view);
    await page.go(dashboard.url);
    await page.until(`${LIVE} && ${DRAWN}`);
  }

  function busy(...displays: SyntheticDisplay[]): WatchedRig {
    const watched = new WatchedRig(displays);
    watched.traffic();
    return watched;
  }

  it('[utest->req~dash.page~1] every value is that of the JSON of the run', async () => {
    const words = ['run', 'config/cockpit.json', '--json', '--dashboard-port', '0'];
    const child = startGateway(words);
    const closed = once(child, 'close');
    let [stdout, stderr] = ['', ''];
    child.stdout!.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr!.on('data', (text: Buffer) => (stderr += text.toString()));
    try {
      await until(() => /dashboard: http.*\n/.test(stderr), 'the address');
      await page.show(DESK);
      await page.go(/dashboard: (http\S+)/.exec(stderr)![1]!);
      await page.until(
        `${LIVE} && ${DRAWN} && document.querySelector("#routes td").dataset.value > 50`,
      );
    } finally {
      child.kill('SIGINT');
      await closed;
    }
    const report = JSON.parse(stdout) as RunReport;
    await page.until(ENDED);
    await same(report);
    assert.deepEqual(page.complaints, []);
  });

  /** Compares what the page shows with a report, value by value. */
  async function same(report: RunReport): Promise<void> {
    const windows = await page.value<Record<string, object>>(tableOf('windows'));
    for (const {
      id,
      partition,
      requests,
      spentNs,
      visits,
      spentNsMax,
      budgetNs,
    } of report.windows) {
      const mean = visits > 0 ? spentNs / visits : 0;
      assert.deepEqual(windows[id], {
        partition: partition ?? 'gateway',
        served: requests,
        mean,
        longest: spentNsMax,
        budget: budgetNs,
        used: mean / budgetNs,
      });
    }
    const routes = await page.value<Record<string, Record<string, unknown>>>(tableOf('routes'));
    for (const { id, sent, delivered, deferred, dropped } of report.routes) {
      const { dropped: shown, ...counts } = routes[id]!;
      assert.deepEqual(counts, { sent, delivered, deferred });
      const plain = String(shown).replaceAll('\u202f', '');
      const expected = Object.entries(dropped).map(([reason, count]) => `${reason} ${count}`);
      assert.equal(plain, expected.join(', ') || '–');
    }
    const queues = await page.value<Record<string, object>>(tableOf('queues'));
    for (const { queue, requests, bytes, usedNotifications } of report.partitions.flatMap(
      (partition) => partition.queues,
    ))
      assert.deepEqual(queues[queue], { requests, bytes, notifications: usedNotifications });
    const [flow] = report.flows;
    const { minNs, p50Ns, p99Ns, p999Ns, maxNs, deadlineNs, requests, violations, hostBreaches } =
      flow!;
    const figures = {
      minNs,
      p50Ns,
      p99Ns,
      p999Ns,
      maxNs,
      deadlineNs,
      requests,
      violations,
      hostBreaches,
    };
    const bound = flow!.boundNs === null ? {} : { boundNs: flow!.boundNs };
    assert.deepEqual(await page.value(figuresOf('flow-figures')), { ...figures, ...bound });
    const head = await page.value<Record<string, number>>(figuresOf('figures'));
    const { p50, p99, p999, max } = report.windowStartJitterNs;
    assert.deepEqual(
      ['p50', 'p99', 'p99.9', 'max'].map((name) => head[`Start late, ${name}`]),
      [p50, p99, p999, max],
    );
    assert.deepEqual(
      [head['Major frames'], head['Frames skipped'], head['Late ends by GC'], head['Events lost']],
      [report.majorFrames, report.skippedMajorFrames, report.gc.count, report.lostEvents],
    );
    const states = await page.value(
      `[...document.querySelectorAll('.card')].map((card) =>
        [card.dataset.partition, card.querySelector('[data-field=state]').textContent])`,
    );
    assert.deepEqual(
      states,
      report.partitions.map(({ id, state }) => [id, state]),
    );
  }

  for (const [name, view] of Object.entries(VIEWS)) {
    it(`[utest->req~dash.page~1] ${name}: nothing is too wide, cut off or pale, and it looks as it did`, async () => {
      const display = new SyntheticDisplay(640, 384);
      display.paint();
      await look(busy(display), view);
      await page.until('document.querySelector("canvas[data-display]").dataset.pictures > 0');
      const widths = await page.value('[document.documentElement.scrollWidth, innerWidth]');
      assert.deepEqual(widths, [view.width, view.width]);
      for (const probe of [TOO_WIDE, CUT_OFF, LOW_CONTRAST])
        assert.deepEqual(await page.value(probe), [], `${name}: ${probe.slice(0, 40)}`);
      await page.value(HIDE_LETTERS);
      await page.value('new Promise((resolve) => setTimeout(resolve, 700))');
      compare(name, await page.screenshot(true));
      assert.deepEqual(page.complaints, []);
    });
  }

  /** With UPDATE_SCREENSHOTS=1 what is seen becomes the reference. */
  function compare(name: string, screenshot: Buffer): void {
    const file = repositoryPath(`test/system/golden/dashboard-${name}.png`);
    const seen = cellsOf(screenshot);
    if (process.env['UPDATE_SCREENSHOTS'] === '1') writeFileSync(file, PNG.sync.write(seen));
    assert.ok(existsSync(file), `no ${file}: run with UPDATE_SCREENSHOTS=1`);
    const share = difference(seen, PNG.sync.read(readFileSync(file)));
    if (share > DIFFERENCE_MAX)
      writeFileSync(repositoryPath(`build/dashboard-${name}.png`), screenshot);
    assert.ok(
      share <= DIFFERENCE_MAX,
      `${name}: ${(100 * share).toFixed(1)} % of the picture differ; see build/dashboard-${name}.png`,
    );
  }

  it('[utest->req~dash.page~1] on a screen of 320 pixels nothing is too wide', async () => {
    await look(busy(), { width: 320, height: 700, mobile: true });
    assert.equal(await page.value('document.documentElement.scrollWidth'), 320);
    assert.deepEqual(await page.value(TOO_WIDE), []);
  });

  it('[utest->req~dash.page~1] the schedule shows each visit where it was, late ones and late ends marked', async () => {
    const watched = busy();
    watched.rig.time.nowNs += 1_000_000;
    watched.rig.frames(1);
    await look(watched);
    const visits = watched.windowTrace.since(0, 100).slice(-6);
    const bars = await page.value<{ sequence: number; state: string; x: number; width: number }[]>(
      `[...document.querySelectorAll('#gantt .visit')].map((visit) => ({
        sequence: Number(visit.dataset.sequence),
        state: visit.dataset.state,
        x: visit.querySelector('.actual').getBoundingClientRect().left,
        width: visit.querySelector('.actual').getBoundingClientRect().width,
      }))`,
    );
    assert.deepEqual(
      bars.map(({ sequence }) => sequence),
      visits.map(({ sequence }) => sequence),
    );
    const [line] = await page.value<number[]>(
      '[...document.querySelectorAll("#gantt .frame-line")].map((line) => line.getBoundingClientRect().left)',
    );
    const column = await page.value<number>(
      '(document.querySelector("#gantt").clientWidth - 104) / 2',
    );
    const frameNs = watched.plan.majorFrameNs;
    const first = visits[0]!;
    const startNs = first.plannedNs - watched.plan.windows[first.window]!.offsetNs;
    visits.forEach(({ startedNs }, n) => {
      const expected = line! + (column * (startedNs - startNs)) / frameNs;
      assert.ok(
        Math.abs(bars[n]!.x - expected) < 1.5,
        `visit ${n}: ${bars[n]!.x}, not ${expected}`,
      );
    });
    const late = visits.map(
      (visit) => visit.startedNs - visit.plannedNs > watched.plan.windowSwitchNs,
    );
    assert.ok(late.includes(true));
    assert.deepEqual(
      bars.map(({ state }) => state === 'late'),
      late,
    );
  });

  it('[utest->req~dash.page~1] with a keyboard: everything is reached, a window is chosen and held, and let go', async () => {
    await look(busy());
    const reached: string[] = [];
    for (let n = 0; n < 12; n++) {
      await page.press('Tab');
      reached.push(
        await page.value('document.activeElement.id || document.activeElement.className'),
      );
    }
    for (const id of [
      'skip',
      'theme',
      'frames',
      'hold',
      'gantt',
      'flow',
      'event-list',
      'only-faults',
    ])
      assert.ok(reached.includes(id), `${id} is not in ${reached.join()}`);
    await page.value('document.querySelector("#gantt").focus()');
    await page.press('ArrowLeft');
    await page.press('ArrowLeft');
    await page.press('ArrowRight');
    const detail = 'document.querySelector("#visit").textContent';
    assert.match(await page.value(detail), /^control \(gateway\), visit 8: planned /);
    const held = 'document.querySelector("#hold").ariaPressed';
    assert.equal(await page.value(held), 'true');
    assert.equal(await page.value('document.querySelectorAll("[data-selected]").length'), 1);
    await page.press('Tab');
    await page.value('document.querySelector("#gantt").focus()');
    await page.press('Escape');
    assert.equal(await page.value(held), 'false');
    await page.value(
      'document.querySelector("#gantt .visit .actual").dispatchEvent(new MouseEvent("click", { bubbles: true }))',
    );
    assert.match(await page.value(detail), /^w-a \(a\), visit 3: /);
  });

  it('[utest->req~dash.page~1] the theme is the choice of the system, or of the user, and stays chosen', async () => {
    await look(busy(), { ...DESK, scheme: 'dark' });
    const background = () => page.value<string>('getComputedStyle(document.body).backgroundColor');
    const dark = await background();
    const press = () => page.value('document.querySelector("#theme").click()');
    await press();
    const light = await background();
    assert.notEqual(light, dark);
    await page.go(dashboard!.url);
    await page.until(LIVE);
    assert.equal(await background(), light);
    assert.equal(await page.value('document.querySelector("#theme").textContent'), 'Theme: light');
    await press();
    assert.equal(await background(), dark);
    await press();
    await page.show({ ...DESK, scheme: 'light' });
    assert.equal(await background(), light);
  });

  it('[utest->req~dash.page~1] what happens is listed, and faults are spoken; the safe state is an alert', async () => {
    const watched = busy();
    await look(watched);
    const reaction = { action: 'isolate', log: true } as const;
    for (let n = 0; n < 3; n++)
      watched.faults.next({
        partition: 0,
        queue: 1,
        code: Fault.DescriptorLoop,
        detail: '',
        reaction,
      });
    watched.transitions.next({ partition: 0, from: 'normal', to: 'isolated', cause: 'isolate' });
    await page.until('document.querySelectorAll("#event-list li").length === 2');
    const [newest, fault] = await page.value<string[][]>(
      `[...document.querySelectorAll('#event-list li')].map((entry) =>
        [entry.dataset.kind, entry.querySelector('.what').textContent, entry.dataset.count])`,
    );
    assert.deepEqual(newest, ['mode', 'a normal to isolated (isolate)', '1']);
    assert.deepEqual([fault![0], fault![2]], ['fault', '3']);
    await page.until('/descriptor-loop/.test(document.querySelector("#announcement").textContent)');
    await page.value('document.querySelector("#only-faults").click()');
    const shown =
      '[...document.querySelectorAll("#event-list li")].filter((e) => e.checkVisibility()).length';
    assert.equal(await page.value(shown), 1);
    const numbers = watched.numbers();
    watched.numbers = () => ({ ...numbers, safeState: 'because' });
    await page.until('document.querySelector("#alarm").textContent === "Safe state: because"');
    assert.equal(await page.value('document.querySelector("#alarm").role'), 'alert');
  });

  it('[utest->req~dash.page~1] everything that can be used has a name', async () => {
    await look(busy(new SyntheticDisplay(64, 64)));
    const used = [
      'button',
      'combobox',
      'checkbox',
      'application',
      'table',
      'img',
      'image',
      'region',
      'list',
      'alert',
    ];
    const nodes = await page.accessible();
    for (const role of ['button', 'combobox', 'checkbox', 'application', 'table'])
      assert.ok(
        nodes.some((node) => node.role === role),
        `no ${role}`,
      );
    const nameless = nodes.filter(
      ({ role, name }) => used.includes(role) && name === '' && role !== 'list' && role !== 'alert',
    );
    assert.deepEqual(nameless, []);
  });

  it('[utest->req~dash.page~1] who wants less motion gets none', async () => {
    const duration = 'getComputedStyle(document.querySelector("#theme")).transitionDuration';
    await look(busy(), { ...DESK, motion: 'reduce' });
    assert.equal(await page.value(duration), '0s');
  });

  it('[utest->req~dash.display~1] the canvas has the pixels of the display, and follows them', async () => {
    const display = new SyntheticDisplay(200, 130);
    display.paint();
    await look(busy(display));
    const pixels = async () => {
      const text = await page.value<string>(
        `(() => {
          const canvas = document.querySelector('canvas[data-display]');
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(''));
        })()`,
      );
      return Buffer.from(text, 'base64');
    };
    const drawn = (count: number) =>
      page.until(`document.querySelector("canvas[data-display]").dataset.pictures >= ${count}`);
    await drawn(1);
    assert.ok((await pixels()).equals(Buffer.from(display.rgba())));
    for (let n = 1; n <= 3; n++) {
      display.paint(17 * n);
      await drawn(1 + n);
    }
    display.set(199, 129, 0x12_34_56);
    await drawn(5);
    assert.ok((await pixels()).equals(Buffer.from(display.rgba())));
  });

  it('[utest->req~dash.page~1] when the run ends the page says so, keeps the last numbers, and can try again', async () => {
    const watched = busy();
    await look(watched);
    await dashboard!.close();
    await page.until(ENDED);
    assert.equal(
      await page.value('document.querySelector("#connection").textContent'),
      'Run ended',
    );
    const head = await page.value<Record<string, number>>(figuresOf('figures'));
    assert.equal(head['Major frames'], 3);
    assert.deepEqual(page.complaints, []);
    await page.value('document.querySelector("#reconnect").click()');
    await page.until('document.querySelector("#connection").dataset.state === "lost"');
  });

  it('[utest->req~dash.page~1] the tests above have run what the page consists of', () => {
    const own = [...ran.values()].filter(
      ({ script, name }) => name !== '' && script.endsWith('.js') && script !== '/uplot.js',
    );
    const scripts = new Set(own.map(({ script }) => script));
    assert.ok(scripts.size >= 15, [...scripts].join());
    const idle = own.filter((each) => !each.ran);
    const share = 1 - idle.length / own.length;
    assert.ok(
      share >= FUNCTIONS_MIN,
      `${(100 * share).toFixed(1)} %; not run: ${idle.map(({ script, name }) => `${script} ${name}`).join(', ')}`,
    );
  });
});
