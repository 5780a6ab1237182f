/** Mocha reporter: a dot a test, failures in full; counts and a record of each test to a file. */
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const Mocha = require('mocha');
const { originalLine } = require('../../build/test/support/source-position.js');

const ROOT = path.resolve(__dirname, '../..');
const { EVENT_RUN_BEGIN, EVENT_RUN_END, EVENT_TEST_BEGIN, EVENT_TEST_END, EVENT_TEST_PENDING } =
  Mocha.Runner.constants;
const SEEDS_MAX = 8;

/** Where each test was defined: mocha loads its reporter before any test. */
const definedAt = new WeakMap();
const addTest = Mocha.Suite.prototype.addTest;
Mocha.Suite.prototype.addTest = function (test) {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 30;
  definedAt.set(test, new Error().stack);
  Error.stackTraceLimit = stackTraceLimit;
  return addTest.call(this, test);
};

/** File and line of a test in its source: the frame in the file that mocha loaded. */
function placeOf(test) {
  const built = test.file ?? '';
  const frame = (definedAt.get(test) ?? '').split('\n').find((line) => line.includes(built));
  const match = /:(\d+):(\d+)\)?$/.exec(frame ?? '');
  const line = match ? originalLine(built, Number(match[1]), Number(match[2])) : 0;
  const file = path.relative(path.join(ROOT, 'build'), built).replace(/\.js$/, '.ts');
  return { file: file.split(path.sep).join('/'), line };
}

/** Type and technique of the longest path in the policy that a file is below. */
function methodOf(methods, file) {
  const fitting = methods.filter((method) => file.startsWith(method.path));
  const longest = fitting.sort((a, b) => b.path.length - a.path.length)[0];
  return { type: longest?.type ?? '', technique: longest?.technique ?? '' };
}

/** fast-check tells its seed to a reporter of its own; what it would have thrown is thrown. */
function listenToFastCheck(seeds) {
  const loaded = Object.keys(require.cache).some((file) => /[\\/]fast-check[\\/]/.test(file));
  if (!loaded) return;
  const fc = require('fast-check');
  const told = (details) => {
    seeds.push(details.seed);
    if (details.failed)
      throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
  };
  fc.configureGlobal({ ...fc.readConfigureGlobal(), reporter: told });
}

module.exports = class CountingReporter extends Mocha.reporters.Dot {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.MOCHA_COUNTS;
    if (!file) return;
    const policy = path.join(ROOT, 'traceability/policy.json');
    const { testMethods } = JSON.parse(readFileSync(policy, 'utf8'));
    const tests = [];
    // SeededRandom adds to it, too.
    const seeds = (globalThis.recordedSeeds = []);
    const record = (test, result) => {
      const place = placeOf(test);
      tests.push({
        id: `${place.file}: ${test.fullTitle()}`,
        title: test.title,
        ...place,
        result,
        durationMs: test.duration ?? 0,
        seeds: [...new Set(seeds)].slice(0, SEEDS_MAX),
        ...methodOf(testMethods, place.file),
      });
    };
    runner.once(EVENT_RUN_BEGIN, () => listenToFastCheck(seeds));
    runner.on(EVENT_TEST_BEGIN, () => seeds.splice(0));
    runner.on(EVENT_TEST_PENDING, (test) => record(test, 'skipped'));
    runner.on(EVENT_TEST_END, (test) => {
      if (!test.isPending()) record(test, test.isPassed() ? 'passed' : 'failed');
    });
    runner.once(EVENT_RUN_END, () => {
      const { passes, failures } = this.stats;
      const suite = path.basename(file, '.json');
      const counts = { suite, passed: passes, failed: failures };
      writeFileSync(file, `${JSON.stringify({ ...counts, tests }, null, 1)}\n`);
    });
  }
};
