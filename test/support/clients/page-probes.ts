/** Questions to a page about itself, as expressions to be evaluated there. */

/** Elements that are wider than the page lets them be. */
export const TOO_WIDE = `[...document.querySelectorAll('body *')]
  .filter((element) => !element.closest('.unseen, .skip, svg') && element.tagName !== 'OPTION')
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
  .map((element) => element.tagName + '#' + element.id + '.' + element.className)`;

/** Text that is cut off by its own box. */
export const CUT_OFF = `[...document.querySelectorAll('dd, dt, td, th, h1, h2, .pill, button, .what')]
  .filter((element) => !element.closest('.unseen, thead'))
  .filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0
    && getComputedStyle(element).display !== 'inline')
  .map((element) => element.textContent)`;

/** Texts whose contrast against what lies behind them is below 4.5 (WCAG 2.1, 1.4.3). */
export const LOW_CONTRAST = `(() => {
  const channels = (color) => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([red, green, blue]) => {
    const part = (value) => value <= 10 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return channels(getComputedStyle(document.body).backgroundColor);
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.textContent.trim() === '' || !element.checkVisibility()) continue;
    if (element.closest('noscript, .unseen, option')) continue;
    const style = getComputedStyle(element);
    const own = channels(element instanceof SVGElement ? style.fill : style.color);
    const [one, other] = [luminance(own), luminance(behind(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) low.push(walker.currentNode.textContent + ' ' + contrast.toFixed(2));
  }
  return low;
})()`;

/** Exact values and texts of a table: by row, then by the name of the column. */
export function tableOf(section: string): string {
  return `Object.fromEntries([...document.querySelectorAll('#${section} tbody tr')].map((row) => [
    row.dataset.key,
    Object.fromEntries([...row.querySelectorAll('td')].map((cell) => [
      cell.dataset.label,
      cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value),
    ])),
  ]))`;
}

/** Exact values of a list of figures, by name; those that are not shown are left out. */
export function figuresOf(list: string): string {
  return `Object.fromEntries([...document.querySelectorAll('#${list} dd')]
    .filter((cell) => !cell.parentElement.hidden)
    .map((cell) => [cell.dataset.figure, Number(cell.dataset.value)]))`;
}

/** Makes pictures of the page comparable between machines: one font, and no letter to be seen. */
export const HIDE_LETTERS = `(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(\`
    * { font-family: 'DejaVu Sans' !important; color: transparent !important; caret-color: transparent; }
    svg text { fill: transparent !important; }
    input, .times { visibility: hidden; }
  \`);
  document.adoptedStyleSheets = [sheet];
})()`;
