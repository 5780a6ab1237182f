/** What a host grants: each item judged by what a host shows, and this host asked for real. */
import { strict as assert } from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sinon from 'sinon';
import { clientGrants, hostGrants, type HostGrant } from '../../../src/host/host-grants.ts';
import { allowedCpus, cpuList, sessionNice, thisHost } from '../../../src/host/host-view.ts';
import { hostDouble, type HostDouble } from '../../support/host-double.ts';

const SYSTEM = '/sys/devices/system';

function found(item: string, double: HostDouble): Pick<HostGrant, 'granted' | 'detail'> {
  const { granted, detail } = hostGrants(hostDouble(double)).find((grant) => grant.item === item)!;
  return { granted, detail };
}

const status = (cpus: string, capabilities = '0'): Record<string, string> => ({
  '/proc/self/status': `Name:\tnode\nCapEff:\t${capabilities}\nCpus_allowed_list:\t${cpus}\nx:\ty`,
});

interface Case {
  readonly item: string;
  readonly when: string;
  readonly double: HostDouble;
  readonly granted: boolean;
  readonly detail: string;
}

const CASES: readonly Case[] = [
  {
    item: 'wake-ups in time',
    when: 'sleepers are rarely later than what is spun away',
    double: { latenessNs: [27_000, 100_000] },
    granted: true,
    detail: '27 µs late, one in fifty 100 µs or more',
  },
  {
    item: 'wake-ups in time',
    when: 'they often are',
    double: { latenessNs: [90_000, 2_100_400] },
    granted: false,
    detail: '90 µs late, one in fifty 2100 µs or more',
  },
  {
    item: 'processors',
    when: 'there are three',
    double: { files: status('0-1,5') },
    granted: true,
    detail: '3 (0, 1, 5)',
  },
  {
    item: 'processors',
    when: 'there is one',
    double: { files: status('3') },
    granted: false,
    detail: '1 (3)',
  },
  {
    item: 'isolated processors',
    when: 'the kernel has some',
    double: { files: { [`${SYSTEM}/cpu/isolated`]: '2-3' } },
    granted: true,
    detail: '2, 3',
  },
  {
    item: 'isolated processors',
    when: 'the kernel has none',
    double: { files: { [`${SYSTEM}/cpu/isolated`]: '' } },
    granted: false,
    detail: 'none: other programs run on every CPU',
  },
  {
    item: 'real-time kernel',
    when: 'the kernel is one',
    double: { files: { '/proc/sys/kernel/version': '#1 SMP PREEMPT_RT Debian' } },
    granted: true,
    detail: '#1 SMP PREEMPT_RT Debian',
  },
  {
    item: 'real-time kernel',
    when: 'the kernel is none',
    double: { files: { '/proc/sys/kernel/version': '#1 SMP PREEMPT_DYNAMIC' } },
    granted: false,
    detail: '#1 SMP PREEMPT_DYNAMIC',
  },
  {
    item: 'no real-time throttling',
    when: 'it is off',
    double: { files: { '/proc/sys/kernel/sched_rt_runtime_us': '-1' } },
    granted: true,
    detail: 'sched_rt_runtime_us = -1',
  },
  {
    item: 'no real-time throttling',
    when: 'it is on',
    double: { files: { '/proc/sys/kernel/sched_rt_runtime_us': '950000' } },
    granted: false,
    detail: 'sched_rt_runtime_us = 950000',
  },
  {
    item: 'SCHED_FIFO',
    when: 'a trial succeeds',
    double: { fifo: true },
    granted: true,
    detail: 'allowed',
  },
  { item: 'SCHED_FIFO', when: 'a trial fails', double: {}, granted: false, detail: 'refused' },
  {
    item: 'nice -20',
    when: 'a trial succeeds',
    double: { nice: true },
    granted: true,
    detail: 'allowed',
  },
  { item: 'nice -20', when: 'a trial fails', double: {}, granted: false, detail: 'refused' },
  {
    item: 'priority across sessions',
    when: 'sessions are grouped',
    double: {
      files: {
        '/proc/sys/kernel/sched_autogroup_enabled': '1',
        '/proc/self/autogroup': '/autogroup-7 nice 0',
      },
    },
    granted: false,
    detail: 'sessions are grouped, this one has nice 0: a thread’s nice counts only inside it',
  },
  {
    item: 'priority across sessions',
    when: 'the session goes first',
    double: {
      files: {
        '/proc/sys/kernel/sched_autogroup_enabled': '1',
        '/proc/self/autogroup': '/autogroup-7 nice -20',
      },
    },
    granted: true,
    detail: 'sessions are grouped, this one has nice -20: a thread’s nice counts only inside it',
  },
  {
    item: 'priority across sessions',
    when: 'sessions are not grouped',
    double: { files: { '/proc/sys/kernel/sched_autogroup_enabled': '0' } },
    granted: true,
    detail: 'sessions are not grouped',
  },
  {
    item: 'locked memory',
    when: 'the limit is unlimited',
    double: {
      files: { '/proc/self/limits': 'Max locked memory         unlimited  unlimited  bytes' },
    },
    granted: true,
    detail: 'unlimited bytes',
  },
  {
    item: 'locked memory',
    when: 'the limit is small',
    double: { files: { '/proc/self/limits': 'Max locked memory         8388608  8388608  bytes' } },
    granted: false,
    detail: '8388608 bytes',
  },
  {
    item: 'locked memory',
    when: 'a capability lifts the limit',
    double: { files: status('0', '0000000000004000') },
    granted: true,
    detail: 'unlimited, by CAP_IPC_LOCK',
  },
  {
    item: 'constant frequency',
    when: 'every CPU has the governor performance',
    double: {
      files: {
        ...status('0-1'),
        [`${SYSTEM}/cpu/cpu0/cpufreq/scaling_governor`]: 'performance',
        [`${SYSTEM}/cpu/cpu1/cpufreq/scaling_governor`]: 'performance',
      },
    },
    granted: true,
    detail: 'performance',
  },
  {
    item: 'constant frequency',
    when: 'one CPU saves power',
    double: {
      files: {
        ...status('0-1'),
        [`${SYSTEM}/cpu/cpu0/cpufreq/scaling_governor`]: 'performance',
        [`${SYSTEM}/cpu/cpu1/cpufreq/scaling_governor`]: 'powersave',
      },
    },
    granted: false,
    detail: 'performance, powersave',
  },
  {
    item: 'constant frequency',
    when: 'no governor is shown',
    double: { files: status('0-1') },
    granted: true,
    detail: 'no governor to be seen here',
  },
  {
    item: 'no stolen time',
    when: 'a hypervisor takes 5 %; guest time is not counted twice',
    double: { files: { '/proc/stat': 'cpu  50 5 10 20 5 3 2 5 100 100\ncpu0 1 2 3' } },
    granted: false,
    detail: '5.000 % since the machine started',
  },
  {
    item: 'no stolen time',
    when: 'next to nothing is taken',
    double: { files: { '/proc/stat': 'cpu  50000 0 0 49999 0 0 0 1 0 0' } },
    granted: true,
    detail: '0.001 % since the machine started',
  },
  {
    item: 'no stolen time',
    when: 'nothing is known',
    double: {},
    granted: true,
    detail: '0.000 % since the machine started',
  },
  {
    item: 'fast clock',
    when: 'it is the processor’s',
    double: { files: { [`${SYSTEM}/clocksource/clocksource0/current_clocksource`]: 'tsc' } },
    granted: true,
    detail: 'tsc',
  },
  {
    item: 'fast clock',
    when: 'it is a device',
    double: { files: { [`${SYSTEM}/clocksource/clocksource0/current_clocksource`]: 'hpet' } },
    granted: false,
    detail: 'hpet',
  },
  {
    item: 'sealed memory files',
    when: 'a trial succeeds',
    double: { seals: true },
    granted: true,
    detail: 'supported',
  },
  {
    item: 'kernel AIO',
    when: 'it adds to an eventfd',
    double: { eventSignals: true },
    granted: true,
    detail: 'notifications never wait',
  },
  {
    item: 'kernel AIO',
    when: 'it does not',
    double: { eventSignals: false },
    granted: false,
    detail: 'refused: notifications wait for full eventfds',
  },
];

describe('host grants', () => {
  afterEach(() => {
    sinon.restore();
  });

  for (const { item, when, double, granted, detail } of CASES) {
    it(`[utest->req~host.grants~1] ${item} is ${granted ? '' : 'not '}granted when ${when}`, () => {
      assert.deepEqual(found(item, double), { granted, detail });
    });
  }

  it('[utest->req~host.grants~1] a host that shows nothing grants nothing that needs a proof', () => {
    const grants = hostGrants(hostDouble());
    assert.deepEqual(
      grants.filter(({ granted }) => granted).map(({ item }) => item),
      ['priority across sessions', 'constant frequency', 'no stolen time', 'fast clock'],
    );
    assert.ok(grants.every(({ fix, detail }) => fix !== '' && detail !== ''));
  });

  it('[utest->req~host.grants~1] clients are looked for on PATH', () => {
    const grants = clientGrants(hostDouble({ programs: ['linux.uml'] }));
    assert.deepEqual(
      grants.map(({ item, granted, detail }) => [item, granted, detail]),
      [
        ['client qemu-system-x86_64', false, 'not on PATH'],
        ['client linux.uml', true, '/bin/linux.uml'],
        ['client dpdk-testpmd', false, 'not on PATH'],
      ],
    );
  });

  it('[utest->req~host.grants~1] lists of CPUs are read as the kernel writes them', () => {
    assert.deepEqual(cpuList('0-2,5,7-8\n'), [0, 1, 2, 5, 7, 8]);
    assert.deepEqual(cpuList('3'), [3]);
    assert.deepEqual(cpuList(''), []);
    assert.deepEqual(cpuList(undefined), []);
  });

  it('[utest->req~host.grants~1] a session without a group has no nice', () => {
    const files = { '/proc/sys/kernel/sched_autogroup_enabled': '1' };
    assert.equal(sessionNice(hostDouble({ files })), undefined);
  });
});

describe('this host', () => {
  it('[utest->req~host.grants~1] is asked without a trace left', () => {
    const slack = () => fs.readFileSync('/proc/self/timerslack_ns', 'utf8');
    const descriptors = () => fs.readdirSync('/proc/self/fd').length;
    const facts = () => [os.getPriority(), descriptors(), policy(), slack()];
    const before = facts();
    assert.equal(hostGrants().length, 14);
    assert.deepEqual(facts(), before);
  });

  it('[utest->req~host.grants~1] shows at least one CPU, its seals, and its kernel AIO', () => {
    assert.ok(allowedCpus(thisHost).length >= 1);
    assert.equal(thisHost.grantsSeals(), true);
    assert.equal(thisHost.grantsEventSignals(), true);
    const { usualNs, rareNs } = thisHost.wakeUpLateness();
    assert.ok(0 < usualNs && usualNs <= rareNs);
    assert.equal(thisHost.read('/nowhere'), undefined);
  });

  it('[utest->req~host.grants~1] finds programs as a shell does', () => {
    assert.equal(path.basename(thisHost.find('sh')!), 'sh');
    assert.equal(thisHost.find('no-such-program'), undefined);
    const { PATH } = process.env;
    try {
      delete process.env['PATH'];
      assert.equal(thisHost.find('sh'), undefined);
    } finally {
      process.env['PATH'] = PATH;
    }
  });

  if (process.getuid?.() === 0) {
    it('[utest->req~host.grants~1] grants priority to root', () => {
      assert.equal(thisHost.grantsNice(), true);
    });
  }
});

/** Scheduling policy of this thread, field 41 of its stat. */
function policy(): string {
  return fs.readFileSync('/proc/thread-self/stat', 'utf8').split(') ')[1]!.split(' ')[38]!;
}
