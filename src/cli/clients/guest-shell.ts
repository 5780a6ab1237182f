/**
 * The shell of a guest on its serial console: commands go in, output and exit status come back.
 */
import { assert } from '../../base/assert.ts';
import type { ClientProcess } from './client-process.ts';

const BOOT_MS = 60_000;
const COMMAND_MS = 30_000;

export interface CommandResult {
  readonly status: number;
  readonly output: string;
}

/** A command that goes on in the guest while others run. */
export interface BackgroundCommand {
  result(timeoutMs?: number): Promise<CommandResult>;
}

export class GuestShell {
  /** What the guest puts before its own lines: no output of a command can be taken for them. */
  readonly marker: string;
  private readonly client: ClientProcess;
  private last: Promise<unknown> = Promise.resolve();
  private commands = 0;

  constructor(client: ClientProcess, marker: string) {
    this.client = client;
    this.marker = marker;
  }

  /** The kernel is up, its modules are loaded, and the shell listens. */
  async ready(from = 0, timeoutMs = BOOT_MS): Promise<void> {
    await this.client.waitFor(`${this.marker} ready`, timeoutMs, from);
  }

  /** Commands run one after the other; newlines within one are not for a console. */
  async run(command: string, timeoutMs = COMMAND_MS): Promise<CommandResult> {
    assert(!command.includes('\n'), 'a command is one line');
    const turn = this.last.then(() => this.runNow(command, timeoutMs));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  /** What it prints. @throws Error when its status is not 0 */
  async succeed(command: string, timeoutMs = COMMAND_MS): Promise<string> {
    const { status, output } = await this.run(command, timeoutMs);
    if (status !== 0) throw new Error(`${this.client.name}: ${command}: ${output}`);
    return output;
  }

  async start(command: string): Promise<BackgroundCommand> {
    const file = `/tmp/command-${++this.commands}`;
    await this.succeed(
      `( (${command}) >${file} 2>&1; echo $? >${file}.new; mv ${file}.new ${file}.status ) &`,
    );
    return {
      result: async (timeoutMs = COMMAND_MS) => {
        const ended = `until [ -e ${file}.status ]; do usleep 10000; done`;
        const output = await this.succeed(`${ended}; cat ${file}.status ${file}`, timeoutMs);
        const [status, ...lines] = output.split('\n');
        return { status: Number(status), output: lines.join('\n') };
      },
    };
  }

  private async runNow(command: string, timeoutMs: number): Promise<CommandResult> {
    const { client, marker } = this;
    const number = ++this.commands;
    const from = client.position;
    client.write(`${number} ${command}\n`);
    const answer = new RegExp(
      `${marker} begin ${number}\\n([^]*?)\\n${marker} end ${number} (\\d+)\\n`,
    );
    const [, output, status] = await client.waitFor(answer, timeoutMs, from);
    return { status: Number(status), output: output!.replace(/\n$/, '') };
  }
}
