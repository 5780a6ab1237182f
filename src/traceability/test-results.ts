/** Results of tests as the reporter records them, joined to the tags in the tests. */
import type { TagItem } from './scan-tags.ts';

export type TestOutcome = 'passed' | 'failed' | 'skipped';

export interface TestResult {
  readonly suite: string;
  /** File and full title. */
  readonly id: string;
  readonly title: string;
  readonly file: string;
  /** Line of the call that defined the test; 0 when unknown. */
  readonly line: number;
  readonly result: TestOutcome;
  readonly durationMs: number;
  readonly seeds: readonly number[];
  readonly type: string;
  readonly technique: string;
}

/** What one suite wrote. */
export interface SuiteResults {
  readonly suite: string;
  readonly passed: number;
  readonly failed: number;
  readonly tests: readonly Omit<TestResult, 'suite'>[];
}

/** A test as the report shows it: one tag in a test file, with its results. */
export interface TracedTest {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Title without tags; a template's up to its first placeholder. */
  readonly title: string;
  readonly type: string;
  readonly technique: string;
  readonly results: readonly TestResult[];
}

/** What the suites write into the title of a test that cannot run on this machine. */
const NOT_HERE = '(not run: ';

/** Whether a file's tests were left out because a program that they need is missing. */
export function leftOut(results: readonly TestResult[]): boolean {
  return results.some(({ title }) => title.includes(NOT_HERE));
}

export function outcomeOf(results: readonly TestResult[]): TestOutcome | 'not run' {
  if (results.some(({ result }) => result === 'failed')) return 'failed';
  if (results.some((one) => one.result === 'passed' && !leftOut([one]))) return 'passed';
  return results.length > 0 ? 'skipped' : 'not run';
}

const TAGS = /\[[a-z]+->[^\]]*\]\s*/g;

export function plainTitle(title: string): string {
  return title.replace(TAGS, '').trim();
}

/** How far above a tag the call that holds it begins. */
const LINES_ABOVE = 2;

// [impl->req~trace.results~1]
export class ResultIndex {
  private readonly byFile = new Map<string, TestResult[]>();
  private readonly byTag = new Map<TagItem, readonly TestResult[]>();

  private readonly all: readonly TestResult[];

  constructor(results: readonly TestResult[]) {
    this.all = results;
    for (const result of results) {
      const found = this.byFile.get(result.file);
      if (found) found.push(result);
      else this.byFile.set(result.file, [result]);
    }
  }

  inFile(file: string): readonly TestResult[] {
    return this.byFile.get(file) ?? [];
  }

  /** Results of the test whose title holds this tag; a tag in a table goes by its text alone. */
  of(tag: TagItem): readonly TestResult[] {
    const known = this.byTag.get(tag);
    if (known) return known;
    const found = this.find(tag);
    this.byTag.set(tag, found);
    return found;
  }

  private find(tag: TagItem): readonly TestResult[] {
    const literal = tag.literal.trimEnd();
    // A helper's titles run in the suites that use it.
    const own = this.inFile(tag.file);
    const named = (own.length > 0 ? own : this.all).filter(({ title }) => title.includes(literal));
    const near = named.filter(({ line }) => line <= tag.line && tag.line - line <= LINES_ABOVE);
    return near.length > 0 ? near : named;
  }
}

export function tracedTest(tag: TagItem, index: ResultIndex): TracedTest {
  const results = index.of(tag);
  const { type = '', technique = '' } = results[0] ?? {};
  const title = plainTitle(tag.literal);
  return { file: tag.file, line: tag.line, column: tag.column, title, type, technique, results };
}
