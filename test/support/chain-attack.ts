/** Runs tables of hostile descriptor chains against every kind of queue, beside an honest pair. */
import { strict as assert } from 'node:assert';
import type { FaultName } from '../../src/base/fault.ts';
import {
  contextOf,
  exposeHonest,
  HOSTILE_FIRST,
  queueOf,
  ringOf,
  TARGETS,
  usedSince,
  type ChainContext,
  type Target,
  type NetQueueRole,
} from './attack-targets.ts';
import { writeTable, type RawDesc } from './hostile-ring.ts';
import { besideNeighbours } from './neighbours.ts';
import type { Rig } from './rig.ts';

export interface ChainAttack {
  readonly catalogue: string;
  readonly title: string;
  /** The fault that names the mistake, for all queues or by the role of the queue; a list allows any of it. */
  readonly fault: FaultName | readonly FaultName[] | Readonly<Record<NetQueueRole, FaultName>>;
  /** Descriptors of the table from {@link HOSTILE_FIRST} on, where the chain begins. */
  readonly chain: (context: ChainContext) => RawDesc[];
  readonly features?: readonly string[];
  readonly requirement?: string;
  readonly roles?: readonly NetQueueRole[];
  /** Changes the surroundings of the attack. */
  readonly prepare?: (rig: Rig) => void;
}

function faultsAllowed({ fault }: ChainAttack, { role }: Target): readonly FaultName[] {
  if (typeof fault === 'string') return [fault];
  return 'transmit' in fault ? [fault[role]] : fault;
}

/** The hostile chain and an honest one behind it: the first goes back with length 0, the second is served. */
function attackWith(target: Target, attack: ChainAttack): void {
  const allowed = faultsAllowed(attack, target);
  let from = 0;
  let honest = 0;
  besideNeighbours({
    ...target.scenario,
    features: [...(target.scenario.features ?? []), ...(attack.features ?? [])],
    attack: (rig) => {
      attack.prepare?.(rig);
      const ring = ringOf(rig, target);
      from = ring.usedIndex;
      writeTable(ring, attack.chain(contextOf(rig, target)), HOSTILE_FIRST);
      ring.expose(HOSTILE_FIRST);
      honest = exposeHonest(rig, target);
    },
    then: (rig) => {
      const [name, ...others] = Object.keys(rig.faults('a')) as FaultName[];
      assert.ok(
        name && allowed.includes(name) && others.length === 0 && rig.faults('a')[name] === 1,
        `${JSON.stringify(rig.faults('a'))} is one fault of ${allowed.join(' or ')}`,
      );
      assert.equal(queueOf(rig, target).ring.started, true, 'the ring goes on');
      assert.deepEqual(usedSince(ringOf(rig, target), from), [
        { id: HOSTILE_FIRST, length: 0 },
        { id: honest, length: target.honestUsed },
      ]);
    },
  });
}

/** One test per attack and queue. */
export function testChainAttacks(attacks: readonly ChainAttack[]): void {
  for (const target of TARGETS) {
    for (const attack of attacks) {
      if (attack.roles && !attack.roles.includes(target.role)) continue;
      it(
        `[utest->req~${attack.requirement ?? 'queue.chain-checked'}~1] ${target.name}: ${attack.title} ` +
          `(catalogue ${attack.catalogue})`,
        () => attackWith(target, attack),
      );
    }
  }
}
