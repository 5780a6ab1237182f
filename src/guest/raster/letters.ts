/**
 * A typeface of strokes, drawn for this project: capitals 20 units high, small letters 14, the base
 * line at 20. M begins a stroke, L is a line, Q a curve with its control point, Z closes.
 */

export interface Letter {
  readonly width: number;
  readonly path: string;
}

const ROUND = 'M5 6Q10 6 10 13Q10 20 5 20Q0 20 0 13Q0 6 5 6Z';
const BOWL = 'M6 0Q12 0 12 6L12 14Q12 20 6 20Q0 20 0 14L0 6Q0 0 6 0Z';

/** Width without the space between letters, and path. */
export const LETTERS: Readonly<Record<string, Letter>> = {
  ' ': { width: 5, path: '' },
  '0': { width: 12, path: BOWL },
  '1': { width: 12, path: 'M2.5 4.5L8 0L8 20' },
  '2': { width: 12, path: 'M0.5 5Q1 0 6.2 0Q11.5 0 11.5 5Q11.5 8.5 8 12L0.3 20L12 20' },
  '3': {
    width: 12,
    path: 'M0.8 3.2Q2.3 0 6 0Q11.3 0 11.3 4.8Q11.3 9.5 6 9.5L4.5 9.5M6 9.5Q12 9.5 12 14.7Q12 20 6 20Q1.5 20 0 16.2',
  },
  '4': { width: 12, path: 'M9 20L9 0M9 0.4L0.3 14.8L12 14.8' },
  '5': {
    width: 12,
    path: 'M11 0L1.8 0L0.9 9.4Q3 7.4 6 7.4Q12 7.4 12 13.6Q12 20 6 20Q1.5 20 0 16.3',
  },
  '6': {
    width: 12,
    path: 'M10.6 2Q9.3 0 6.8 0Q0 0 0 10L0 13.7M6 7.6Q12 7.6 12 13.8Q12 20 6 20Q0 20 0 13.8Q0 7.6 6 7.6Z',
  },
  '7': { width: 12, path: 'M0 0L12 0L4.2 20' },
  '8': {
    width: 12,
    path: 'M6 0Q11.2 0 11.2 4.7Q11.2 9.3 6 9.3Q0.8 9.3 0.8 4.7Q0.8 0 6 0ZM6 9.3Q12 9.3 12 14.7Q12 20 6 20Q0 20 0 14.7Q0 9.3 6 9.3Z',
  },
  '9': {
    width: 12,
    path: 'M1.4 18Q2.7 20 5.2 20Q12 20 12 10L12 6.3M6 0Q12 0 12 6.2Q12 12.4 6 12.4Q0 12.4 0 6.2Q0 0 6 0Z',
  },
  A: { width: 13, path: 'M0 20L6.5 0L13 20M2.3 13.6L10.7 13.6' },
  B: {
    width: 12,
    path: 'M6 9.5L0 9.5M6 9.5Q11 9.5 11 4.7Q11 0 6 0L0 0L0 20L6.5 20Q12 20 12 14.7Q12 9.5 6 9.5',
  },
  C: { width: 12, path: 'M12 4.5Q11 0 6.2 0Q0 0 0 6L0 14Q0 20 6.2 20Q11 20 12 15.5' },
  D: { width: 12, path: 'M0 0L5 0Q12 0 12 7L12 13Q12 20 5 20L0 20Z' },
  E: { width: 11, path: 'M11 0L0 0L0 20L11 20M0 9.7L9.4 9.7' },
  F: { width: 11, path: 'M11 0L0 0L0 20M0 9.8L9 9.8' },
  G: {
    width: 12,
    path: 'M12 4.5Q11 0 6.2 0Q0 0 0 6L0 14Q0 20 6.2 20Q12 20 12 14L12 10.6L7.2 10.6',
  },
  H: { width: 12, path: 'M0 0L0 20M12 0L12 20M0 9.7L12 9.7' },
  I: { width: 0, path: 'M0 0L0 20' },
  J: { width: 9, path: 'M9 0L9 14Q9 20 4.5 20Q0.6 20 0 16' },
  K: { width: 12, path: 'M0 0L0 20M11 0L0 12M4 7.8L12 20' },
  L: { width: 10, path: 'M0 0L0 20L10 20' },
  M: { width: 15, path: 'M0 20L0 0L7.5 13L15 0L15 20' },
  N: { width: 12.5, path: 'M0 20L0 0L12.5 20L12.5 0' },
  O: { width: 12, path: BOWL },
  P: { width: 12, path: 'M0 20L0 0L6.3 0Q12 0 12 5.6Q12 11.2 6.3 11.2L0 11.2' },
  Q: { width: 12, path: `${BOWL}M7.6 15L12.4 20.6` },
  R: { width: 12, path: 'M0 20L0 0L6.3 0Q12 0 12 5.6Q12 11.2 6.3 11.2L0 11.2M6.8 11.2L12 20' },
  S: {
    width: 12,
    path: 'M11.4 3.8Q10 0 6 0Q0.6 0 0.6 4.9Q0.6 8.9 6 9.8Q12 10.8 12 15.1Q12 20 6 20Q1.4 20 0 16.2',
  },
  T: { width: 12, path: 'M0 0L12 0M6 0L6 20' },
  U: { width: 12, path: 'M0 0L0 14Q0 20 6 20Q12 20 12 14L12 0' },
  V: { width: 12, path: 'M0 0L6 20L12 0' },
  W: { width: 17, path: 'M0 0L4.2 20L8.5 3L12.8 20L17 0' },
  X: { width: 12, path: 'M0 0L12 20M12 0L0 20' },
  Y: { width: 12, path: 'M0 0L6 10L12 0M6 10L6 20' },
  Z: { width: 12, path: 'M0 0L12 0L0 20L12 20' },
  a: { width: 10, path: `${ROUND}M10 6L10 20` },
  b: { width: 10, path: `${ROUND}M0 0L0 20` },
  c: { width: 9, path: 'M9.2 9.2Q8.2 6 5 6Q0 6 0 13Q0 20 5 20Q8.2 20 9.2 16.8' },
  d: { width: 10, path: `${ROUND}M10 0L10 20` },
  e: { width: 10, path: 'M0.1 13L10 13Q10 6 5 6Q0 6 0 13Q0 20 5.2 20Q8.6 20 9.7 17' },
  f: { width: 7, path: 'M2.5 20L2.5 4.5Q2.5 0 6.5 0L7 0M0 6.4L6.5 6.4' },
  g: { width: 10, path: `${ROUND}M10 6L10 20.5Q10 26 5 26Q1.6 26 0.6 23.6` },
  h: { width: 9.5, path: 'M0 0L0 20M0 12.5Q0.6 6 5 6Q9.5 6 9.5 11L9.5 20' },
  i: { width: 0, path: 'M0 6.4L0 20M0 0.8L0 1.2' },
  j: { width: 3, path: 'M3 6.4L3 22Q3 26 0 26M3 0.8L3 1.2' },
  k: { width: 9.5, path: 'M0 0L0 20M9 6L0.4 14.6M3.6 11.6L9.5 20' },
  l: { width: 0, path: 'M0 0L0 20' },
  m: {
    width: 15,
    path: 'M0 6L0 20M0 12Q0.5 6 4.2 6Q7.5 6 7.5 11L7.5 20M7.5 12Q8 6 11.7 6Q15 6 15 11L15 20',
  },
  n: { width: 9.5, path: 'M0 6L0 20M0 12.5Q0.6 6 5 6Q9.5 6 9.5 11L9.5 20' },
  o: { width: 10, path: ROUND },
  p: { width: 10, path: `${ROUND}M0 6L0 26` },
  q: { width: 10, path: `${ROUND}M10 6L10 26` },
  r: { width: 6, path: 'M0 6L0 20M0 13Q0.5 6 5.6 6L6 6' },
  s: {
    width: 9,
    path: 'M8.5 8.8Q7.6 6 4.5 6Q0.5 6 0.5 9.4Q0.5 12.2 4.5 12.8Q9 13.5 9 16.6Q9 20 4.5 20Q0.9 20 0 17.2',
  },
  t: { width: 7, path: 'M2.5 1.5L2.5 15.5Q2.5 20 6.4 20L7 20M0 6.4L6.6 6.4' },
  u: { width: 9.5, path: 'M9.5 6L9.5 20M9.5 13.5Q8.9 20 4.5 20Q0 20 0 15L0 6' },
  v: { width: 10, path: 'M0 6L5 20L10 6' },
  w: { width: 15, path: 'M0 6L3.6 20L7.5 8L11.4 20L15 6' },
  x: { width: 9.5, path: 'M0 6L9.5 20M9.5 6L0 20' },
  y: { width: 10, path: 'M0 6L5 19.4M10 6L4.2 22.5Q3 26 0.4 26' },
  z: { width: 9, path: 'M0 6L9 6L0 20L9 20' },
  '.': { width: 1, path: 'M0.5 19.6L0.5 20' },
  ',': { width: 2, path: 'M1.2 19.4L0 23' },
  ':': { width: 1, path: 'M0.5 8L0.5 8.4M0.5 17.6L0.5 18' },
  '-': { width: 7, path: 'M0 11.5L7 11.5' },
  '+': { width: 10, path: 'M0 11.5L10 11.5M5 6.5L5 16.5' },
  '/': { width: 8, path: 'M0 22L8 -1' },
  '!': { width: 0, path: 'M0 0L0 14M0 19.4L0 20' },
  '%': {
    width: 15,
    path: 'M12.5 0L2.5 20M3.5 0Q7 0 7 4Q7 8 3.5 8Q0 8 0 4Q0 0 3.5 0ZM11.5 12Q15 12 15 16Q15 20 11.5 20Q8 20 8 16Q8 12 11.5 12Z',
  },
  '°': { width: 6, path: 'M3 0Q6 0 6 3Q6 6 3 6Q0 6 0 3Q0 0 3 0Z' },
};
