/** The gateway's command line as a user starts it: a process of its own, with a limit on its time. */
import { strict as assert } from 'node:assert';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repositoryPath } from './judged.ts';

const MAIN = repositoryPath('build/src/main.js');
const TIMEOUT_MS = 15_000;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; wherever `--debug` is not asked for, a stack trace is a failure. */
export function gateway(
  words: readonly string[],
  timeoutMs = TIMEOUT_MS,
  env: Readonly<Record<string, string>> = {},
): Outcome {
  const {
    status: code,
    stdout,
    stderr,
    error,
  } = spawnSync(process.execPath, [MAIN, ...words], {
    encoding: 'utf8',
    timeout: timeoutMs,
    maxBuffer: 64 * 1024 * 1024,
    cwd: repositoryPath(),
    env: { ...process.env, ...env },
  });
  assert.equal(error?.message, undefined, words.join(' '));
  if (!words.includes('--debug'))
    assert.doesNotMatch(stderr + stdout, /^\s+at .*[:(]/m, 'a stack trace');
  return { code, stdout, stderr };
}

/** Starts a command that goes on until it is told to end. */
export function startGateway(words: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: repositoryPath(),
  });
}

/** A directory for the files of one test. */
export class TestDirectory {
  readonly path = mkdtempSync(path.join(os.tmpdir(), 'gateway-cli-'));

  file(name: string): string {
    return path.join(this.path, name);
  }

  write(name: string, content: string): string {
    writeFileSync(this.file(name), content);
    return this.file(name);
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}
