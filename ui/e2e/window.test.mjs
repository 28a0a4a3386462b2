// What a person does at the window, on the built page in Chromium, against the mock hub and under the hub's content security policy.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atOnce, build, done, launch, open, serve } from './page.mjs';

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

/** A test on a page of its own that must not complain. */
function on(state, name, run, options) {
  test(name, { timeout: 120_000 }, async () => {
    const page = await open(browser, server.url, state, options);
    try {
      await run(page);
      assert.deepEqual(page.complaints, []);
    } finally {
      await page.context().close();
    }
  });
}

const answered = (page) => page.evaluate(() => window.mockHub.answered);
const armed = (page, within = '.strip') => page.locator(`${within} button.approve[aria-disabled="false"]`).waitFor();
/** Publishes, and waits until the page has taken it in. */
const publish = (page, count) => page.evaluate(async (n) => (window.mockHub.burst(n), window.mockHub.applied()), count);
/** How many rows are loaded. */
const loaded = async (page) => Number((await page.locator('.bar .count').innerText()).replace(/\D/g, ''));
const focused = (page, attribute) => page.evaluate((name) => document.activeElement.getAttribute(name), attribute);

/** Where each state is to be seen once it is there. */
const STATES = {
  'first-run': 'text=countersign demo',
  quiet: '.row',
  ten: '.strip',
  long: '.strip',
  stopped: '.rail .stopped',
  disconnected: '.banner.bad',
  replaying: '.window.replaying',
  'read-only': '.strip',
  'store-failing': '.banner.bad',
  disabled: '.banner.bad',
  'port-in-use': '.banner.bad',
  'history-lost': '.banner',
  mixed: '.row.need',
  printed: '.row.bad',
};

for (const [state, shown] of Object.entries(STATES)) {
  for (const [width, height] of [[1280, 800], [900, 600], [420, 800]]) {
    on(state, `${state} fits ${width} by ${height} without a complaint`, async (page) => {
      await page.locator(shown).first().waitFor({ state: 'attached' });
      const over = await page.evaluate(() => [document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]);
      assert.deepEqual(over, [0, 0]);
    }, { width, height });
  }
}

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
  await page.getByText('Answered elsewhere: approved by dialog').first().waitFor();
  await page.locator('.strip').waitFor({ state: 'detached' });
});

on('one', 'a request answered in the dialog leaves the strip and says so', async (page) => {
  await page.locator('.strip').waitFor();
  await page.evaluate(() => window.mockHub.answer('ap-1', { decision: 'deny' }, 'dialog'));
  await page.getByText('denied by dialog').first().waitFor();
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
  await summary.getByText('Denied: edit_file for claude.').waitFor();
  await summary.getByText('None of these waits any more').waitFor();
  assert.deepEqual(await answered(page), ['ap-1 deny window', 'ap-2 deny window']);
  await page.locator('.strip h2', { hasText: '1 waiting' }).waitFor();
  await page.getByText('2 requests denied.').first().waitFor();
  await page.keyboard.press('Escape');
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
  await item(2).getByText('Answered elsewhere: denied by dialog.').waitFor();
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
  await item(5).getByText('Answered elsewhere: stopped by rest. Your answer changed nothing.').waitFor();
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

on('first-run', 'the first event takes the place of the first-run page', async (page) => {
  await page.getByText('countersign demo').waitFor();
  await page.getByRole('tab', { name: 'curl' }).click();
  await page.getByText('curl http://127.0.0.1:8765/api/events').waitFor();
  await publish(page, 5);
  await page.locator('.row').first().waitFor();
});

const go = (page, name) => page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name }).click();

for (const width of [320, 420, 661, 760, 900]) {
  on('failing', `every view is in sight and within reach of the keyboard at ${width}`, async (page) => {
    const tabs = page.getByRole('navigation', { name: 'Views' }).getByRole('button');
    await page.locator('header .trouble').waitFor();
    for (const tab of await tabs.all()) {
      const whole = await tab.evaluate((button) => {
        const box = button.getBoundingClientRect();
        const seen = [[1, 1], [box.width - 1, 1], [1, box.height - 1], [box.width - 1, box.height - 1]].every(([x, y]) => button.contains(document.elementFromPoint(box.left + x, box.top + y)));
        return seen && box.left >= 0 && box.right <= innerWidth && button.scrollWidth <= button.clientWidth;
      });
      assert.ok(whole, `${await tab.innerText()} is cut off`);
      await tab.focus();
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => document.activeElement.getAttribute('aria-current') === 'page');
    }
  }, { width });
}

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
      const over = await page.evaluate(() => [document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]);
      assert.deepEqual(over, [0, 0]);
    }, { width, height });
  }
}

test('a production build holds nothing of the mock, no inline script and no address but its own', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const out = mkdtempSync(join(tmpdir(), 'countersign-ui-'));
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', '--outDir', out, '--logLevel', 'warn'], { cwd: root, stdio: 'inherit' });
    for (const name of readdirSync(join(out, 'assets'))) assert.doesNotMatch(readFileSync(join(out, 'assets', name), 'utf8'), /mockHub/);
    const html = readFileSync(join(out, 'index.html'), 'utf8');
    assert.doesNotMatch(html, /<script(?![^>]*src=)|<style|https?:|data:/);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});
