// Connecting agents in the window: what changes is shown first, and nothing is done before it is said.
import assert from 'node:assert/strict';
import { go, stage } from './stage.mjs';

const on = stage();

const stands = (page, agent) => page.evaluate((name) => window.mockHub.agent(name).state, agent);

on('first-run', 'the first page connects an agent, after showing what it writes', async (page) => {
  await page.getByRole('button', { name: 'Connect… Claude Code' }).click();
  const dialog = page.getByRole('dialog', { name: 'Connect Claude Code?' });
  await dialog.getByRole('region', { name: /^What changes in/ }).getByText('"hooks": {').waitFor();
  assert.equal(await stands(page, 'claude-code'), 'none');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await stands(page, 'claude-code'), 'none');
  await page.getByRole('button', { name: 'Connect… Claude Code' }).click();
  await dialog.getByRole('checkbox').check();
  await dialog.getByRole('radio', { name: 'denied', exact: true }).click();
  await dialog.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByText('Tells tokens and cost, too. While Countersign is closed, what it asks is denied.').waitFor();
  assert.equal(await stands(page, 'claude-code'), 'connected');
});

on('quiet', 'a check says what it found and what to do, and disconnecting shows what goes', async (page) => {
  await go(page, 'Connections');
  await page.getByRole('button', { name: 'Check Claude Code' }).click();
  await page.getByText("a probe event arrived in the hub's log").waitFor();
  await page.getByRole('button', { name: 'Disconnect… Claude Code' }).click();
  const dialog = page.getByRole('dialog', { name: 'Disconnect Claude Code?' });
  await dialog.getByRole('region', { name: /^What changes in/ }).waitFor();
  await dialog.getByRole('button', { name: 'Disconnect', exact: true }).click();
  await page.getByRole('button', { name: 'Connect… Claude Code' }).waitFor();
  assert.equal(await stands(page, 'claude-code'), 'none');
});

on('failing', 'what stands in the way is named, and settings that cannot be read offer nothing to press', async (page) => {
  await go(page, 'Connections');
  await page.getByText('"disableAllHooks": true switches all hooks off').waitFor();
  await page.getByText('line 4, column 3').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Connect… Codex' }).count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Fix Claude Code' }).count(), 1);
});

on('read-only', 'without the right to answer, nothing is looked up and nothing offered', async (page) => {
  await go(page, 'Connections');
  await page.getByText('countersign connect claude-code').waitFor();
  assert.equal(await page.getByRole('button', { name: /Connect…/ }).count(), 0);
});
