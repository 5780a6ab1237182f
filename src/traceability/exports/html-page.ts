/** Style and script of the report: one file, no network, readable without the script. */

export const STYLE = `
:root { --ok: #1a7f37; --bad: #b42318; --warn: #9a6700; --line: #d0d7de; --soft: #f6f8fa; }
* { box-sizing: border-box; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; }
body { padding: 1rem; color: #1f2328; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
h3 { font-size: 1rem; margin: .8rem 0 .2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid var(--line); padding: .2rem .5rem; }
th, td { text-align: left; vertical-align: top; } th { background: var(--soft); }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
code, .id { font-family: ui-monospace, monospace; font-size: .9em; }
details { border: 1px solid var(--line); border-radius: 4px; }
details { margin: .25rem 0; padding: .25rem .6rem; } summary { cursor: pointer; }
details[open] > summary { border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
.ok { color: var(--ok); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.asil { border: 1px solid var(--line); border-radius: 3px; padding: 0 .3rem; }
.asil { font-size: .85em; background: var(--soft); }
.filter { position: sticky; top: 0; background: #fff; border-bottom: 1px solid var(--line); }
.filter { padding: .5rem 0; z-index: 1; } .filter input { width: 22rem; }
.why { color: #57606a; } ul.chain { margin: .2rem 0; padding-left: 1.2rem; }
[hidden] { display: none; }
@media print {
  .filter { display: none; } details { break-inside: avoid; } body { max-width: none; }
}
`;

/** Filters what has the class `entry`; the filter in force is written next to the counts. */
export const SCRIPT = `
const entries = [...document.querySelectorAll('.entry')];
const text = document.getElementById('text');
const level = document.getElementById('level');
const state = document.getElementById('state');
const shown = document.getElementById('shown');
function apply() {
  const words = text.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let count = 0;
  for (const entry of entries) {
    const { search, asil, states } = entry.dataset;
    const fits = words.every((word) => search.includes(word))
      && (level.value === '' || asil === level.value)
      && (state.value === '' || states.split(' ').includes(state.value)
        || (state.value === 'not ok' && states !== 'ok'));
    entry.hidden = !fits;
    if (fits) count++;
  }
  const filter = [text.value, level.value, state.value].filter(Boolean).join(', ');
  shown.textContent = count + ' of ' + entries.length + ' shown; filter: ' + (filter || 'none');
}
for (const control of [text, level, state]) control.addEventListener('input', apply);
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target || target.tagName !== 'DETAILS') return;
  target.hidden = false;
  target.open = true;
  target.scrollIntoView();
}
addEventListener('hashchange', openTarget);
addEventListener('beforeprint', () => {
  for (const entry of entries) if (!entry.hidden) entry.open = true;
});
apply();
openTarget();
`;
