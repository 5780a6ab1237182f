/** What is wrong with the links of items, at both of their ends. */
import { asilOf } from './asil.ts';
import type { Finding, State } from './finding.ts';
import type { IncomingStatus, LinkedItem, OutgoingStatus } from './link.ts';
import { placeText, type Place } from './item.ts';

function finding(linked: LinkedItem, state: State, message: string, place: Place): Finding {
  const { item } = linked;
  const { file, line, column } = place;
  return { state, item: item.id, asil: asilOf(item.tags), message, file, line, column };
}

/** A tag has no name that people know: it is called by the id it names. */
function outgoingFindings(linked: LinkedItem): Finding[] {
  return linked.outgoing.flatMap(({ status, reference, target }) => {
    if (status === 'covers') return [];
    const { item } = linked;
    const who = item.origin === 'tag' ? `the ${item.type} tag` : item.id;
    const messages: Record<Exclude<OutgoingStatus, 'covers'>, string> = {
      orphaned: `${who} covers ${reference.id}, which does not exist`,
      outdated: `${who} covers ${reference.id}, which is now ${target?.item.id}`,
      predated: `${who} covers ${reference.id}, which is still ${target?.item.id}`,
      ambiguous: `${who} covers ${reference.id}, which exists more than once`,
      unwanted: `${who} covers ${reference.id}, which needs ${neededText(target)}`,
    };
    const { file, line, column } = reference;
    const asil = target ? asilOf(target.item.tags) : asilOf(item.tags);
    const about = item.origin === 'tag' ? reference.id : item.id;
    const message = messages[status];
    return [{ state: status, item: about, asil, message, file, line, column }];
  });
}

function neededText(target: LinkedItem | undefined): string {
  const needs = target?.item.needs ?? [];
  return needs.length > 0 ? `${needs.join(' and ')} only` : 'nothing';
}

function incomingFindings(linked: LinkedItem): Finding[] {
  return linked.incoming.flatMap(({ status, reference, source }) => {
    if (status === 'covered') return [];
    const how: Record<Exclude<IncomingStatus, 'covered'>, string> = {
      outdated: 'in an older revision',
      predated: 'in a revision that does not exist yet',
      unwanted: 'although it does not need that',
    };
    const message =
      `${linked.item.id} is covered by the ${source.item.type} at ${placeText(reference)} ` +
      how[status];
    return [finding(linked, status, message, linked.item)];
  });
}

function coverageFindings(linked: LinkedItem): Finding[] {
  const { item, missing } = linked;
  if (missing.length === 0) return [];
  const state = linked.coveredTypes.size > 0 ? 'partial' : 'uncovered';
  const message = `${item.id} needs ${item.needs.join(', ')}; there is no ${missing.join(', ')}`;
  return [finding(linked, state, message, item)];
}

/** An item that was rejected demands nothing. */
export function linkFindings(linked: LinkedItem): Finding[] {
  const { item } = linked;
  const twice = linked.duplicates.map(({ item: other }) =>
    finding(linked, 'duplicate', `${item.id} is also at ${placeText(other)}`, item),
  );
  if (item.status === 'rejected') return twice;
  const draft = item.origin === 'markdown' && item.status !== 'approved';
  return [
    ...twice,
    ...outgoingFindings(linked),
    ...incomingFindings(linked),
    ...coverageFindings(linked),
    ...(linked.deep === 'cycle'
      ? [finding(linked, 'cycle', `${item.id} is covered by a cycle`, item)]
      : []),
    ...(draft ? [finding(linked, 'draft-in-release', `${item.id} is ${item.status}`, item)] : []),
  ];
}
