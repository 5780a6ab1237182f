/** Viewers of a dashboard that come and go on command, each a process of its own. */
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { builtPath } from '../../host/files.ts';
import { ClientProcess } from '../clients/client-process.ts';

export interface SwitchedViewer {
  /** Begins to look, or ends looking. */
  look(on: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Reads everything and draws nothing. */
export class Reader implements SwitchedViewer {
  private readonly process: ClientProcess;

  constructor(url: string) {
    const words = [builtPath('cli/bench/dashboard-reader.js'), url];
    this.process = new ClientProcess('reader', process.execPath, words);
  }

  look(on: boolean): Promise<void> {
    this.process.write(on ? 'on\n' : 'off\n');
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.process.kill();
  }
}

/** A headless Chromium that draws the page. */
export class Browser implements SwitchedViewer {
  private readonly url: string;
  private process: ClientProcess | undefined;

  constructor(url: string) {
    this.url = url;
  }

  async look(on: boolean): Promise<void> {
    await this.process?.kill();
    this.process = undefined;
    if (!on) return;
    const directory = mkdtempSync(path.join(os.tmpdir(), 'gateway-bench-'));
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const words = ['--headless=new', '--disable-gpu', '--no-first-run', '--window-size=1280,800'];
    const own = [...words, ...sandbox, `--user-data-dir=${directory}`, this.url];
    this.process = new ClientProcess('chromium', 'chromium', own, { directory });
  }

  close(): Promise<void> {
    return this.look(false);
  }
}
