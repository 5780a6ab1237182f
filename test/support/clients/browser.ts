/** A headless Chromium, driven by the DevTools protocol over a WebSocket. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { WebSocket } from 'ws';
import { ClientProcess } from '../../../src/cli/clients/client-process.ts';

const START_MS = 30_000;
const ANSWER_MS = 20_000;
const POLL_MS = 50;

/** No sandbox for root, who may not have one; no network but the loopback; nothing on the side. */
const WORDS = [
  '--headless=new',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-extensions',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--hide-scrollbars',
  '--force-color-profile=srgb',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
  '--remote-debugging-port=0',
];

type Json = Readonly<Record<string, unknown>>;
interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Json;
  readonly sessionId?: string;
  readonly result?: Json;
  readonly error?: { readonly message: string };
}

/** One connection to the browser; sessions are told apart by their names. */
class Protocol {
  private readonly socket: WebSocket;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private readonly listeners = new Map<string, (method: string, params: Json) => void>();
  private next = 1;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      const answer = JSON.parse((data as Buffer).toString('utf8')) as Answer;
      if (answer.id !== undefined) this.waiting.get(answer.id)?.(answer);
      else if (answer.sessionId)
        this.listeners.get(answer.sessionId)?.(answer.method!, answer.params!);
    });
  }

  static async connect(url: string): Promise<Protocol> {
    const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 2 ** 28 });
    await once(socket, 'open');
    return new Protocol(socket);
  }

  on(sessionId: string, listener: (method: string, params: Json) => void): void {
    this.listeners.set(sessionId, listener);
  }

  async call(method: string, params: Json = {}, sessionId?: string): Promise<Json> {
    const id = this.next++;
    const answered = new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), ANSWER_MS);
      this.waiting.set(id, (answer) => {
        clearTimeout(timer);
        this.waiting.delete(id);
        resolve(answer);
      });
    });
    this.socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    const { error, result } = await answered;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result!;
  }

  close(): void {
    this.socket.close();
  }
}

export interface Viewport {
  readonly width: number;
  readonly height: number;
  readonly mobile?: boolean;
  readonly scheme?: 'light' | 'dark';
  readonly motion?: 'reduce' | 'no-preference';
}

export interface RunFunction {
  readonly script: string;
  readonly name: string;
  /** Where it begins in its script. */
  readonly at: number;
  readonly ran: boolean;
}

interface FunctionRange {
  readonly startOffset: number;
  readonly count: number;
}

/** What a page has complained about, in the console, by an exception, or by a refused load. */
export class Page {
  readonly complaints: string[] = [];
  private readonly protocol: Protocol;
  private readonly session: string;
  private readonly target: string;

  constructor(protocol: Protocol, session: string, target: string) {
    this.protocol = protocol;
    this.session = session;
    this.target = target;
    protocol.on(session, (method, params) => this.heard(method, params));
  }

  private heard(method: string, params: Json): void {
    if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(params));
    if (
      method === 'Runtime.consoleAPICalled' &&
      ['error', 'warning'].includes(String(params['type']))
    )
      this.complaints.push(JSON.stringify(params['args']));
    const entry = params['entry'] as Json | undefined;
    if (method === 'Log.entryAdded' && ['error', 'warning'].includes(String(entry?.['level'])))
      this.complaints.push(`${String(entry?.['text'])} ${String(entry?.['url'])}`);
  }

  call(method: string, params: Json = {}): Promise<Json> {
    return this.protocol.call(method, params, this.session);
  }

  async begin(): Promise<void> {
    for (const domain of ['Page', 'Runtime', 'Log', 'Accessibility', 'Profiler'])
      await this.call(`${domain}.enable`);
    await this.call('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  }

  /** Functions of the present document's scripts, and whether they have run. */
  async functions(): Promise<RunFunction[]> {
    const { result } = (await this.call('Profiler.takePreciseCoverage')) as unknown as {
      result: { url: string; functions: { functionName: string; ranges: FunctionRange[] }[] }[];
    };
    return result.flatMap(({ url, functions }) =>
      functions.map(({ functionName: name, ranges: [range] }) => ({
        script: new URL(url || 'about:blank').pathname,
        name,
        at: range!.startOffset,
        ran: range!.count > 0,
      })),
    );
  }

  /** Names and roles of what assistive technology is given. */
  async accessible(): Promise<{ role: string; name: string }[]> {
    const { nodes } = (await this.call('Accessibility.getFullAXTree')) as unknown as {
      nodes: { ignored: boolean; role?: { value: string }; name?: { value: string } }[];
    };
    return nodes
      .filter(({ ignored }) => !ignored)
      .map(({ role, name }) => ({ role: role?.value ?? '', name: name?.value ?? '' }));
  }

  async show({
    width,
    height,
    mobile = false,
    scheme = 'light',
    motion = 'no-preference',
  }: Viewport): Promise<void> {
    await this.call('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      mobile,
      deviceScaleFactor: 1,
    });
    const features = [
      { name: 'prefers-color-scheme', value: scheme },
      { name: 'prefers-reduced-motion', value: motion },
    ];
    await this.call('Emulation.setEmulatedMedia', { features });
  }

  async go(url: string): Promise<void> {
    await this.call('Page.navigate', { url });
    await this.until('document.readyState === "complete"');
  }

  /** The value of an expression in the page, by JSON. */
  async value<Value>(expression: string): Promise<Value> {
    const { result, exceptionDetails } = (await this.call('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })) as { result: { value: Value }; exceptionDetails?: Json };
    assert.equal(exceptionDetails, undefined, `${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  }

  async until(expression: string, patienceMs = ANSWER_MS): Promise<void> {
    const end = performance.now() + patienceMs;
    while (!(await this.value<boolean>(`Boolean(${expression})`))) {
      if (performance.now() > end) assert.fail(`not within ${patienceMs} ms: ${expression}`);
      await new Promise((resolve) => {
        setTimeout(resolve, POLL_MS);
      });
    }
  }

  async press(key: string): Promise<void> {
    const event = { key, code: key, windowsVirtualKeyCode: VIRTUAL_KEYS[key] ?? 0 };
    await this.call('Input.dispatchKeyEvent', { type: 'keyDown', ...event });
    await this.call('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
  }

  async close(): Promise<void> {
    await this.protocol.call('Target.closeTarget', { targetId: this.target });
  }

  /** A PNG of what is visible, or of the whole page. */
  async screenshot(whole = false): Promise<Buffer> {
    const { data } = await this.call('Page.captureScreenshot', { captureBeyondViewport: whole });
    return Buffer.from(String(data), 'base64');
  }
}

const VIRTUAL_KEYS: Readonly<Record<string, number>> = {
  Tab: 9,
  Enter: 13,
  Escape: 27,
  ' ': 32,
  ArrowLeft: 37,
  ArrowRight: 39,
};

export class Browser {
  private readonly process: ClientProcess;
  private readonly protocol: Protocol;

  private constructor(process: ClientProcess, protocol: Protocol) {
    this.process = process;
    this.protocol = protocol;
  }

  static async start(): Promise<Browser> {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'gateway-browser-'));
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const words = [...WORDS, ...sandbox, `--user-data-dir=${directory}`, 'about:blank'];
    const chromium = new ClientProcess('chromium', 'chromium', words, { directory });
    const [, url] = await chromium.waitFor(/DevTools listening on (ws:\S+)/, START_MS);
    return new Browser(chromium, await Protocol.connect(url!));
  }

  async page(): Promise<Page> {
    const { targetId } = await this.protocol.call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.protocol.call('Target.attachToTarget', {
      targetId,
      flatten: true,
    });
    const page = new Page(this.protocol, String(sessionId), String(targetId));
    await page.begin();
    return page;
  }

  async close(): Promise<void> {
    this.protocol.close();
    await this.process.kill();
  }
}
