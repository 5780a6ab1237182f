/** One card for each partition: who it is, in which mode, and what it did wrong. */
import { byId, html, setData, setText } from './dom.ts';
import { count } from './format.ts';
import type { Hello, PartitionNumbers } from './message.ts';

interface Card {
  readonly state: HTMLElement;
  readonly faults: HTMLElement;
}

export class PartitionsView {
  private readonly list = byId('partition-list');
  private readonly cards = new Map<string, Card>();

  begin({ partitions }: Hello): void {
    this.cards.clear();
    this.list.replaceChildren();
    partitions.forEach(({ id, asil, guest }, n) => {
      const state = html('span', { class: 'pill', 'data-field': 'state' });
      const faults = html('ul', { class: 'faults', 'data-field': 'faults' });
      const name = html('strong', { 'data-color': n % 6 }, id);
      const level = html('span', { class: 'badge' }, asil === 'QM' ? asil : `ASIL ${asil}`);
      const head = html('div', { class: 'card-head' }, name, level, state);
      const about = html('p', { class: 'muted' }, guest);
      this.list.append(html('li', { class: 'card', 'data-partition': id }, head, about, faults));
      this.cards.set(id, { state, faults });
    });
  }

  show(partitions: readonly PartitionNumbers[]): void {
    for (const { id, state, faults } of partitions) {
      const card = this.cards.get(id);
      if (!card) continue;
      setText(card.state, state);
      setData(card.state, 'state', state);
      showFaults(card.faults, Object.entries(faults));
    }
  }
}

function showFaults(list: HTMLElement, faults: readonly (readonly [string, number])[]): void {
  const lines = faults.map(([name, times]) => `${name} × ${count(times)}`);
  const text = lines.join('\n') || 'no faults';
  if (list.dataset['shown'] === text) return;
  list.dataset['shown'] = text;
  const entries = faults.map(([name, times], n) =>
    html('li', { 'data-fault': name, 'data-value': times }, lines[n]!),
  );
  list.replaceChildren(...(entries.length > 0 ? entries : [html('li', { class: 'muted' }, text)]));
}
