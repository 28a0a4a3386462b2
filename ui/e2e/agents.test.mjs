// What today's agents ask through their hooks, answered at the window: permissions to keep, questions, plans, edited arguments; and
// their sessions with subagents. On the built page in Chromium, against the mock hub.
import assert from 'node:assert/strict';
import { fits, stage } from './stage.mjs';

const on = stage();

const given = (page) => page.evaluate(() => window.mockHub.given);
const press = (page, word) => page.locator('.strip button[aria-disabled="false"]', { hasText: word }).first().click();
const gone = (page) => page.locator('.strip').waitFor({ state: 'detached' });

for (const state of ['hooks', 'hooked', 'hook-AskUserQuestion', 'hook-ExitPlanMode', 'hook-MultiEdit']) {
  for (const [width, height] of [[1280, 800], [420, 800]]) {
    on(state, `${state} fits ${width} by ${height} without a complaint`, async (page) => {
      await page.locator('.row').first().waitFor({ state: 'attached' });
      await fits(page);
    }, { width, height });
  }
}

on('hook-Edit', 'sends the permissions that were ticked with an approval, and none with a denial', async (page) => {
  const tick = page.getByRole('checkbox', { name: 'Accept edits without asking, for this session' });
  await tick.check();
  await press(page, 'Approve');
  await gone(page);
  assert.deepEqual(await given(page), [{ decision: 'approve', grants: [0] }]);
});

on('hook-Write', 'denies without a permission, whatever was ticked, and with the note', async (page) => {
  await page.getByRole('checkbox', { name: /Accept edits/ }).check();
  await page.getByRole('textbox', { name: 'Note to the agent' }).fill('not there');
  await press(page, 'Deny');
  await gone(page);
  assert.deepEqual(await given(page), [{ decision: 'deny', message: 'not there' }]);
});

on('hook-codex', 'offers no stop, no edits and no permissions where the agent can carry out none', async (page) => {
  await page.locator('.strip button.approve[aria-disabled="false"]').waitFor();
  assert.deepEqual(await page.locator('.strip .answers button').allInnerTexts().then((all) => all.map((words) => words.split('\n')[0])), ['Approve', 'Deny']);
  assert.equal(await page.getByRole('button', { name: /Edit, then approve/ }).count(), 0);
  assert.equal(await page.getByRole('button', { name: /^Stop codex/ }).count(), 0);
  await page.locator('.strip li.open').focus();
  await page.keyboard.press('s');
  assert.deepEqual(await given(page), []);
});

on('hook-AskUserQuestion', "answers the agent's questions once each has an answer", async (page) => {
  const answer = page.locator('.strip button.approve');
  assert.equal(await page.locator('.strip input[title^="Select"]').count(), 0, 'it has no answer in common with others');
  await page.getByRole('radio', { name: 'SQLite' }).check();
  await page.getByRole('radio', { name: 'Postgres' }).check();
  await page.getByRole('checkbox', { name: 'API' }).check();
  await page.getByRole('checkbox', { name: 'Reader' }).check();
  await page.getByRole('checkbox', { name: 'API' }).uncheck();
  await page.getByPlaceholder('Something more, in your own words').fill('the docs');
  await page.locator('.strip button.approve[aria-disabled="false"]').waitFor();
  // Without an answer to each nothing is sent.
  await page.getByRole('checkbox', { name: 'Reader' }).uncheck();
  await page.getByPlaceholder('Something more, in your own words').fill('');
  await page.locator('.strip button.approve[aria-disabled="true"]').waitFor();
  await answer.click({ force: true });
  assert.deepEqual(await given(page), []);
  await page.getByRole('checkbox', { name: 'Reader' }).check();
  await page.getByPlaceholder('Something more, in your own words').fill('the docs');
  await press(page, 'Answer');
  await gone(page);
  const [sent] = await given(page);
  assert.equal(sent.decision, 'approve');
  assert.deepEqual(sent.arguments.answers, { 'Which database should the ingest write to?': 'Postgres', 'Which parts should be tested?': 'Reader, the docs' });
  assert.equal(sent.arguments.questions.length, 2);
});

on('hook-AskUserQuestion', 'takes other words instead of an option', async (page) => {
  await page.getByRole('radio', { name: 'SQLite' }).check();
  await page.getByPlaceholder('Something else, in your own words').fill('a flat file');
  assert.equal(await page.getByRole('radio', { name: 'SQLite' }).isChecked(), false);
  await page.getByRole('checkbox', { name: 'Writer' }).check();
  await press(page, 'Answer');
  await gone(page);
  assert.equal((await given(page))[0].arguments.answers['Which database should the ingest write to?'], 'a flat file');
});

on('hook-ExitPlanMode', 'shows a plan laid out, without a link to follow or an image to load, and starts it', async (page) => {
  const plan = page.getByRole('region', { name: 'the plan' });
  await plan.getByRole('heading', { name: 'Keep the ingest running' }).waitFor();
  await plan.getByText('https://wiki.example.com/runbook').waitFor();
  assert.equal(await plan.locator('a, img, script, iframe').count(), 0);
  await page.getByRole('button', { name: 'Show it as it was written' }).click();
  await plan.getByText('| Step | Takes |').waitFor();
  await press(page, 'Start');
  await gone(page);
  assert.deepEqual(await given(page), [{ decision: 'approve' }]);
});

on('hook-ExitPlanMode', 'sends a plan back with what is to change', async (page) => {
  await page.getByRole('textbox', { name: 'Note to the agent' }).fill('Step 2 first');
  await press(page, 'Keep planning');
  await gone(page);
  assert.deepEqual(await given(page), [{ decision: 'deny', message: 'Step 2 first' }]);
});

on('hook-Bash', 'runs other arguments only after they were shown against what was asked for', async (page) => {
  await page.getByRole('button', { name: 'Edit, then approve…' }).first().click();
  const sheet = page.locator('dialog.edit');
  const review = sheet.getByRole('button', { name: 'Review…' });
  assert.equal(await review.isDisabled(), true, 'nothing is changed yet');
  const json = sheet.getByRole('textbox', { name: /Other arguments/ });
  const before = await json.inputValue();
  await json.fill('{');
  await sheet.getByText('This is not JSON').waitFor();
  assert.equal(await review.isDisabled(), true);
  await json.fill(before);
  await sheet.getByRole('textbox', { name: 'command', exact: true }).fill('git status --short');
  await review.click();
  await sheet.getByRole('region', { name: 'what you changed' }).getByText('git push').waitFor();
  assert.deepEqual(await given(page), []);
  await sheet.locator('button.approve[aria-disabled="false"]').click();
  await sheet.waitFor({ state: 'detached' });
  const [sent] = await given(page);
  assert.deepEqual(sent, { decision: 'approve', arguments: { command: 'git status --short', description: 'Push the branch, over what is there' } });
  await page.locator('.row', { hasText: 'edited' }).waitFor();
});

on('hook-Bash', 'takes the sheet of edits away when the request was answered elsewhere', async (page) => {
  await page.getByRole('button', { name: 'Edit, then approve…' }).first().click();
  await page.locator('dialog.edit').waitFor();
  await page.evaluate(() => window.mockHub.answer('ap-1', { decision: 'deny' }, 'dialog'));
  await page.locator('dialog.edit').waitFor({ state: 'detached' });
});

on('hook-MultiEdit', 'shows each edit of a file as its lines', async (page) => {
  assert.equal(await page.locator('.strip .diff').count(), 2);
  await page.locator('.strip').getByText('/home/ada/shop/src/a.ts').waitFor();
});

on('hooks-modal', 'asks in a modal where nothing else does, with what the agent offers', async (page) => {
  const modal = page.locator('dialog.modal');
  await modal.getByRole('checkbox', { name: /Allow git status/ }).check();
  await modal.locator('button.approve[aria-disabled="false"]').click();
  await modal.getByText('asks you').waitFor();
  assert.deepEqual(await given(page), [{ decision: 'approve', grants: [0] }]);
});

on('hooked', 'puts subagents beneath their session, and folds the quiet ones away', async (page) => {
  const rail = page.getByRole('navigation', { name: 'Sessions' });
  assert.deepEqual(await rail.locator('li.child .who').allInnerTexts(), ['Explore']);
  await rail.getByRole('button', { name: '1 more subagent' }).click();
  assert.deepEqual(await rail.locator('li.child .who').allInnerTexts(), ['Explore', 'Plan']);
  await rail.getByRole('button', { name: 'Hide quiet subagents' }).click();
  assert.equal(await rail.locator('li.child').count(), 1);
});

on('hooked', 'a session of Codex has no stop; one of Claude Code does, and says that its subagents end with it', async (page) => {
  const rail = page.getByRole('navigation', { name: 'Sessions' });
  assert.equal(await rail.getByRole('button', { name: /^Stop codex/ }).count(), 0);
  await rail.getByRole('button', { name: /^Stop claude-code \/ shop/ }).evaluate((button) => button.click());
  await page.getByRole('dialog').getByText('Its 1 subagent is stopped with it.').waitFor();
});

on('hooked', "a prompt's details show it, and what the model took for it", async (page) => {
  await page.locator('.row', { hasText: 'The orders page is slow' }).click();
  await page.getByText('2 requests, 9,224 in, 506 out').last().waitFor();
});
