/** The counters of windows, routes and queues as tables that stay in place. */
import { byId, html, setFigure, setText } from './dom.ts';
import { bytes, count, percent, time } from './format.ts';
import type { Numbers, PartitionNumbers, RouteNumbers, WindowNumbers } from './message.ts';

interface Column<Row> {
  readonly name: string;
  /** A number is right-aligned and carries its exact value. */
  readonly of: (row: Row) => string | number;
  readonly text?: (value: number) => string;
}

class Table<Row> {
  private readonly columns: readonly Column<Row>[];
  private readonly keyOf: (row: Row) => string;
  private readonly heads: readonly HTMLElement[];
  private readonly body = html('tbody');
  private readonly rows = new Map<string, readonly HTMLElement[]>();

  constructor(
    section: string,
    caption: string,
    keyOf: (row: Row) => string,
    columns: readonly Column<Row>[],
  ) {
    this.columns = columns;
    this.keyOf = keyOf;
    this.heads = columns.map(({ name }) => html('th', { scope: 'col' }, name));
    const head = html('thead', {}, html('tr', {}, ...this.heads));
    byId(section).append(
      html('table', {}, html('caption', { class: 'unseen' }, caption), head, this.body),
    );
  }

  show(rows: readonly Row[]): void {
    for (const row of rows) {
      const cells = this.rows.get(this.keyOf(row)) ?? this.add(this.keyOf(row));
      this.columns.forEach(({ of, text }, n) => {
        const value = of(row);
        this.heads[n]!.toggleAttribute('data-number', typeof value === 'number');
        if (typeof value === 'string') setText(cells[n]!, value);
        else setFigure(cells[n]!, value, (text ?? count)(value));
      });
    }
  }

  clear(): void {
    this.rows.clear();
    this.body.replaceChildren();
  }

  private add(key: string): readonly HTMLElement[] {
    const cells = this.columns.map(({ name }, n) =>
      n === 0 ? html('th', { scope: 'row' }) : html('td', { 'data-label': name }),
    );
    this.rows.set(key, cells);
    this.body.append(html('tr', { 'data-key': key }, ...cells));
    return cells;
  }
}

type QueueRow = PartitionNumbers['queues'][number];

export class TablesView {
  private readonly windows = new Table<WindowNumbers>(
    'windows',
    'What each window served, and the time it took of its budget',
    ({ id }) => id,
    [
      { name: 'window', of: ({ id }) => id },
      { name: 'partition', of: ({ partition }) => partition ?? 'gateway' },
      { name: 'served', of: ({ requests }) => requests },
      { name: 'mean', of: meanOf, text: time },
      { name: 'longest', of: ({ spentNsMax }) => spentNsMax, text: time },
      { name: 'budget', of: ({ budgetNs }) => budgetNs, text: time },
      { name: 'used', of: (row) => meanOf(row) / row.budgetNs, text: percent },
    ],
  );
  private readonly routes = new Table<RouteNumbers>(
    'routes',
    'Packets of each route, and why some were dropped',
    ({ id }) => id,
    [
      { name: 'route', of: ({ id }) => id },
      { name: 'sent', of: ({ sent }) => sent },
      { name: 'delivered', of: ({ delivered }) => delivered },
      { name: 'deferred', of: ({ deferred }) => deferred },
      { name: 'dropped', of: ({ dropped }) => droppedOf(dropped) },
    ],
  );
  private readonly queues = new Table<QueueRow>(
    'queues',
    'What each virtqueue carried',
    ({ queue }) => queue,
    [
      { name: 'queue', of: ({ queue }) => queue },
      { name: 'requests', of: ({ requests }) => requests },
      { name: 'bytes', of: (row) => row.bytes, text: bytes },
      { name: 'notifications', of: ({ usedNotifications }) => usedNotifications },
    ],
  );

  begin(): void {
    this.windows.clear();
    this.routes.clear();
    this.queues.clear();
  }

  show({ windows, routes, partitions }: Numbers): void {
    this.windows.show(windows);
    this.routes.show(routes);
    this.queues.show(partitions.flatMap(({ queues }) => queues));
  }
}

function meanOf({ visits, spentNs }: WindowNumbers): number {
  return visits > 0 ? spentNs / visits : 0;
}

function droppedOf(dropped: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(dropped).map(([reason, times]) => `${reason} ${count(times)}`);
  return reasons.join(', ') || '–';
}
