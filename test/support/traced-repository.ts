/** A small repository on disk for the command `trace`. */
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { treeHash } from '../../src/host/tree-hash.ts';
import { repositoryPath } from './judged.ts';
import { CODE, GOAL, itemText, REQUIREMENT, result, TEST } from './trace-project.ts';

const MAIN = repositoryPath('build/src/main.js');
const TIMEOUT_MS = 15_000;

export class TracedRepository {
  readonly path = mkdtempSync(path.join(os.tmpdir(), 'gateway-trace-'));

  constructor() {
    this.write('safety/items.md', [GOAL, REQUIREMENT].map(itemText).join('\n'));
    this.write('src/stop.ts', CODE);
    this.write('test/stop.test.ts', TEST);
    this.write('.gitignore', 'build/\n');
  }

  write(file: string, text: string): void {
    const full = path.join(this.path, file);
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, text);
  }

  /** Results of its one test, about the sources as they are now. */
  writeResults(outcome: 'passed' | 'failed' = 'passed'): void {
    const { suite, ...test } = result({ result: outcome });
    const counts = { suite, passed: 1, failed: 0, tests: [test] };
    this.write('build/results/covered.json', JSON.stringify(counts));
    this.write('build/results/run.json', JSON.stringify({ tested: treeHash(this.path) }));
  }

  git(...words: string[]): void {
    const who = ['-c', 'user.name=A Tester', '-c', 'user.email=tester@example.org'];
    const { status, stderr } = spawnSync('git', [...who, ...words], {
      cwd: this.path,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  }

  commit(message: string): void {
    this.git('add', '-A');
    this.git('commit', '-q', '-m', message);
  }

  trace(...words: string[]): { code: number | null; stdout: string; stderr: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'trace', ...words], {
      cwd: this.path,
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
    });
    return { code: status, stdout, stderr };
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}
