/** What has happened, newest first; faults are also spoken, not faster than one can listen. */
import { byId, html, setText } from './dom.ts';
import { count, instant } from './format.ts';
import type { Happening } from './message.ts';

const ENTRIES_MAX = 100;
const SPEAK_EVERY_MS = 3000;
const NAMES: Readonly<Record<Happening['kind'], string>> = {
  fault: 'Fault',
  overrun: 'Late end',
  mode: 'Mode',
  'safe-state': 'Safe state',
};

export class EventsView {
  private readonly list = byId('event-list');
  private readonly announcement = byId('announcement');
  private readonly onlyFaults = byId<HTMLInputElement>('only-faults');
  private readonly entries = new Map<number, HTMLElement>();
  private unspoken: Happening[] = [];
  private resting = false;

  constructor() {
    this.onlyFaults.addEventListener('change', () =>
      this.list.toggleAttribute('data-only-faults', this.onlyFaults.checked),
    );
  }

  begin(): void {
    this.entries.clear();
    this.list.replaceChildren();
  }

  show(happenings: readonly Happening[]): void {
    for (const happening of happenings) {
      this.entries.get(happening.id)?.remove();
      const entry = entryOf(happening);
      this.entries.delete(happening.id);
      this.entries.set(happening.id, entry);
      this.list.prepend(entry);
      if (happening.kind === 'fault' || happening.kind === 'safe-state')
        this.unspoken.push(happening);
    }
    this.forgetOld();
    this.speak();
  }

  private forgetOld(): void {
    for (const [id, entry] of this.entries) {
      if (this.entries.size <= ENTRIES_MAX) return;
      this.entries.delete(id);
      entry.remove();
    }
  }

  private speak(): void {
    const last = this.unspoken.at(-1);
    if (this.resting || !last) return;
    const others = this.unspoken.length - 1;
    const more = others > 0 ? `, and ${count(others)} more` : '';
    setText(this.announcement, `${NAMES[last.kind]}: ${last.subject} ${last.text}${more}`);
    this.unspoken = [];
    this.resting = true;
    setTimeout(() => {
      this.resting = false;
      this.speak();
    }, SPEAK_EVERY_MS);
  }
}

function entryOf({ id, kind, subject, text, count: times, sinceStartNs }: Happening): HTMLElement {
  const entry = html(
    'li',
    { 'data-kind': kind, 'data-id': id, 'data-count': times },
    html('span', { class: 'when' }, instant(sinceStartNs)),
    html('span', { class: 'badge' }, NAMES[kind]),
    html('span', { class: 'what' }, html('strong', {}, subject), ` ${text}`),
  );
  if (times > 1) entry.append(html('span', { class: 'times' }, `× ${count(times)}`));
  return entry;
}
