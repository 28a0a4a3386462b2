// A file's browser around its tests, each on a page of its own that must not complain; and what a person does on any page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { build, launch, open, serve } from './page.mjs';

/** Starts a browser before the file's tests and ends it after them. Returns how to write one, on a page in a mock state. */
export function stage() {
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
  return (state, name, run, options) => {
    test(name, { timeout: 120_000 }, async () => {
      const page = await open(browser, server.url, state, options);
      try {
        await run(page);
        assert.deepEqual(page.complaints, []);
      } finally {
        await page.context().close();
      }
    });
  };
}

/** What the mock hub was answered. */
export const answered = (page) => page.evaluate(() => window.mockHub.answered);
/** Waits until answers count. */
export const armed = (page, within = '.strip') => page.locator(`${within} button.approve[aria-disabled="false"]`).waitFor();
/** Publishes, and waits until the page has taken it in. */
export const publish = (page, count) => page.evaluate(async (n) => (window.mockHub.burst(n), window.mockHub.applied()), count);
/** Goes to a view by its name. */
export const go = (page, name) => page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name }).click();

/** The page is as large as its window. */
export async function fits(page) {
  const over = await page.evaluate(() => [document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]);
  assert.deepEqual(over, [0, 0]);
}
