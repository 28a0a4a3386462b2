// How a person answers: one request or several, in the strip or the modal, by mouse or keyboard; on the built page in Chromium, against the mock hub.
import assert from 'node:assert/strict';
import { atOnce, done } from './page.mjs';
import { answered, armed, stage } from './stage.mjs';

const on = stage();
const focused = (page, attribute) => page.evaluate((name) => document.activeElement.getAttribute(name), attribute);

on('one', 'approves by mouse, once the request has been there for a moment', async (page) => {
  await done(page);
  await armed(page);
  assert.deepEqual(await answered(page), []);
  await page.locator('.strip button.approve').click();
  await page.locator('.strip').waitFor({ state: 'detached' });
  assert.deepEqual(await answered(page), ['ap-1 approve window']);
}, { before: (page) => page.addInitScript(atOnce, { shows: '.strip button.approve', on: '.strip button.approve' }) });

on('three', 'answers by keyboard, oldest first, and is inert again for each next one', async (page) => {
  await armed(page);
  await page.keyboard.press('a');
  assert.deepEqual(await answered(page), [], 'the strip has not been gone to');
  await page.keyboard.press('w');
  await page.evaluate(atOnce, { shows: '.strip h2', words: '2 waiting', on: '.strip .open', key: 'a' });
  await page.keyboard.press('d');
  await done(page);
  await armed(page);
  assert.deepEqual(await answered(page), ['ap-1 deny window']);
  await page.keyboard.press('s');
  await page.locator('.strip h2', { hasText: '1 waiting' }).waitFor();
  assert.deepEqual(await answered(page), ['ap-1 deny window', 'ap-2 stop window']);
  await armed(page);
  await page.keyboard.press('a');
  await page.locator('.strip').waitFor({ state: 'detached' });
  assert.equal(await focused(page, 'role'), 'listbox');
});

on('one', 'letters typed into a search answer nothing', async (page) => {
  await armed(page);
  await page.keyboard.press('/');
  await page.keyboard.type('ads');
  assert.equal(await page.getByRole('searchbox').inputValue(), 'ads');
  assert.deepEqual(await answered(page), []);
});

on('one', 'coming to the front makes answers inert again', async (page) => {
  await armed(page);
  const disabled = await page.evaluate(async () => {
    window.dispatchEvent(new Event('focus'));
    const approve = document.querySelector('.strip button.approve');
    approve.click();
    await Promise.resolve();
    return approve.getAttribute('aria-disabled');
  });
  assert.equal(disabled, 'true');
  await armed(page);
  assert.deepEqual(await answered(page), []);
});

on('one', 'says who was first when the request was answered elsewhere', async (page) => {
  await armed(page);
  await page.evaluate(() => {
    const hub = window.mockHub;
    hub.approvals[0] = { ...hub.approvals[0], status: 'approved', decision: { decision: 'approve', scope: 'once', by: 'dialog', at: new Date().toISOString() } };
  });
  await page.locator('.strip button.deny').click();
  await page.getByText('Answered elsewhere: approved by the dialog').first().waitFor();
  await page.locator('.strip').waitFor({ state: 'detached' });
});

on('one', 'a request answered in the dialog leaves the strip and says so', async (page) => {
  await page.locator('.strip').waitFor();
  await page.evaluate(() => window.mockHub.answer('ap-1', { decision: 'deny' }, 'dialog'));
  await page.getByText('denied by the dialog').first().waitFor();
  await page.locator('.strip').waitFor({ state: 'detached' });
});

on('long', 'shows the whole of a long request', async (page) => {
  const text = await page.locator('.strip .open pre').innerText();
  assert.match(text, /^BEGIN;/);
  assert.match(text, /COMMIT;$/);
});

on('treacherous', 'shows hidden characters and never reads agent text as HTML', async (page) => {
  const text = await page.locator('.strip .open').innerText();
  for (const code of ['202E', '202C', '200B', '000D', '001B']) assert.match(text, new RegExp(`⟨U\\+${code}⟩`));
  assert.match(text, /<b>shell<\/b>/);
  assert.equal(await page.locator('.strip .open p b').count(), 0);
});

/** The buttons of the summary answer by now. */
const summaryArmed = (page) => page.locator('dialog.several button.approve[aria-disabled="false"]').waitFor();

on('three', 'selects by keyboard, shows each whole before all are answered at once, and Escape answers nothing', async (page) => {
  await page.keyboard.press('w');
  await page.locator('.strip li.open:focus').waitFor();
  await page.keyboard.press('x');
  await page.getByRole('button', { name: 'Answer 1…' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.locator('.strip li.open:focus', { hasText: 'edit_file' }).waitFor();
  await page.keyboard.press('x');
  await page.getByRole('button', { name: 'Answer 2…' }).waitFor();
  await page.evaluate(atOnce, { shows: 'dialog.several .deny', on: 'dialog.several .approve' });
  await page.keyboard.press('Enter');
  await done(page);
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H2');
  const summary = page.locator('dialog.several');
  assert.deepEqual(await summary.locator('li h3 strong').allInnerTexts(), ['Bash', 'edit_file']);
  await summary.getByText('rm -rf build dist .cache && pip install -e .').waitFor();
  await summary.getByText('limit: 500').waitFor();
  await summaryArmed(page);
  for (const key of ['Enter', 'Space', 'a', 'd', 's', 'x']) await page.keyboard.press(key);
  await page.keyboard.press('Escape');
  await summary.waitFor({ state: 'detached' });
  await page.locator('.strip li.open:focus').waitFor();
  assert.deepEqual(await answered(page), []);

  await page.keyboard.press('Enter');
  await summaryArmed(page);
  await page.getByRole('button', { name: 'Deny all 2' }).focus();
  await page.keyboard.press('Enter');
  // All went as it was wanted: it closes by itself.
  await summary.waitFor({ state: 'detached' });
  assert.deepEqual(await answered(page), ['ap-1 deny window', 'ap-2 deny window']);
  await page.locator('.strip h2', { hasText: '1 waiting' }).waitFor();
  await page.getByText('2 requests denied.').first().waitFor();
  await page.locator('.strip li.open:focus', { hasText: 'execute_code' }).waitFor();
  assert.equal(await page.locator('.strip button.several').count(), 0);
});

on('ten', 'says of each of several what came of it: approved, answered elsewhere, failed', async (page) => {
  await page.getByRole('checkbox', { name: 'Select Bash for claude / web' }).first().check();
  await page.getByRole('button', { name: 'Answer 1…' }).waitFor();
  await page.getByRole('button', { name: 'Select all' }).click();
  await page.getByRole('button', { name: 'Answer 10…' }).click();
  const summary = page.locator('dialog.several');
  const item = (n) => summary.locator('li').nth(n - 1).locator('.outcome');
  await page.evaluate(() => window.mockHub.answer('ap-2', { decision: 'deny' }, 'dialog'));
  await item(2).getByText('Answered elsewhere: denied by the dialog.').waitFor();
  await page.evaluate(() => {
    const hub = window.mockHub;
    const answer = hub.answer.bind(hub);
    hub.approvals[4] = { ...hub.approvals[4], status: 'stopped', decision: { decision: 'stop', scope: 'once', by: 'rest', at: new Date().toISOString() } };
    hub.answer = (id, ...rest) => {
      if (id === 'ap-7' && !hub.healed) throw new Error('no space left on the device');
      return answer(id, ...rest);
    };
  });
  await summaryArmed(page);
  await page.getByRole('button', { name: 'Approve all 9' }).click();
  await item(10).getByText('Approved: http_post for sam.').waitFor();
  await item(5).getByText('Answered elsewhere: stopped by a browser or program. Your answer changed nothing.').waitFor();
  await item(7).getByText('Not answered: no space left on the device').waitFor();
  await page.getByText('7 requests approved, 1 answered elsewhere, 1 not answered, still waiting.').first().waitFor();
  assert.deepEqual(await answered(page), ['ap-2 deny dialog', ...[1, 3, 4, 6, 8, 9, 10].map((n) => `ap-${n} approve window`)]);
  await page.evaluate(() => (window.mockHub.healed = true));
  await summaryArmed(page);
  await page.getByRole('button', { name: 'Approve 1', exact: true }).click();
  await item(7).getByText('Approved: edit_file for claude.').waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  await summary.waitFor({ state: 'detached' });
  await page.locator('[role="listbox"]:focus').waitFor();
});

on('ten', 'closing the summary while answers are on their way sends no more of them', async (page) => {
  await page.getByRole('button', { name: 'Select all' }).click();
  await page.getByRole('button', { name: 'Answer 10…' }).click();
  await summaryArmed(page);
  await page.evaluate(() => {
    const hub = window.mockHub;
    const answer = hub.answer.bind(hub);
    hub.answer = (id, ...rest) => {
      const given = answer(id, ...rest);
      if (id === 'ap-3') document.querySelector('dialog.several').close();
      return given;
    };
    document.querySelector('dialog.several button.approve').click();
  });
  await page.getByText(/requests approved, \d not answered, still waiting/).first().waitFor();
  const given = await answered(page);
  assert.ok(given.length >= 3 && given.length < 10, `${given.length} answered`);
  await page.locator('.strip h2', { hasText: `${10 - given.length} waiting` }).waitFor();
});

on('long', 'the summary cuts nothing off', async (page) => {
  await page.keyboard.press('w');
  await page.locator('.strip li.open:focus').waitFor();
  await page.keyboard.press('x');
  await page.keyboard.press('Enter');
  const code = page.locator('dialog.several pre').first();
  assert.match(await code.innerText(), /^BEGIN;[^]*COMMIT;$/);
  await page.locator('dialog.several .body').focus();
  await page.keyboard.press('End');
  await page.waitForFunction(() => {
    const body = document.querySelector('dialog.several .body');
    return body.scrollTop > 500 && body.scrollTop + body.clientHeight >= body.scrollHeight - 2;
  });
});

on('read-only', 'has no answers without the right, and says how to get it', async (page) => {
  await page.locator('.strip').getByText('countersign dashboard').waitFor();
  await page.locator('.rail .needs_you').first().waitFor();
  assert.equal(await page.locator('.strip button.approve, .strip button.deny, .strip input, .rail .act').count(), 0);
});

on('modal', 'asks in a modal without a default, and Escape answers nothing', async (page) => {
  const modal = page.locator('dialog');
  await modal.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H2');
  await armed(page, 'dialog');
  for (const key of ['Enter', 'Space', 'a', 'd', 's', 'y']) await page.keyboard.press(key);
  assert.deepEqual(await answered(page), []);
  await page.keyboard.press('Escape');
  await modal.waitFor({ state: 'detached' });
  await page.locator('.strip h2', { hasText: '3 waiting' }).waitFor();
  // The page asks again what waits, and again shows no modal for it.
  await page.evaluate(() => window.mockHub.publish({ kind: 'session_stopped', agent: 'other', session: 'o1', data: { by: 'cli' } }));
  await page.locator('.row', { hasText: 'by cli' }).waitFor();
  await page.evaluate(() => window.mockHub.applied());
  assert.equal(await modal.count(), 0);
  assert.deepEqual(await answered(page), []);
});

on('modal', 'the modal answers by Tab and Enter, then asks about the next, inert again', async (page) => {
  await armed(page, 'dialog');
  await page.evaluate(atOnce, { shows: 'dialog h2', words: 'edit_file', on: 'dialog button.approve' });
  await page.locator('dialog button.deny').focus();
  await page.keyboard.press('Enter');
  await done(page);
  await armed(page, 'dialog');
  await page.locator('dialog').getByText('edit_file').waitFor();
  assert.deepEqual(await answered(page), ['ap-1 deny window']);
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H2');
});

on('one', 'stops a session only after saying what that does, and lifts the stop', async (page) => {
  await page.locator('.rail .needs_you', { hasText: 'ingest-7f2' }).waitFor();
  await page.getByRole('button', { name: 'Stop sam / ingest-7f2' }).click();
  await page.getByText('1 waiting request of this session is answered with stop.').waitFor();
  assert.deepEqual(await answered(page), []);
  await page.getByRole('button', { name: 'Stop this session' }).click();
  await page.locator('.strip').waitFor({ state: 'detached' });
  assert.deepEqual(await answered(page), ['ap-1 stop window']);
  await page.locator('.rail .stopped', { hasText: 'ingest-7f2' }).waitFor();
  await page.getByRole('button', { name: 'Lift the stop of sam / ingest-7f2' }).click();
  await page.getByRole('button', { name: 'Lift the stop', exact: true }).click();
  await page.getByRole('button', { name: 'Stop sam / ingest-7f2' }).waitFor();
});
