// Standing answers and the rules that come of them, on the built page in Chromium, against the mock hub.
import assert from 'node:assert/strict';
import { go, stage } from './stage.mjs';

const on = stage();

on('three', 'an answer for the session or for always makes a rule, which is listed and revoked after a confirmation', async (page) => {
  for (const word of ['Allow for this session', 'Always allow exactly this call']) {
    await page.locator('.strip .standing button[aria-disabled="false"]', { hasText: word }).click();
    await page.locator('.notices, [role=status]', { hasText: /Approved/ }).first().waitFor();
  }
  await page.keyboard.press('Escape');
  await go(page, 'Rules');
  const rules = page.getByRole('list', { name: 'Rules' }).getByRole('listitem');
  await rules.nth(1).waitFor();
  assert.equal(await rules.count(), 2);
  await rules.first().getByRole('button', { name: 'Revoke…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await rules.count(), 2, 'nothing is revoked unasked');
  await rules.first().getByRole('button', { name: 'Revoke…' }).click();
  await dialog.getByRole('button', { name: 'Revoke the rule' }).click();
  await rules.nth(1).waitFor({ state: 'detached' });
  assert.equal(await rules.count(), 1);
});

on('busy', 'the rate counts what came before the page was loaded', async (page) => {
  await page.locator('footer', { hasText: /[1-9]\d* events\/min/ }).waitFor();
});
