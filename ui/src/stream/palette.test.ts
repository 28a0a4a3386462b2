import { expect, it } from 'vitest';
import tokens from '../styles/tokens.css?raw';
import { AA, contrast, fromHex, inkOn, nearest, rgb, sheet } from './palette';

const [light = '', dark = ''] = tokens.split("[data-theme='dark']");
const token = (from: string, name: string) => fromHex(new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(from)?.[1] ?? '');
const grounds = { light: [token(light, 'code'), token(light, 'bad-ground')], dark: [token(dark, 'code'), token(dark, 'bad-ground')] };

it('writes the style sheet that the page has', async () => {
  await expect(sheet(grounds)).toMatchFileSnapshot('../styles/ansi.css');
});

it('keeps AA for each colour as text on either ground of either theme', () => {
  const [bright = '', dim = ''] = sheet(grounds).split("[data-theme='dark']");
  for (const [from, on] of [[bright, grounds.light], [dim, grounds.dark]] as const) {
    const found = [...from.matchAll(/--ansi-text-\d+: (#[0-9a-f]{6});/g)].map((match) => fromHex(match[1]!));
    expect(found).toHaveLength(256);
    for (const ground of on) for (const colour of found) expect(contrast(colour, ground)).toBeGreaterThanOrEqual(AA);
  }
});

it('keeps AA for black or white on each colour, and for the ink that dim and inverse text takes', () => {
  for (let n = 0; n < 256; n++) expect(contrast(rgb(n), inkOn(n) === 'black' ? [0, 0, 0] : [255, 255, 255])).toBeGreaterThanOrEqual(AA);
  for (const [from, on] of [[light, grounds.light], [dark, grounds.dark]] as const) {
    for (const ground of on) for (const ink of ['ink', 'ink-3']) expect(contrast(token(from, ink), ground)).toBeGreaterThanOrEqual(AA);
  }
});

it('finds the nearest of the cube and the greys', () => {
  expect(nearest([255, 0, 0])).toBe(196);
  expect(nearest([95, 135, 175])).toBe(67);
  expect(nearest([118, 118, 118])).toBe(243);
  expect(nearest([255, 255, 255])).toBe(231);
  for (let n = 16; n < 256; n++) expect(rgb(nearest(rgb(n)))).toEqual(rgb(n));
});
