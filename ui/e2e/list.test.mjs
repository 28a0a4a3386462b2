// The live list: a call's row and its details, filtering, older pages, following and pausing, bursts; on the built page in Chromium, against the mock hub.
import assert from 'node:assert/strict';
import { publish, stage } from './stage.mjs';

const on = stage();
/** How many rows are loaded. */
const loaded = async (page) => Number((await page.locator('.bar .count').innerText()).replace(/\D/g, ''));

on('quiet', 'a call is one row, with details by mouse and keyboard', async (page) => {
  await page.locator('.row', { hasText: 'exit status 1' }).first().click();
  const details = page.getByLabel('Details', { exact: true });
  await details.getByText('tests/ingest/test_reader.py::test_semicolons').waitFor();
  await details.getByText('1 failed, 5 passed').waitFor();
  await page.keyboard.press('j');
  const id = await page.locator('.row.selected').getAttribute('id');
  await page.keyboard.press('k');
  assert.notEqual(await page.locator('.row.selected').getAttribute('id'), id);
  await page.keyboard.press('Enter');
  await page.locator('[aria-label="Details"]:focus').waitFor();
  await page.keyboard.press('Escape');
  await details.waitFor({ state: 'detached' });
  await page.locator('[role="listbox"]:focus').waitFor();
});

on('printed', 'shows the colours of a result as text that can be read, and every other control sequence', async (page) => {
  await page.locator('.row', { hasText: 'pytest --color=yes' }).click();
  const result = page.getByRole('region', { name: 'result', exact: true });
  await result.getByText('FAILED', { exact: true }).waitFor();
  const seen = await page.evaluate(() => {
    const parts = [...document.querySelectorAll('[aria-label="result"] span span')];
    const look = (words) => {
      const { color, backgroundColor, fontWeight } = getComputedStyle(parts.find((part) => part.textContent === words));
      return { color, backgroundColor, fontWeight };
    };
    return { failed: look('FAILED'), hidden: look('white on white'), styled: document.querySelectorAll('[aria-label="result"] [style]').length, bold: document.querySelectorAll('[aria-label="result"] b').length };
  });
  assert.equal(seen.failed.fontWeight, '700');
  assert.match(seen.failed.color, /^rgb\((1[5-9]\d|2\d\d), /);
  assert.deepEqual(seen.hidden, { color: 'rgb(0, 0, 0)', backgroundColor: 'rgb(204, 204, 204)', fontWeight: '400' });
  assert.deepEqual([seen.styled, seen.bold], [0, 0]);
  const text = await result.innerText();
  for (const words of ['⟨U+001B⟩[8mconcealed', '⟨U+001B⟩[2J', '<b>not bold</b>', '⟨U+001B⟩]8;;http://example.com⟨U+0007⟩']) assert.ok(text.includes(words), words);
  assert.doesNotMatch(text, /\[\d*m[^c]/);
});

on('quiet', 'filters what is loaded and says how much that is', async (page) => {
  await page.keyboard.press('/');
  await page.keyboard.type('pytest');
  await page.getByText(/^filtered: \d+ of \d+/).waitFor();
  const names = await page.locator('.row b').allInnerTexts();
  assert.deepEqual([...new Set(names)], ['Bash']);
});

on('older', 'loads older pages at the top, and what is read stays where it is', async (page) => {
  await page.locator('.row').last().waitFor();
  const first = await loaded(page);
  // As a wheel does, but without the animation, whose end nothing tells.
  await page.locator('.list').evaluate((list) => {
    list.dispatchEvent(new WheelEvent('wheel', { deltaY: -100_000 }));
    list.scrollTop = 0;
  });
  await page.waitForFunction((n) => Number(document.querySelector('.bar .count').textContent.replace(/\D/g, '')) > n + 100, first);
  await page.getByText('Loading older events').waitFor({ state: 'detached' });
  const place = () => page.evaluate(() => {
    const top = document.querySelector('.list').getBoundingClientRect().top;
    const row = [...document.querySelectorAll('.row')].find((r) => r.getBoundingClientRect().bottom > top + 1);
    return [row.id, Math.round(row.getBoundingClientRect().top)];
  });
  const before = await place();
  const known = await loaded(page);
  await publish(page, 300);
  await page.getByText(/\d+ new rows/).waitFor();
  assert.ok((await loaded(page)) > known + 50);
  assert.deepEqual(await place(), before);
});

on('quiet', 'follows the newest row until scrolled up; f follows again', async (page) => {
  await publish(page, 500);
  const atEnd = () => page.waitForFunction(() => {
    const list = document.querySelector('.list');
    return list.scrollTop > 1000 && list.scrollTop + list.clientHeight >= list.scrollHeight - 2;
  });
  await atEnd();
  await page.locator('.list').hover();
  await page.mouse.wheel(0, -400);
  await page.getByText('Not following').waitFor();
  await publish(page, 200);
  await page.getByText(/new rows/).waitFor();
  await page.keyboard.press('f');
  await atEnd();
});

on('quiet', 'pausing holds the rows and counts what comes', async (page) => {
  // Pausing holds what has been loaded: before the first page there would be nothing to hold.
  await page.locator('.row').last().waitFor();
  await page.keyboard.press('Space');
  const last = await page.locator('.row').last().getAttribute('id');
  await publish(page, 100);
  await page.getByText(/Paused · \d+ new rows/).waitFor();
  assert.equal(await page.locator('.row').last().getAttribute('id'), last);
});

on('quiet', 'a burst of 50,000 events never freezes the page, and few rows are in the DOM', async (page) => {
  const { longest, whole } = await page.evaluate(async () => {
    let worst = 0;
    let last = performance.now();
    let go = true;
    const beat = () => {
      const now = performance.now();
      worst = Math.max(worst, now - last);
      last = now;
      if (go) requestAnimationFrame(beat);
    };
    const hub = window.mockHub;
    const begun = last;
    for (let n = 0; n < 50; n++) {
      hub.burst(1000);
      if (n === 0) requestAnimationFrame(beat);
      await new Promise((done) => setTimeout(done, 0));
      last = performance.now();
    }
    await hub.applied();
    go = false;
    return { longest: worst, whole: performance.now() - begun };
  });
  // On a busy machine all takes longer; taken in at one go, the whole would be one frame.
  assert.ok(longest < Math.max(1000, whole / 4), `the longest frame took ${longest} ms of ${whole}`);
  assert.ok((await loaded(page)) > 15_000);
  assert.ok((await page.locator('.row').count()) < 80);
  await page.locator('.row').nth(20).click();
  await page.getByLabel('Details', { exact: true }).waitFor();
  console.log(`# longest frame during the burst: ${Math.round(longest)} ms of ${Math.round(whole)}`);
});

on('quiet', 'the keys of the window do what its page of keys says', async (page) => {
  const current = page.getByRole('navigation', { name: 'Views' }).locator('[aria-current=page]');
  for (const [key, view] of [['2', 'Approvals'], ['3', 'Metrics'], ['4', 'Rules'], ['5', 'Connections'], ['1', 'Live']]) {
    await page.keyboard.press(key);
    await current.filter({ hasText: view }).waitFor();
  }
  const selected = page.locator('.row[aria-selected=true]');
  await page.keyboard.press('k');
  await selected.waitFor();
  const last = await selected.getAttribute('aria-posinset');
  await page.keyboard.press('k');
  await page.waitForFunction((before) => Number(document.querySelector('.row[aria-selected=true]')?.getAttribute('aria-posinset')) === before - 1, Number(last));
  await page.keyboard.press('j');
  await page.waitForFunction((before) => Number(document.querySelector('.row[aria-selected=true]')?.getAttribute('aria-posinset')) === before, Number(last));
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Details');
  await page.keyboard.press('Escape');
  await page.locator('aside.details').waitFor({ state: 'detached' });
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'Go on', exact: true }).waitFor();
  await page.keyboard.press('f');
  await page.getByRole('button', { name: 'Follow', exact: true }).and(page.locator('[aria-pressed=true]')).waitFor();
  await page.keyboard.press('/');
  await page.waitForFunction(() => document.activeElement?.getAttribute('type') === 'search');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
});

on('one', 'says in words that what waits could not be read, and no longer once it can be', async (page) => {
  await page.evaluate(() => {
    const hub = window.mockHub;
    const { approvals } = hub;
    Object.defineProperty(hub, 'approvals', { configurable: true, get: () => { throw new Error('the disk cannot be read'); } });
    window.heal = () => Object.defineProperty(hub, 'approvals', { configurable: true, writable: true, value: approvals });
    hub.publish({ agent: 'sam', session: 's1', kind: 'approval_request', data: { request_id: 'rx', tool_name: 'Bash', arguments: {} } });
  });
  const banner = page.getByRole('alert').filter({ hasText: 'What waits for you is not up to date' });
  await banner.getByText('the disk cannot be read').waitFor();
  await page.evaluate(() => window.heal());
  await banner.waitFor({ state: 'detached' });
});

on('quiet', 'a fault of the page itself is said, and can be put away', async (page) => {
  await page.evaluate(() => void Promise.reject(new Error('an odd event')));
  const banner = page.getByRole('alert').filter({ hasText: 'This window' });
  await banner.getByText('an odd event').waitFor();
  await banner.getByRole('button', { name: 'Dismiss' }).click();
  await banner.waitFor({ state: 'detached' });
  page.complaints.length = 0;
});
