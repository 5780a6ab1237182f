/** Program of a test: a thread begins and ends real-time mode, and says what came of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { cpuList, type HostView, sessionNice, thisHost } from '../../src/host/host-view.ts';
import { RealtimeMode } from '../../src/host/realtime.ts';

export interface RealtimeWish {
  /** Files that are to say something else than they do. */
  readonly files: Readonly<Record<string, string>>;
}

export interface RealtimeSeen {
  readonly sentences: readonly string[];
  /** CPUs of the thread, and of each other one. */
  readonly own: readonly number[];
  readonly others: readonly (readonly number[])[];
  readonly policy: number;
  readonly lockedKib: number;
  /** Before, during and after. */
  readonly sessionNice: readonly (number | undefined)[];
}

const PAGE = 65536;

function cpusOf(directory: string): number[] {
  const status = readFileSync(`${directory}/status`, 'utf8');
  return cpuList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)![1]);
}

function look({ files }: RealtimeWish): RealtimeSeen {
  const host: HostView = { ...thisHost, read: (file) => files[file] ?? thisHost.read(file) };
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
  const before = sessionNice(thisHost);
  const mode = new RealtimeMode(host);
  mode.begin(memory, [
    { at: 0, bytes: PAGE },
    { at: 2 * PAGE, bytes: PAGE },
  ]);
  const during = sessionNice(thisHost);
  const stat = readFileSync('/proc/thread-self/stat', 'utf8');
  const own = Number(stat.split(' ')[0]);
  const threads = readdirSync('/proc/self/task').filter((thread) => Number(thread) !== own);
  const locked = /^VmLck:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1];
  mode.end();
  return {
    sentences: mode.sentences,
    own: cpusOf('/proc/thread-self'),
    others: threads.map((thread) => cpusOf(`/proc/self/task/${thread}`)),
    // Field 41 of the stat.
    policy: Number(stat.split(') ')[1]!.split(' ')[38]),
    lockedKib: Number(locked),
    sessionNice: [before, during, sessionNice(thisHost)],
  };
}

if (isMainThread) {
  const worker = new Worker(__filename, { workerData: JSON.parse(process.argv[2]!) as unknown });
  worker.on('message', (seen) => console.log(JSON.stringify(seen)));
} else parentPort!.postMessage(look(workerData as RealtimeWish));
