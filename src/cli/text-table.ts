/** Plain text tables: columns aligned, numbers to the right. */

export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const right = (text: string) => /^[-\d.,]+( ?(ns|µs|ms|s|%))?$/.test(text);
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          right(cell) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Nanoseconds as microseconds with one decimal. */
export function us(ns: number): string {
  return `${(ns / 1000).toFixed(1)} µs`;
}
