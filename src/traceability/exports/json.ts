/** The trace as JSON; `traceability/report.schema.json` describes it. */
import type { Trace } from '../trace.ts';

const FORMAT_VERSION = 1;

export function jsonReport(trace: Trace): string {
  return `${JSON.stringify({ formatVersion: FORMAT_VERSION, ...trace }, null, 1)}\n`;
}
