#!/usr/bin/env node
/**
 * The command line: finds the command, and turns every failure into a sentence and an exit code.
 */
import { didYouMean } from './control-plane/config/validator.ts';
import { FileProblem } from './host/files.ts';
import { HostProblem } from './host/host-problem.ts';
import { UsageError } from './cli/arguments.ts';
import { ExitCode } from './cli/exit-code.ts';

type Command = (words: readonly string[]) => number | Promise<number>;

interface Entry {
  readonly usage: string;
  /** Loads the command only when it is asked for: `check` needs no threads and no C library. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  attach: {
    usage: 'attach CONFIG PARTITION --client qemu|libvirt|uml|dpdk',
    load: async () => (await import('./cli/attach.ts')).attach,
  },
  bench: {
    usage: 'bench NAME [--json]',
    load: async () => (await import('./cli/bench.ts')).bench,
  },
  check: {
    usage: 'check CONFIG [--json] [--svg FILE] [--against OTHER] [--dump-pci FILE]',
    load: async () => (await import('./cli/check.ts')).check,
  },
  doctor: {
    usage: 'doctor [--json]',
    load: async () => (await import('./cli/doctor.ts')).doctor,
  },
  explain: {
    usage: 'explain CONFIG FLOW',
    load: async () => (await import('./cli/explain.ts')).explain,
  },
  run: {
    usage:
      'run CONFIG [--duration S] [--json [FILE]] [--screenshot DISPLAY=FILE.png] [--dashboard-port N] [--no-dashboard] [--realtime] [--decode]',
    load: async () => (await import('./cli/run.ts')).run,
  },
  trace: {
    usage:
      'trace [--out DIR] [--fail-on any|QM|A|B|C|D] [--link-base URL] [--generate] [--json]\n' +
      '  virtio-gateway trace diff REV1 REV2 [--out DIR] [--json]\n' +
      '  virtio-gateway trace review ID|all [--by NAME]',
    load: async () => (await import('./cli/trace.ts')).trace,
  },
};

/** VHostUserBackendCapabilities of QEMU's vhost-user.json, which has no features for this type. */
const CAPABILITIES = { type: 'net' };

function usage(): string {
  return [
    'usage:',
    ...Object.values(COMMANDS).map((entry) => `  virtio-gateway ${entry.usage}`),
    '  virtio-gateway --print-capabilities',
    '',
  ].join('\n');
}

// [impl->req~cli.errors~1]
// [impl->req~cli.capabilities~1]
async function main(words: readonly string[]): Promise<number> {
  const [name = '', ...rest] = words;
  // By convention whatever else is asked for is then ignored.
  if (words.includes('--print-capabilities')) {
    console.log(JSON.stringify(CAPABILITIES, null, 2));
    return ExitCode.OK;
  }
  if (name === '--help' || name === 'help') {
    console.log(usage());
    return ExitCode.OK;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!entry)
    throw new UsageError(
      name
        ? `unknown command "${name}".${didYouMean(name, Object.keys(COMMANDS))}`
        : 'a command is missing',
    );
  const command = await entry.load();
  return command(rest);
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.exitCode = [UsageError, FileProblem, HostProblem].some((kind) => error instanceof kind)
      ? ExitCode.USAGE
      : ExitCode.FAILED;
    const text =
      process.argv.includes('--debug') && error instanceof Error
        ? error.stack
        : String(error instanceof Error ? error.message : error);
    process.stderr.write(`virtio-gateway: error: ${text}\n`);
    if (error instanceof UsageError) process.stderr.write(usage());
  },
);
