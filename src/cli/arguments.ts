/** Command lines: positionals and options, with an answer to every mistake. */
import { didYouMean } from '../control-plane/config/validator.ts';

/** Wrong use of the command line: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A `list` is an option with a value that may be given several times. */
export type OptionKind = 'flag' | 'value' | 'optional-value' | 'list';

export interface CommandShape {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, OptionKind>>;
}

export interface Arguments {
  readonly positionals: readonly string[];
  /** `true` for a flag, or for an optional value that was not given. */
  readonly options: Readonly<Record<string, string | true>>;
  /** Values of options that may be given several times, in their order. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
}

/** @throws UsageError naming what is wrong and what would be right */
export function parseArguments(words: readonly string[], shape: CommandShape): Arguments {
  const positionals: string[] = [];
  const options: Record<string, string | true> = {};
  const lists: Record<string, string[]> = {};
  for (let n = 0; n < words.length; n++) {
    const word = words[n]!;
    if (!word.startsWith('--')) {
      positionals.push(word);
      continue;
    }
    const [name = '', inline] = splitOnce(word.slice(2), '=');
    const kind = Object.hasOwn(shape.options, name) ? shape.options[name] : undefined;
    if (!kind)
      throw new UsageError(
        `unknown option --${name}.${didYouMean(name, Object.keys(shape.options))}`,
      );
    const next = words[n + 1];
    const isNeeded = kind === 'value' || kind === 'list';
    const set = (value: string): void => {
      if (kind === 'list') (lists[name] ??= []).push(value);
      else options[name] = value;
    };
    // An optional value must not swallow the file that the command is about.
    const complete = positionals.length >= shape.positionals.length;
    if (inline !== undefined && kind !== 'flag') set(inline);
    else if (inline !== undefined) throw new UsageError(`--${name} takes no value`);
    else if (kind === 'flag') options[name] = true;
    else if (next !== undefined && !next.startsWith('--') && (isNeeded || complete)) {
      set(next);
      n++;
    } else if (isNeeded) throw new UsageError(`--${name} needs a value`);
    else options[name] = true;
  }
  if (positionals.length < shape.positionals.length) {
    throw new UsageError(`${shape.positionals[positionals.length]} is missing`);
  }
  if (positionals.length > shape.positionals.length) {
    throw new UsageError(`"${positionals[shape.positionals.length]}" is one argument too many`);
  }
  return { positionals, options, lists };
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** A positive number given as an option, or undefined. @throws UsageError */
export function positiveNumber(value: string | true | undefined, name: string): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value === true || !Number.isFinite(number) || number <= 0) {
    throw new UsageError(`--${name} needs a number above 0, not "${value}"`);
  }
  return number;
}
