// The window in each of its states: that it fits, and that all of it is within reach; on the built page in Chromium, against the mock
// hub and under the hub's content security policy. And what the production build holds.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fits, publish, stage } from './stage.mjs';

const on = stage();

/** Where each state is to be seen once it is there. */
const STATES = {
  'first-run': 'text=countersign demo',
  quiet: '.row',
  ten: '.strip',
  long: '.strip',
  stopped: '.rail .stopped',
  disconnected: '.banner.bad',
  replaying: '.window.replaying',
  'read-only': '.strip',
  'store-failing': '.banner.bad',
  disabled: '.banner.bad',
  'port-in-use': '.banner.bad',
  'history-lost': '.banner',
  mixed: '.row.need',
  printed: '.row.bad',
};

for (const [state, shown] of Object.entries(STATES)) {
  for (const [width, height] of [[1280, 800], [900, 600], [420, 800]]) {
    on(state, `${state} fits ${width} by ${height} without a complaint`, async (page) => {
      await page.locator(shown).first().waitFor({ state: 'attached' });
      await fits(page);
    }, { width, height });
  }
}

on('first-run', 'the first event takes the place of the first-run page', async (page) => {
  await page.getByText('countersign demo').waitFor();
  await page.getByRole('tab', { name: 'curl' }).click();
  await page.getByText('curl http://127.0.0.1:8765/api/events').waitFor();
  await publish(page, 5);
  await page.locator('.row').first().waitFor();
});

for (const width of [320, 420, 661, 760, 900]) {
  on('failing', `every view is in sight and within reach of the keyboard at ${width}`, async (page) => {
    const tabs = page.getByRole('navigation', { name: 'Views' }).getByRole('button');
    await page.locator('header .trouble').waitFor();
    for (const tab of await tabs.all()) {
      const whole = await tab.evaluate((button) => {
        const box = button.getBoundingClientRect();
        const seen = [[1, 1], [box.width - 1, 1], [1, box.height - 1], [box.width - 1, box.height - 1]].every(([x, y]) => button.contains(document.elementFromPoint(box.left + x, box.top + y)));
        return seen && box.left >= 0 && box.right <= innerWidth && button.scrollWidth <= button.clientWidth;
      });
      assert.ok(whole, `${await tab.innerText()} is cut off`);
      await tab.focus();
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => document.activeElement.getAttribute('aria-current') === 'page');
    }
  }, { width });
}

test('a production build holds nothing of the mock, no inline script and no address but its own', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const out = mkdtempSync(join(tmpdir(), 'countersign-ui-'));
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', '--outDir', out, '--logLevel', 'warn'], { cwd: root, stdio: 'inherit' });
    for (const name of readdirSync(join(out, 'assets'))) assert.doesNotMatch(readFileSync(join(out, 'assets', name), 'utf8'), /mockHub/);
    const html = readFileSync(join(out, 'index.html'), 'utf8');
    assert.doesNotMatch(html, /<script(?![^>]*src=)|<style|https?:|data:/);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});
