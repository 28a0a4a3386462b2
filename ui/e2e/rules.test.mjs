// Standing answers and the rules that come of them, on the built page in Chromium, against the mock hub.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { build, launch, open, serve } from './page.mjs';

let server, browser;

before(async () => {
  build();
  server = await serve();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.close();
});

test('an answer for the session or for always makes a rule, which is listed and revoked after a confirmation', { timeout: 120_000 }, async () => {
  const page = await open(browser, server.url, 'three');
  try {
    for (const word of ['Allow for this session', 'Always allow exactly this call']) {
      await page.locator('.strip .standing button[aria-disabled="false"]', { hasText: word }).click();
      await page.locator('.notices, [role=status]', { hasText: /Approved/ }).first().waitFor();
    }
    await page.keyboard.press('Escape');
    await page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: 'Rules' }).click();
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
    assert.deepEqual(page.complaints, []);
  } finally {
    await page.context().close();
  }
});

test('the rate counts what came before the page was loaded', { timeout: 120_000 }, async () => {
  const page = await open(browser, server.url, 'busy');
  try {
    await page.locator('footer', { hasText: /[1-9]\d* events\/min/ }).waitFor();
    assert.deepEqual(page.complaints, []);
  } finally {
    await page.context().close();
  }
});
