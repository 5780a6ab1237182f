/**
 * Questions about a table of windows: gaps, overlaps, sums; and the gateway's own control window.
 */
import { NS_PER_US, type Nanoseconds } from '../base/time.ts';
import { controlCommandNs } from './cost-model.ts';
import type { GatewayConfig, WindowConfig } from './gateway-config.ts';

export interface Interval {
  readonly startUs: number;
  readonly endUs: number;
}

function intervalOf(window: WindowConfig): Interval {
  return { startUs: window.offsetUs, endUs: window.offsetUs + window.durationUs };
}

/** The parts of the major frame that no window covers, in order. */
export function gapsOf(windows: readonly WindowConfig[], majorFrameUs: number): Interval[] {
  const gaps: Interval[] = [];
  let at = 0;
  for (const { startUs, endUs } of windows.map(intervalOf).sort((a, b) => a.startUs - b.startUs)) {
    if (startUs > at) gaps.push({ startUs: at, endUs: startUs });
    at = Math.max(at, endUs);
  }
  if (majorFrameUs > at) gaps.push({ startUs: at, endUs: majorFrameUs });
  return gaps;
}

/** Least length of a control window: one command behind the window switch. */
export function controlWindowNsMin(config: GatewayConfig): Nanoseconds {
  return controlCommandNs(config.costs) + config.costs.windowSwitchNs;
}

export function hasControlWindow(windows: readonly WindowConfig[]): boolean {
  return windows.some((window) => window.kind === 'control');
}

/**
 * Control-plane commands run in control windows only. A table that declares none gets one in its
 * longest gap; the semantic rules have made sure that there is such a gap.
 */
export function withControlWindow(
  windows: readonly WindowConfig[],
  config: GatewayConfig,
): readonly WindowConfig[] {
  if (hasControlWindow(windows)) return windows;
  const gaps = gapsOf(windows, config.schedule.majorFrameUs);
  const longest = gaps.reduce<Interval | undefined>(
    (best, gap) => (!best || lengthUs(gap) > lengthUs(best) ? gap : best),
    undefined,
  );
  if (!longest) return windows;
  return [
    ...windows,
    {
      id: 'control',
      kind: 'control',
      offsetUs: longest.startUs,
      durationUs: roundUs(lengthUs(longest)),
    },
  ];
}

function roundUs(us: number): number {
  return Math.round(us * NS_PER_US) / NS_PER_US;
}

export function lengthUs(interval: Interval): number {
  return interval.endUs - interval.startUs;
}
