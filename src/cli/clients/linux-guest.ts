/** A Linux that runs commands: what guests have in common, whatever machine they are in. */
import { randomBytes } from 'node:crypto';
import type { ClientProcess } from './client-process.ts';
import { GuestShell, type BackgroundCommand, type CommandResult } from './guest-shell.ts';

/** What a guest puts before its own lines, so that no output of a command can be taken for them. */
export function newMarker(): string {
  return `guest-${randomBytes(6).toString('hex')}`;
}

export class LinuxGuest {
  readonly process: ClientProcess;
  protected readonly shell: GuestShell;

  constructor(process: ClientProcess, marker: string) {
    this.process = process;
    this.shell = new GuestShell(process, marker);
  }

  get name(): string {
    return this.process.name;
  }

  /** Resolves when the guest's shell listens; a guest that does not get there is ended. */
  async booted(): Promise<this> {
    try {
      await this.shell.ready();
      return this;
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  run(command: string, timeoutMs?: number): Promise<CommandResult> {
    return this.shell.run(command, timeoutMs);
  }

  /** What it prints. @throws Error when its status is not 0 */
  succeed(command: string, timeoutMs?: number): Promise<string> {
    return this.shell.succeed(command, timeoutMs);
  }

  background(command: string): Promise<BackgroundCommand> {
    return this.shell.start(command);
  }

  waitFor(text: string | RegExp, timeoutMs?: number): Promise<RegExpExecArray> {
    return this.process.waitFor(text, timeoutMs);
  }

  /** The guest powers itself off; resolves with the exit code of its process. */
  async powerOff(): Promise<number | null> {
    this.process.write('0 poweroff -f\n');
    return this.process.exited;
  }

  async kill(): Promise<void> {
    await this.process.kill();
  }
}
