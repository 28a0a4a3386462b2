// The page as the hub serves it to a browser: connects on load, follows, resumes, and answers once it holds the right.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hub } from './hub.mjs';
import { build, files, launch } from './page.mjs';

let browser;

before(async () => {
  build();
  browser = await launch();
});

after(() => browser?.close());

const APPROVAL = { id: 'ap1', request_id: 'r1', agent: 'sam', session: 's1', origin: 'sam', tool_name: 'Bash', arguments: { command: 'make' }, digest: '', edits: false, seq: 2, asked_at: '2026-01-17T10:30:00.000Z', status: 'pending', delivery: 'waiting' };

/** A hub and a page on it of their own. */
function on(name, run) {
  test(name, { timeout: 120_000 }, async () => {
    const served = await hub(files);
    const context = await browser.newContext();
    const page = await context.newPage();
    try {
      await run(page, served);
    } finally {
      await context.close();
      served.close();
    }
  });
}

on('connects on load, shows what was and what comes, and resumes where it was', async (page, served) => {
  await page.goto(served.url);
  await page.locator('.row.run', { hasText: 'ls' }).waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  assert.deepEqual(served.state.upgrades, ['e1:1']);
  served.publish('tool_call_end', { tool_name: 'Bash', success: true, duration: 0.5, error: null });
  await page.locator('.row', { hasText: '0.50 s' }).waitFor();
  served.down();
  await page.getByText('disconnected, trying again').waitFor();
  served.publish('agent_status', { status: 'idle', details: {} });
  served.up();
  await page.locator('.row', { hasText: 'idle' }).waitFor();
  assert.deepEqual(served.state.upgrades, ['e1:1', 'e1:2']);
  assert.equal(await page.locator('.row').count(), 2);
});

on('trades the code for the right, leaves it in no address, and answers in the modal', async (page, served) => {
  await page.goto(`${served.url}/#code=c0de`);
  await page.locator('.row').waitFor();
  assert.equal(page.url(), `${served.url}/`);
  served.state.approvals = [APPROVAL];
  served.publish('approval_request', { request_id: 'r1', tool_name: 'Bash', arguments: { command: 'make' }, reason: 'to build' });
  await page.locator('dialog').getByText('Why: to build').waitFor();
  await page.locator('dialog button.approve[aria-disabled="false"]').click();
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.deepEqual(served.state.decisions, ['approve']);
  served.state.approvals = [{ ...APPROVAL, id: 'ap2', request_id: 'r2', seq: 3 }];
  await page.reload();
  await page.locator('dialog button.approve').waitFor();
  assert.equal(await page.getByText('read only').count(), 0);
});

on('with a code that was used it only reads', async (page, served) => {
  served.state.approvals = [APPROVAL];
  await page.goto(`${served.url}/#code=old`);
  await page.locator('.strip').getByText('countersign dashboard').waitFor();
  assert.equal(await page.locator('dialog, button.approve').count(), 0);
});
