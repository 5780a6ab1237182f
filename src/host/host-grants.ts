/** What this host grants a gateway, each with the line that would grant it. */
import { NS_PER_US } from '../base/time.ts';
import {
  allowedCpus,
  type HostView,
  isolatedCpus,
  sessionNice,
  thisHost,
  throttlesRealtime,
} from './host-view.ts';
import { LATENESS_NS_MAX } from './monotonic-clock.ts';

export interface HostGrant {
  readonly item: string;
  readonly granted: boolean;
  /** What was found. */
  readonly detail: string;
  /** What to do about it. */
  readonly fix: string;
}

const STEAL_PERCENT_MAX = 0.1;
const CLIENTS: Readonly<Record<string, string>> = {
  // Debian 12's own loses virtio-net under emulation.
  'qemu-system-x86_64': 'apt-get install -t bookworm-backports qemu-system-x86',
  'linux.uml': 'apt-get install user-mode-linux',
  'dpdk-testpmd': 'apt-get install dpdk-dev librte-net-virtio23 librte-net-vhost23',
};
const SLOW_CLOCKS = ['acpi_pm', 'hpet', 'jiffies', 'refined-jiffies'];

type Check = (host: HostView) => HostGrant;

function processors(host: HostView): HostGrant {
  const cpus = allowedCpus(host);
  return {
    item: 'processors',
    granted: cpus.length >= 2,
    detail: `${cpus.length} (${cpus.join(', ')})`,
    fix: 'give the gateway at least 2 CPUs: one is the data plane’s alone',
  };
}

function isolated(host: HostView): HostGrant {
  const cpus = isolatedCpus(host);
  return {
    item: 'isolated processors',
    granted: cpus.length > 0,
    detail: cpus.join(', ') || 'none: other programs run on every CPU',
    fix: 'boot with isolcpus=N nohz_full=N rcu_nocbs=N',
  };
}

function preemption(host: HostView): HostGrant {
  const version = host.read('/proc/sys/kernel/version') ?? '';
  return {
    item: 'real-time kernel',
    granted: version.includes('PREEMPT_RT'),
    detail: version || 'unknown',
    fix: 'boot a kernel with PREEMPT_RT (Debian: apt-get install linux-image-rt-amd64)',
  };
}

function throttling(host: HostView): HostGrant {
  const runtime = host.read('/proc/sys/kernel/sched_rt_runtime_us') ?? 'unknown';
  return {
    item: 'no real-time throttling',
    granted: !throttlesRealtime(host),
    detail: `sched_rt_runtime_us = ${runtime}`,
    fix: 'sysctl -w kernel.sched_rt_runtime_us=-1 (without it SCHED_FIFO is not used)',
  };
}

function fifo(host: HostView): HostGrant {
  const granted = host.grantsFifo();
  return {
    item: 'SCHED_FIFO',
    granted,
    detail: granted ? 'allowed' : 'refused',
    fix: 'run as root, or with CAP_SYS_NICE, or with LimitRTPRIO=99 in the systemd unit',
  };
}

function nice(host: HostView): HostGrant {
  const granted = host.grantsNice();
  return {
    item: 'nice -20',
    granted,
    detail: granted ? 'allowed' : 'refused',
    fix: 'run as root, or with CAP_SYS_NICE, or with LimitNICE=-20 in the systemd unit',
  };
}

/** Autogroups share the CPUs out by session first, and by nice only inside each. */
function session(host: HostView): HostGrant {
  const nice = sessionNice(host);
  return {
    item: 'priority across sessions',
    granted: nice === undefined || nice === -20,
    detail:
      nice === undefined
        ? 'sessions are not grouped'
        : `sessions are grouped, this one has nice ${nice}: a thread’s nice counts only inside it`,
    fix:
      'sysctl -w kernel.sched_autogroup_enabled=0' +
      ' (`run --realtime` raises its session where it may)',
  };
}

function lockedMemory(host: HostView): HostGrant {
  const limit = /^Max locked memory\s+(\S+)/m.exec(host.read('/proc/self/limits') ?? '')?.[1];
  const status = host.read('/proc/self/status') ?? '';
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  const privileged = (BigInt(`0x${capabilities}`) & CAP_IPC_LOCK) !== 0n;
  return {
    item: 'locked memory',
    granted: privileged || limit === 'unlimited',
    detail: privileged ? 'unlimited, by CAP_IPC_LOCK' : `${limit ?? 'unknown'} bytes`,
    fix: 'ulimit -l unlimited, or LimitMEMLOCK=infinity in the systemd unit',
  };
}

const CAP_IPC_LOCK = 1n << 14n;

function governor(host: HostView): HostGrant {
  const governors = new Set(
    allowedCpus(host).flatMap(
      (cpu) => host.read(`/sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_governor`) ?? [],
    ),
  );
  return {
    item: 'constant frequency',
    granted: [...governors].every((name) => name === 'performance'),
    detail: [...governors].join(', ') || 'no governor to be seen here',
    fix: 'cpupower frequency-set -g performance',
  };
}

/** Time that a hypervisor gave to others since the start of the machine. */
function steal(host: HostView): HostGrant {
  const line = /^cpu +(.*)$/m.exec(host.read('/proc/stat') ?? '')?.[1] ?? '';
  // user, nice, system, idle, iowait, irq, softirq, steal; guest time is part of the first two.
  const ticks = line.split(' ').map(Number).slice(0, 8);
  const all = ticks.reduce((sum, part) => sum + part, 0);
  const percent = all > 0 ? (100 * (ticks[7] ?? 0)) / all : 0;
  return {
    item: 'no stolen time',
    granted: percent < STEAL_PERCENT_MAX,
    detail: `${percent.toFixed(3)} % since the machine started`,
    fix: 'give the virtual machine physical CPUs of its own',
  };
}

function clock(host: HostView): HostGrant {
  const directory = '/sys/devices/system/clocksource/clocksource0';
  const name = host.read(`${directory}/current_clocksource`) ?? 'unknown';
  return {
    item: 'fast clock',
    granted: !SLOW_CLOCKS.includes(name),
    detail: name,
    fix: `echo tsc > ${directory}/current_clocksource`,
  };
}

/** What sleeps wake up late by is spun away before each window, up to a limit. */
function wakeUps(host: HostView): HostGrant {
  const { usualNs, rareNs } = host.wakeUpLateness();
  const us = (ns: number) => (ns / NS_PER_US).toFixed(0);
  return {
    item: 'wake-ups in time',
    granted: rareNs <= LATENESS_NS_MAX,
    detail: `${us(usualNs)} µs late, one in fifty ${us(rareNs)} µs or more`,
    fix: 'give the gateway idle CPUs, or use "idle": "spin" (or processor.max_cstate=1)',
  };
}

function seals(host: HostView): HostGrant {
  const granted = host.grantsSeals();
  return {
    item: 'sealed memory files',
    granted,
    detail: granted ? 'supported' : 'not supported',
    fix: 'boot Linux 3.17 or later, with CONFIG_MEMFD_CREATE',
  };
}

/** Without it a full eventfd that is blocking stops whoever notifies its owner. */
function eventSignals(host: HostView): HostGrant {
  const granted = host.grantsEventSignals();
  return {
    item: 'kernel AIO',
    granted,
    detail: granted ? 'notifications never wait' : 'refused: notifications wait for full eventfds',
    fix: 'allow io_setup and io_submit (CONFIG_AIO, fs.aio-max-nr, seccomp profile)',
  };
}

const clients = Object.entries(CLIENTS).map(([program, fix]): Check => (host) => {
  const found = host.find(program);
  return {
    item: `client ${program}`,
    granted: found !== undefined,
    detail: found ?? 'not on PATH',
    fix,
  };
});

const CHECKS: readonly Check[] = [
  processors,
  isolated,
  preemption,
  throttling,
  fifo,
  nice,
  session,
  lockedMemory,
  governor,
  steal,
  clock,
  wakeUps,
  seals,
  eventSignals,
];

/** What matters to time and memory. */
// [impl->req~host.grants~1]
export function hostGrants(host: HostView = thisHost): HostGrant[] {
  return CHECKS.map((check) => check(host));
}

/** Programs that can be guests by vhost-user. */
export function clientGrants(host: HostView = thisHost): HostGrant[] {
  return clients.map((check) => check(host));
}
