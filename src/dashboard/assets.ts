/** The files of the page, read once: nothing outside this table can be asked for. */
import { readBuiltFile, readDependencyFile } from '../host/files.ts';
import type { Asset } from './access.ts';

const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const SVG = 'image/svg+xml';

/** Modules of the page besides its entry. */
const MODULES = [
  'app',
  'connection',
  'display-view',
  'dom',
  'events-view',
  'format',
  'latency-model',
  'latency-view',
  'message',
  'partitions-view',
  'picture',
  'schedule-model',
  'schedule-view',
  'summary-view',
  'tables-view',
  'theme',
];

// [impl->req~dash.read-only~1]
export function pageAssets(): ReadonlyMap<string, Asset> {
  const own = (file: string, type: string): Asset => ({
    type,
    bytes: readBuiltFile(`dashboard/assets/${file}`),
  });
  return new Map<string, Asset>([
    ['/', own('index.html', HTML)],
    ['/style.css', own('style.css', CSS)],
    ['/icon.svg', own('icon.svg', SVG)],
    ...MODULES.map((name) => [`/${name}.js`, own(`${name}.js`, SCRIPT)] as const),
    ['/uplot.js', { type: SCRIPT, bytes: readDependencyFile('uplot/dist/uPlot.esm.js') }],
    ['/uplot.css', { type: CSS, bytes: readDependencyFile('uplot/dist/uPlot.min.css') }],
  ]);
}
