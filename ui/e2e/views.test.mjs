// What agents of every dialect show in the window, its figures and its connections; on the built page in Chromium, against the mock hub.
import assert from 'node:assert/strict';
import { fits, go, stage } from './stage.mjs';

const on = stage();

on('mixed', 'shows runs, messages and presence of every dialect, and what each agent speaks', async (page) => {
  const row = (words) => page.locator('.row', { hasText: words });
  await row('run paused').getByText('needs you').waitFor();
  assert.equal(await row('Can you shorten the second paragraph?').locator('b').innerText(), 'ada');
  assert.equal(await row('Can you shorten the second paragraph?').locator('.dialect').innerText(), 'cloud');
  await row('run failed').and(page.locator('.bad')).getByText('The price list has no entry').waitFor();
  await row('temperature').getByText('celsius 21.4').waitFor();
  await page.getByLabel('People').getByText('grace').waitFor();
  assert.equal(await page.getByRole('progressbar', { name: 'deal-desk / exec-41c' }).getAttribute('aria-valuenow'), '85');
  await page.getByRole('button', { name: 'Messages', exact: true }).click();
  await page.getByText(/^filtered:/).waitFor();
  assert.equal(await row('run failed').count(), 0);
});

on('mixed', 'a run that waits for a person needs you, says why, and no longer once it goes on', async (page) => {
  const line = page.locator('.rail .needs_you', { hasText: 'contracts' });
  await line.getByText('HITL: a person has to read clause 7').waitFor();
  await page.evaluate(async () => {
    window.mockHub.publish({ origin: 'hive', agent: 'contracts', session: 'exec-9a0', kind: 'execution_resumed', data: {} });
    await window.mockHub.applied();
  });
  await line.waitFor({ state: 'detached' });
  await page.locator('.row', { hasText: 'run goes on' }).waitFor();
  await page.locator('.row', { hasText: 'run paused' }).getByText('needs you').waitFor({ state: 'detached' });
});

on('quiet', 'the figures of 1 to 168 hours, and from a tool to its calls', async (page) => {
  await page.keyboard.press('3');
  const calls = page.locator('.figures div', { hasText: 'Tool calls' }).locator('dd');
  await calls.waitFor();
  await page.getByText('up to date').waitFor();
  const day = await calls.innerText();
  await page.getByRole('radio', { name: '7 days' }).click();
  await page.waitForFunction((before) => document.querySelector('.figures dd').textContent !== before, day);
  await page.getByRole('cell', { name: 'claude-sonnet-4-5' }).waitFor();
  await page.getByText('≈ estimated from a table of prices').waitFor();
  const hours = page.getByLabel('Hours, 1 to 168');
  await hours.fill('400');
  await hours.press('Tab');
  assert.equal(await hours.inputValue(), '168');
  await page.getByRole('button', { name: 'Bash' }).click();
  await page.getByText(/^filtered: \d+ of/).waitFor();
  assert.equal(await page.getByRole('searchbox').inputValue(), 'Bash');
});

on('metrics-empty', 'without figures it says what would be counted', async (page) => {
  await go(page, 'Metrics');
  await page.getByText('Nothing was counted in the last 24 h').waitFor();
});

on('metrics-failing', 'figures that cannot be had are said', async (page) => {
  await go(page, 'Metrics');
  await page.getByRole('alert').getByText('The figures could not be loaded').waitFor();
});

on('failing', 'says which upstreams and webhooks are in trouble, and sends again', async (page) => {
  await page.locator('footer').getByText('upstream metrics-host, twin unreachable · webhook sheet refused').waitFor();
  await page.locator('header .trouble', { hasText: '4' }).waitFor();
  await go(page, 'Connections');
  await page.getByText('Connection refused (os error 111)').waitFor();
  await page.getByText('3 dead-lettered').waitFor();
  await page.getByRole('button', { name: 'Send again to sheet' }).click();
  await page.getByText('3 dead-lettered').waitFor({ state: 'detached' });
  await page.locator('header .trouble', { hasText: '3' }).waitFor();
});

on('quiet', 'attaches to a server by keyboard, and detaches only after saying what that does', async (page) => {
  await go(page, 'Connections');
  await page.getByRole('button', { name: 'Attach to a server' }).press('Enter');
  await page.locator('form input:focus').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('Give it a name').waitFor();
  await page.keyboard.type('desk2');
  await page.getByRole('radio', { name: 'hive' }).click();
  await page.getByLabel('Address').fill('no address');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('The address is no address').waitFor();
  await page.getByLabel('Address').fill('ws://127.0.0.1:9000/stream');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Detach from desk2' }).click();
  await page.getByText('cancelled here, not approved').waitFor();
  await page.locator('dialog').getByRole('button', { name: 'Detach', exact: true }).click();
  await page.getByRole('button', { name: 'Detach from desk2' }).waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('button', { name: 'Detach from lab' }).count(), 0, 'the configuration alone removes it');
});

on('read-only', 'without the right nothing is attached, detached or sent again', async (page) => {
  await go(page, 'Connections');
  await page.getByText('ws://10.2.0.14:8080/stream').waitFor();
  assert.equal(await page.getByRole('button', { name: /Attach|Detach|Send again/ }).count(), 0);
});

on('quiet', 'says how an agent of each dialect is connected', async (page) => {
  await go(page, 'Connections');
  for (const [dialect, words] of [['hive', '/stream'], ['amiga', 'socket.io-client'], ['cloud', 'agentName'], ['codex', '/codex'], ['sam', '/publish']]) {
    await page.getByRole('tab', { name: dialect }).click();
    await page.getByRole('tabpanel').locator('pre', { hasText: words }).waitFor();
  }
});

for (const [state, name] of [['quiet', 'Metrics'], ['metrics-empty', 'Metrics'], ['failing', 'Connections'], ['first-run', 'Connections']]) {
  for (const [width, height] of [[1280, 800], [900, 600], [420, 800]]) {
    on(state, `${name} (${state}) fits ${width} by ${height}`, async (page) => {
      await go(page, name);
      await page.locator(name === 'Metrics' ? '.scroll header' : '.scroll section').first().waitFor();
      await fits(page);
    }, { width, height });
  }
}
