/** The items as `needs.json` of sphinx-needs. */
import type { RequirementView } from '../requirement-view.ts';
import type { Trace } from '../trace.ts';

const PROJECT = 'virtio-gateway';

/** Sphinx reads ids of letters, digits and underscores. */
function needId(id: string): string {
  return id.replace(/[^A-Za-z0-9]+/g, '_');
}

function need(view: RequirementView): object {
  const { id, type, title, text, status, tags, parents, children, file, line } = view;
  const links = (ends: readonly { readonly id: string }[]) => ends.map((end) => needId(end.id));
  return {
    ...{ id: needId(id), type, type_name: type, title, description: text, content: text },
    ...{ status, tags, links: links(parents), links_back: links(children) },
    ...{ docname: file.replace(/\.md$/, ''), doctype: '.md', lineno: line, external_url: null },
    ...{ oft_id: id, asil: view.asil, rationale: view.rationale, method: view.method },
    source_code_link: view.implementations.map((one) => `${one.file}#L${one.line}`).join(', '),
    testlink: view.tests.map((one) => `${one.file}#L${one.line}`).join(', '),
    states: view.states,
  };
}

// [impl->req~trace.exports~1]
export function needsJson({ origin, requirements }: Trace): string {
  const version = origin.tool;
  const needs = Object.fromEntries(requirements.map((view) => [needId(view.id), need(view)]));
  const document = {
    current_version: version,
    project: PROJECT,
    versions: {
      [version]: {
        creator: { program: PROJECT, version },
        ...{ filters: {}, filters_amount: 0, needs, needs_amount: Object.keys(needs).length },
      },
    },
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}
