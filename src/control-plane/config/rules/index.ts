/** All semantic rules, in the order in which a reader meets their subjects in a configuration. */
import { DISPLAY_RULES } from './display-rules.ts';
import { GUEST_RULES } from './guest-rules.ts';
import { HEALTH_RULES } from './health-rules.ts';
import { NETWORK_RULES } from './network-rules.ts';
import { PARTITION_RULES } from './partition-rules.ts';
import { PROGRAM_RULES } from './program-rules.ts';
import { QUOTA_RULES } from './quota-rules.ts';
import { REGION_RULES } from './region-rules.ts';
import type { Rule } from './rule.ts';
import { SCHEDULE_RULES } from './schedule-rules.ts';

export const RULES: readonly Rule[] = [
  ...PARTITION_RULES,
  ...GUEST_RULES,
  ...PROGRAM_RULES,
  ...NETWORK_RULES,
  ...DISPLAY_RULES,
  ...REGION_RULES,
  ...SCHEDULE_RULES,
  ...QUOTA_RULES,
  ...HEALTH_RULES,
];
