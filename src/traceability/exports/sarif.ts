/** The findings as SARIF 2.1.0, for editors and code hosts. */
import { STATES, weightOf } from '../finding.ts';
import type { Trace } from '../trace.ts';

export function sarifReport({ origin, findings }: Trace): string {
  const rules = Object.keys(STATES).map((id) => ({ id }));
  const results = findings.map((finding) => ({
    ruleId: finding.state,
    level: weightOf(finding) === 'warning' ? 'warning' : 'error',
    message: { text: finding.message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: finding.file },
          region: { startLine: finding.line, startColumn: finding.column },
        },
      },
    ],
  }));
  const driver = { name: 'virtio-gateway trace', version: origin.tool, rules };
  const document = { version: '2.1.0', runs: [{ tool: { driver }, results }] };
  return `${JSON.stringify(document, null, 1)}\n`;
}
