/** Documents that are generated from the trace and from the data of the safety analyses. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { matrix } from '../../traceability/exports/matrix.ts';
import {
  dfaDocument,
  fmeaDocument,
  type DependentFailure,
  type Fmea,
} from '../../traceability/safety-tables.ts';
import type { Trace } from '../../traceability/trace.ts';
import { readJson } from './project.ts';
import { timingDocument } from './timing-document.ts';

const REFERENCE = 'config/cockpit.json';

/** By path from the top level. */
export function generatedDocuments(root: string, trace: Trace): Record<string, string> {
  const documents: Record<string, string> = { 'traceability/matrix.md': matrix(trace) };
  const data = (file: string) => (existsSync(path.join(root, file)) ? readJson(root, file) : null);
  const fmea = data('safety/08-fmea.json') as Fmea | null;
  const dfa = data('safety/09-dfa.json') as { readonly rows: readonly DependentFailure[] } | null;
  if (fmea) documents['safety/08-fmea.md'] = fmeaDocument(fmea);
  if (dfa) documents['safety/09-dfa.md'] = dfaDocument(dfa);
  const reference = path.join(root, REFERENCE);
  if (existsSync(reference)) {
    documents['safety/10-timing-analysis.md'] = timingDocument(reference, REFERENCE);
  }
  return documents;
}
