/** Findings that the policy excuses for a time, and excuses that are over. */
import type { Finding } from './finding.ts';
import type { Justification } from './policy.ts';

const POLICY = { file: 'traceability/policy.json', line: 1, column: 1 };

/** @param asOf today's date in ISO form as far as the tracer is concerned, or empty */
export function justify(
  findings: readonly Finding[],
  justifications: readonly Justification[],
  asOf: string,
): Finding[] {
  const used = new Set<Justification>();
  const judged = findings.map((finding): Finding => {
    const excuse = justifications.find(
      ({ item, state }) => item === finding.item && state === finding.state,
    );
    if (!excuse) return finding;
    used.add(excuse);
    if (asOf > excuse.until) return finding;
    const { reason, owner, until } = excuse;
    const message = `${finding.state}: ${finding.message} (${reason}; ${owner}, until ${until})`;
    return { ...finding, state: 'justified', message };
  });
  const over = justifications.flatMap((excuse): Finding[] => {
    const { item, state, until } = excuse;
    const expired = asOf > until;
    if (used.has(excuse) && !expired) return [];
    const why = expired ? `expired on ${until}` : 'is no longer needed';
    const message = `the justification of ${state} at ${item} ${why}`;
    return [{ ...POLICY, state: 'justification-expired', item, asil: null, message }];
  });
  return [...judged, ...over];
}
