/** `attach`: the exact lines that make a program the guest of a partition. */
import { loadConfig } from '../control-plane/config/load-config.ts';
import { didYouMean } from '../control-plane/config/validator.ts';
import type { GatewayConfig, PartitionConfig } from '../schedule/gateway-config.ts';
import { parseArguments, UsageError, type CommandShape } from './arguments.ts';
import { attachmentOf, type Client } from './attach/attachment.ts';
import { DPDK } from './attach/dpdk.ts';
import { LIBVIRT } from './attach/libvirt.ts';
import { QEMU } from './attach/qemu.ts';
import { UML } from './attach/uml.ts';
import { printProblems } from './check.ts';
import { ExitCode } from './exit-code.ts';

export const ATTACH_SHAPE: CommandShape = {
  positionals: ['CONFIG', 'PARTITION'],
  options: { client: 'value', debug: 'flag' },
};

const CLIENTS: Readonly<Record<string, Client>> = {
  qemu: QEMU,
  libvirt: LIBVIRT,
  uml: UML,
  dpdk: DPDK,
};

function clientOf(name: string | true | undefined): Client {
  const names = Object.keys(CLIENTS);
  if (typeof name !== 'string')
    throw new UsageError(`--client is missing; it is one of ${names.join(', ')}`);
  const client = Object.hasOwn(CLIENTS, name) ? CLIENTS[name] : undefined;
  if (client) return client;
  throw new UsageError(
    `--client is "${name}"; allowed are ${names.join(', ')}.${didYouMean(name, names)}`,
  );
}

function partitionOf({ partitions }: GatewayConfig, id: string): PartitionConfig {
  const partition = partitions.find((candidate) => candidate.id === id);
  if (partition) return partition;
  const ids = partitions.map((candidate) => candidate.id);
  throw new UsageError(`there is no partition "${id}".${didYouMean(id, ids)}`);
}

function refuse(file: string, reasons: readonly string[]): number {
  for (const reason of reasons) process.stderr.write(`${file}: error: ${reason}\n`);
  return ExitCode.USAGE;
}

// [impl->req~cli.attach~1]
export function attach(words: readonly string[]): number {
  const { positionals, options } = parseArguments(words, ATTACH_SHAPE);
  const client = clientOf(options['client']);
  const file = positionals[0]!;
  const { config, problems } = loadConfig(file);
  printProblems(file, problems);
  if (!config) return ExitCode.USAGE;
  const partition = partitionOf(config, positionals[1]!);
  const { id, guest } = partition;
  if (guest.type === 'embedded') {
    return refuse(file, [
      `the guest of "${id}" is embedded, the gateway runs it itself: nothing can be attached; ` +
        'a guest of type "vhost-user" would be right',
    ]);
  }
  const attachment = attachmentOf(partition, guest, process.cwd());
  const reasons = client.refusals(attachment);
  if (reasons.length > 0) return refuse(file, reasons);
  console.log(client.lines(attachment).join('\n'));
  return ExitCode.OK;
}
