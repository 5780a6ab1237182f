/** Light, dark, or as the system says; it runs before the first paint, so it is no module. */

{
  const KEY = 'theme';
  const NAMES: Readonly<Record<string, string>> = {
    auto: 'automatic',
    light: 'light',
    dark: 'dark',
  };
  const NEXT: Readonly<Record<string, string>> = { auto: 'light', light: 'dark', dark: 'auto' };
  const root = document.documentElement;

  /** Storage can be refused; then the choice lasts as long as the page. */
  const stored = (): string | null => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  const store = (theme: string): void => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      return;
    }
  };

  const before = stored() ?? 'auto';
  root.dataset['theme'] = before in NAMES ? before : 'auto';

  addEventListener('DOMContentLoaded', () => {
    const button = document.getElementById('theme')!;
    const show = (): void => {
      button.textContent = `Theme: ${NAMES[root.dataset['theme']!]!}`;
    };
    button.addEventListener('click', () => {
      root.dataset['theme'] = NEXT[root.dataset['theme']!]!;
      store(root.dataset['theme']);
      show();
      dispatchEvent(new Event('themechange'));
    });
    show();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
    dispatchEvent(new Event('themechange')),
  );
}
