/** Commands as a POSIX shell reads them back. */

/** A word as it is where the shell changes nothing of it, otherwise quoted. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** One command over several lines; the words of each line belong together. */
export function command(lines: readonly (readonly string[])[]): string[] {
  return lines.map((words, n) => {
    const text = words.map(quoted).join(' ');
    return `${n === 0 ? '' : '  '}${text}${n === lines.length - 1 ? '' : ' \\'}`;
  });
}
