// Pictures of every state, for people to look at: `npm run shots -- FOLDER [STATE...]`.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build, launch, open, serve } from './page.mjs';

const [folder = 'shots', ...only] = process.argv.slice(2);
const SIZES = { wide: [1280, 800], small: [900, 600], narrow: [420, 800] };

const view = (name) => async (page) => page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name }).click();
const click = (text) => async (page) => page.locator('.row', { hasText: text }).first().click();
const STATES = {
  'first-run': {},
  quiet: {},
  busy: {},
  details: { state: 'quiet', act: click('pytest') },
  'details-edit': { state: 'quiet', act: click('edit_file') },
  printed: { act: click('pytest --color') },
  one: {},
  ten: {},
  selected: { state: 'ten', act: async (page) => { await page.getByRole('checkbox').nth(0).check(); await page.getByRole('checkbox').nth(2).check(); } },
  summary: { state: 'three', act: async (page) => { await page.getByRole('button', { name: 'Select all' }).click(); await page.locator('.strip button.several').click(); await page.waitForTimeout(900); } },
  'summary-outcomes': { state: 'three', act: async (page) => { await page.getByRole('button', { name: 'Select all' }).click(); await page.locator('.strip button.several').click(); await page.evaluate(() => window.mockHub.answer('ap-2', { decision: 'deny' }, 'dialog')); await page.locator('dialog button.approve[aria-disabled="false"]').click(); } },
  long: {},
  treacherous: {},
  'treacherous-details': { state: 'treacherous', act: click('needs you') },
  hooks: {},
  'hook-questions': { state: 'hook-AskUserQuestion' },
  'hook-plan': { state: 'hook-ExitPlanMode' },
  'hook-edit': { state: 'hook-Edit' },
  'hook-write': { state: 'hook-Write' },
  'hook-multi-edit': { state: 'hook-MultiEdit' },
  'hook-fetch': { state: 'hook-WebFetch' },
  'hook-task': { state: 'hook-Task' },
  'hook-notebook': { state: 'hook-NotebookEdit' },
  'hook-codex': { state: 'hook-codex' },
  'hooks-modal': {},
  'hook-edit-command': { state: 'hook-Bash', act: async (page) => { await page.getByRole('button', { name: 'Edit, then approve' }).click(); } },
  'hook-edit-review': { state: 'hook-Bash', act: async (page) => { await page.getByRole('button', { name: 'Edit, then approve' }).click(); await page.getByRole('textbox', { name: 'command', exact: true }).fill('git status --short'); await page.getByRole('button', { name: 'Review…' }).click(); await page.waitForTimeout(900); } },
  hooked: {},
  'hooked-turn': { state: 'hooked', act: click('The orders page is slow') },
  'hooked-last': { state: 'hooked', act: click('turn ended') },
  stopped: {},
  'stop-dialog': { state: 'one', act: (page) => page.locator('aside.rail [aria-label^="Stop sam"]').first().evaluate((button) => button.click()) },
  disconnected: { act: (page) => page.getByText('Disconnected', { exact: true }).waitFor() },
  replaying: {},
  'read-only': {},
  'store-failing': {},
  disabled: {},
  'port-in-use': {},
  'history-lost': {},
  modal: {},
  filtered: { state: 'quiet', act: async (page) => page.getByRole('searchbox').fill('pytest') },
  unfollowed: { state: 'busy', act: async (page) => { await page.locator('.list').hover(); await page.mouse.wheel(0, -600); await page.waitForTimeout(1500); } },
  mixed: {},
  'mixed-messages': { state: 'mixed', act: (page) => page.getByRole('button', { name: 'Messages' }).click() },
  metrics: { state: 'busy', act: view('Metrics') },
  'metrics-empty': { act: view('Metrics') },
  'metrics-failing': { act: view('Metrics') },
  'connections-empty': { state: 'first-run', act: view('Connections') },
  connections: { state: 'quiet', act: view('Connections') },
  'connect-agent': { state: 'first-run', act: async (page) => { await page.getByRole('button', { name: 'Connect… Claude Code' }).click(); await page.getByRole('region', { name: /^What changes/ }).waitFor(); } },
  'connect-checked': { state: 'quiet', act: async (page) => { await view('Connections')(page); await page.getByRole('button', { name: 'Check Claude Code' }).click(); await page.getByText('a probe event').waitFor(); } },
  'connections-failing': { state: 'failing', act: view('Connections') },
  'connections-form': { state: 'quiet', act: async (page) => { await view('Connections')(page); await page.getByRole('button', { name: 'Attach to a server' }).click(); await page.getByRole('button', { name: 'Attach', exact: true }).click(); } },
  'connections-detach': { state: 'failing', act: async (page) => { await view('Connections')(page); await page.getByRole('button', { name: 'Detach from twin' }).click(); } },
  'connections-read-only': { state: 'read-only', act: view('Connections') },
  help: { state: 'quiet', act: async (page) => page.keyboard.press('?') },
  approvals: { state: 'three', act: async (page) => { await page.evaluate(() => { window.mockHub.answer('ap-1', { decision: 'approve' }, 'dialog'); window.mockHub.answer('ap-2', { decision: 'stop', message: 'Not on main' }, 'rest'); }); await page.keyboard.press('2'); } },
};

build();
await mkdir(folder, { recursive: true });
const server = await serve();
const browser = await launch();
for (const [name, { state = name, act }] of Object.entries(STATES)) {
  if (only.length > 0 && !only.includes(name)) continue;
  for (const [size, [width, height]] of Object.entries(SIZES)) {
    for (const scheme of ['light', 'dark']) {
      if (scheme === 'dark' && size !== 'wide') continue;
      const page = await open(browser, server.url, state, { width, height, scheme });
      await page.waitForTimeout(1200);
      await act?.(page);
      await page.waitForTimeout(250);
      await page.screenshot({ path: join(folder, `${name}-${size}-${scheme}.png`) });
      for (const complaint of page.complaints) console.log(`${name} ${size}: ${complaint}`);
      await page.context().close();
    }
  }
}
await browser.close();
server.close();
