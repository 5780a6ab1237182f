/** The files that a trace is exported to. */
import type { Trace } from '../trace.ts';
import { htmlReport } from './html.ts';
import { jsonReport } from './json.ts';
import { junitReport } from './junit.ts';
import { lobsterActivities, lobsterImplementations, lobsterRequirements } from './lobster.ts';
import { matrix } from './matrix.ts';
import { needsJson } from './needs-json.ts';
import { reqif } from './reqif.ts';
import { sarifReport } from './sarif.ts';

/** By file name. Identical traces give identical bytes. */
export const EXPORTS: Readonly<Record<string, (trace: Trace) => string>> = {
  'traceability.html': htmlReport,
  'traceability.json': jsonReport,
  'matrix.md': matrix,
  'junit.xml': junitReport,
  'requirements.lobster': lobsterRequirements,
  'implementation.lobster': lobsterImplementations,
  'activities.lobster': lobsterActivities,
  'needs.json': needsJson,
  'requirements.reqif': reqif,
  'findings.sarif': sarifReport,
};
