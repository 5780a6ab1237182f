/** Rules about the reaction table. */
import { FAULT_NAMES } from '../../../base/fault.ts';
import type { GatewayConfig } from '../../../schedule/gateway-config.ts';
import { didYouMean, type Finding } from '../validator.ts';
import { at, type Rule } from './rule.ts';

function* faultsKnown(config: GatewayConfig): Iterable<Finding> {
  const names = FAULT_NAMES.filter((name) => name !== 'none');
  for (const [n, { fault }] of config.health.reactions.entries()) {
    if (fault === '*' || (names as readonly string[]).includes(fault)) continue;
    yield at(
      ['health', 'reactions', n, 'fault'],
      `there is no fault "${fault}".${didYouMean(fault, names)}`,
    );
  }
}

function* partitionsKnown(config: GatewayConfig): Iterable<Finding> {
  const ids = config.partitions.map((partition) => partition.id);
  for (const [n, { partition }] of config.health.reactions.entries()) {
    if (partition === '*' || ids.includes(partition)) continue;
    yield at(
      ['health', 'reactions', n, 'partition'],
      `there is no partition "${partition}".${didYouMean(partition, ids)}`,
    );
  }
}

export const HEALTH_RULES: readonly Rule[] = [
  { name: 'reaction-fault-unknown', check: faultsKnown },
  { name: 'reaction-partition-unknown', check: partitionsKnown },
];
